"""The To field: each person typed there becomes a row, or a sentence about what is unclear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from htmltools import Tag, tags
from shiny import Inputs, Session, reactive, render, ui
from shiny.module import resolve_id

from alerts import Desk, UnusableInput
from alerts.alert import Channel
from alerts.phone_numbers import Regions, international, read_number, split_dialed
from alerts.time_zones import find_zone, time_zones
from dashboard.alert_status import shape_tag
from dashboard.background import failure_sentence, in_background, show_newest
from dashboard.fields import NO_FEEDBACK, described_by, feedback, unannounced
from dashboard.inputs import part, text, whole_number
from dashboard.page_parts import icon
from dashboard.send.from_file import FileSource, Found, file_region, from_file_button
from dashboard.send.if_nobody_answers import read_channel
from people.broadcasts import FileRows
from people.names import number_of_people
from people.recipients import (
    MOST_PARTS,
    Recipient,
    Unclear,
    names_in,
    only_numbers,
    parts_of,
    read_recipients,
    without,
)

MOST_ROWS = 100
# The first rows of a file show whether the columns are right; bad rows are shown as well.
MOST_ROWS_OF_FILE = 10
# More than this are read in a task: each number takes a millisecond, in which all visitors wait.
READ_AT_ONCE = 20
SECONDS_BETWEEN_CLOCKS = 20

Entry = Recipient | Unclear


@dataclass(frozen=True, slots=True)
class Typed:
    """What the To field holds and whom it means; `is_known` once names have been looked up.

    With a file, `file` has whom its rows are for, and nothing typed counts. `problem` is a sentence
    about the file as a whole.
    """

    text: str = ""
    channel: Channel = "call"
    entries: tuple[Entry, ...] = ()
    is_known: bool = True
    file: FileRows | None = None
    problem: str = ""

    @property
    def recipients(self) -> list[Recipient]:
        """The people who will be called or texted."""
        return [each for each in self.entries if isinstance(each, Recipient)]


def to_field(to: str) -> Tag:
    """Return the field, the region for a file in its place, and the rows under it."""
    field = ui.input_text(
        "phone_number",
        "To",
        to,
        placeholder="(412) 857-4309",
        width="100%",
        autocomplete="off",
    )
    return tags.div(
        tags.div(
            described_by(resolve_id("recipients"), field, "input", enterkeyhint="send"),
            class_="typed-to",
        ),
        tags.div(
            tags.a("From People…", href="?page=people", class_="from-people", hidden=""),
            from_file_button(),
            class_="from-elsewhere",
        ),
        file_region(),
        unannounced(ui.output_ui("recipients")),
        class_="to-field",
    )


def to_server(input: Inputs, session: Session, desk: Desk, file: FileSource) -> Callable[[], Typed]:
    """Read the field while it is typed into; returns a reactive read of whom it means.

    With a file, it returns whom that is for. For use inside a module's server.
    """
    typed: reactive.Value[Typed] = reactive.Value(Typed())
    looking: set[asyncio.Task[None]] = set()
    regions = desk.services.regions

    async def look_up(what: Typed) -> None:
        """Look up whom the typed text means, unless something else is typed by then."""
        # Imported here because it needs SQLAlchemy, which the first page doesn't wait for.
        from people.directory import Directory  # noqa: PLC0415

        try:
            directory = Directory(await desk.database(), desk.actor)
            found = await read_recipients(what.text, what.channel, regions, directory)
        except Exception as problem:  # noqa: BLE001 - logged if only its owner can fix it
            failure_sentence(problem)
            return  # the numbers alone are good enough, and the button reports the problem
        known = Typed(what.text, what.channel, tuple(found))
        await show_newest(lambda: {typed: known} if typed() == what else {})

    @reactive.effect
    def read() -> None:
        try:
            written, channel = text(input.phone_number(), "phone_number"), read_channel(input)
        except UnusableInput as problem:
            typed.set(Typed(entries=(Unclear(0, "", str(problem)),)))
            return
        what = read_at_once(written, channel, regions)
        typed.set(what)
        if not what.entries and what.is_known:
            return
        for task in looking:
            task.cancel()
        task = in_background(look_up(what), "looking up recipients")
        looking.add(task)
        task.add_done_callback(looking.discard)

    @reactive.calc
    def whom() -> Typed:
        found = file()
        return typed() if found is None else _of_file(found, typed().channel)

    @session.on_ended
    def stop() -> None:
        for task in looking:
            task.cancel()

    @reactive.effect
    @reactive.event(input.leave_out)
    def leave_out() -> None:
        place = whole_number(part(input.leave_out(), "place"))
        entries = whom().entries
        if place is not None and place < len(entries):
            one = entries[place]
            if not file.leave_out(one.part):
                others = [each for each in typed().recipients if each != one]
                ui.update_text("phone_number", value=without(typed().text, one, others))

    @render.ui
    def recipients() -> Tag:
        shown = whom()
        if any(isinstance(each, Recipient) for each in shown.entries):
            reactive.invalidate_later(SECONDS_BETWEEN_CLOCKS)
        return rows(shown, regions)

    return whom


def read_at_once(written: str, channel: Channel, regions: Regions) -> Typed:
    """Return what a text means as far as that is known without a database, and without delay."""
    count = len(parts_of(written))
    if READ_AT_ONCE < count <= MOST_PARTS:
        return Typed(written, channel, is_known=False)
    found = only_numbers(written, channel, regions)
    is_known = count > MOST_PARTS or not names_in(written, regions)
    return Typed(written, channel, tuple(found), is_known)


def _of_file(found: Found, channel: Channel) -> Typed:
    return Typed("", channel, found.entries, found.is_known, found.rows, found.problem)


def rows(shown: Typed, regions: Regions) -> Tag:
    """Return a row for each recipient, or one line on what can be typed."""
    if shown.problem:
        return NO_FEEDBACK  # shown with the file
    if not shown.is_known and not shown.entries:
        return feedback("", "Looking…")
    if not shown.entries:
        hint = (
            f"Numbers or names, with commas between. National numbers are {regions.default} ones."
        )
        return feedback("", hint)
    now = datetime.now(UTC)
    listed = [_row(place, each, shown, regions, now) for place, each in _rows_shown(shown)]
    more = len(shown.entries) - len(listed)
    if more > 0:
        listed.append(tags.li(f"and {more:,} more", class_="cb-quiet"))
    return tags.ul(*listed, class_="to-rows", aria_label=_summary(shown))


def _rows_shown(shown: Typed) -> list[tuple[int, Entry]]:
    """Return the entries that are shown, with their places: the first, and a file's bad ones."""
    first = MOST_ROWS_OF_FILE if shown.file else MOST_ROWS
    return [
        (place, each)
        for place, each in enumerate(shown.entries)
        if place < first or (shown.file and isinstance(each, Unclear))
    ][:MOST_ROWS]


def _summary(shown: Typed) -> str:
    called = "called" if shown.channel == "call" else "texted"
    return f"{number_of_people(len(shown.recipients))} will be {called}"


def _row(place: int, entry: Entry, shown: Typed, regions: Regions, now: datetime) -> Tag:
    label = entry.label if isinstance(entry, Recipient) else entry.typed
    if isinstance(entry, Recipient):
        tone = "waiting" if entry.warning else "good"
        mark, details = (
            shape_tag("mark" if entry.warning else "tick"),
            _details(entry, regions, now),
        )
    elif shown.is_known or entry.typed[:1].isdigit():
        tone, mark = "bad", shape_tag("cross")
        details = [tags.span(entry.problem, class_="problem")]
    else:
        tone, mark, details = "looking", None, [tags.span("Looking…", class_="problem")]
    return tags.li(
        tags.span(mark, class_="shape"),
        tags.span(label, class_="name cb-cut"),
        *details,
        tags.button(
            icon("close"),
            type="button",
            class_="cb-icon-button",
            data_leave_out=resolve_id("leave_out"),
            data_place=str(place),
            aria_label=f"Leave out {label}",
        ),
        class_=tone,
    )


def _details(recipient: Recipient, regions: Regions, now: datetime) -> list[Tag]:
    """Return the number (its place, if there is no name), and the time there."""
    number = read_number(recipient.to, regions)
    where = international(recipient.to) if recipient.name else number.place or number.country
    found = [tags.span(where, class_="number cb-number")]
    if recipient.warning:
        return [*found, tags.span(recipient.warning, class_="problem")]
    there = clock_there(recipient, now)
    return [*found, tags.span(f"{there} there" if there else "", class_="there cb-number")]


def clock_there(recipient: Recipient, now: datetime) -> str:
    """Return the time on the recipient's clock, or "" where a number may be in several zones."""
    zone = find_zone(recipient.time_zone) if recipient.time_zone else None
    zones = (zone,) if zone else time_zones(split_dialed(recipient.to)[0])
    clocks = {f"{now.astimezone(each):%H:%M}" for each in zones}
    return clocks.pop() if len(clocks) == 1 else ""
