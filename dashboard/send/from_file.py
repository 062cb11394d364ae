"""Sending to every row of a file: the file, its columns, and the recipient of each row."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from htmltools import Tag, TagList, tags
from shiny import Inputs, Outputs, reactive, render, ui
from shiny.module import resolve_id

from alerts import AlertRequest, Desk, UnusableInput
from alerts.alert import Channel
from alerts.message.compose import VARIABLES
from dashboard.alert_status import shape_tag
from dashboard.background import failure_sentence
from dashboard.fields import unannounced
from dashboard.inputs import part, uploaded
from dashboard.page_parts import icon
from dashboard.send.if_nobody_answers import read_channel
from people.broadcasts import (
    FileRows,
    repeats_note,
    told_once,
    variable_names,
    without_words,
)
from people.columns import guess_mapping
from people.recipients import Recipient, Unclear
from people.sheet import TOO_LARGE, Sheet, read_sheet

FILE_TYPES = [".csv", ".tsv", ".txt", "text/csv"]
# Each row's words are written again when the message changes, but not at each key press.
SECONDS_AFTER_TYPING = 0.2
MOST_COLUMNS_OFFERED = 20
STILL_READING = "The file is still being read: wait a moment."


@dataclass(frozen=True, slots=True)
class Opened:
    """A file on the page: read into a `sheet`, or the `problem` with it, or neither yet."""

    name: str
    sheet: Sheet | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Whom the `rows` of a file are for, in their order; `is_known` once they have been read.

    `problem` is a sentence about the whole file, `note` one about rows that are told once.
    """

    rows: FileRows | None = None
    entries: tuple[Recipient | Unclear, ...] = ()
    is_known: bool = True
    problem: str = ""
    note: str = ""


def from_file_button() -> Tag:
    """Return the button that opens the region made by `file_region`."""
    return tags.button(
        "From a file…",
        type="button",
        class_="from-file-button",
        aria_expanded="false",
        aria_controls=resolve_id("from_file"),
    )


def file_region() -> Tag:
    """Return the region under the To field, closed: the field for a file, then what is in it."""
    label = "A CSV file whose first row names its columns"
    return tags.div(
        tags.div(
            ui.input_file(
                "file",
                label,
                accept=FILE_TYPES,
                width="100%",
                button_label="Choose…",
                placeholder="No file yet",
            ),
            class_="choose-file",
        ),
        unannounced(ui.output_ui("file_head")),
        ui.output_ui("file_note"),
        id=resolve_id("from_file"),
        class_="from-file",
        role="group",
        aria_label="File",
        # The focus moves here when the element that had it disappears.
        tabindex="-1",
        data_too_large=resolve_id("file_too_large"),
        hidden="",
    )


def column_buttons() -> Tag:
    """Return the place for the buttons that write a column into the message."""
    return unannounced(ui.output_ui("file_variables", class_="file-variables"))


class FileSource:
    """The file on one page. Calling it returns whom the file is for, or None (reactive)."""

    def __init__(
        self,
        input: Inputs,
        output: Outputs,
        desk: Desk,
        form: Callable[[], AlertRequest | UnusableInput],
    ) -> None:
        """`form` is a reactive read of the request. For use inside a module's server."""
        self._opened: reactive.Value[Opened | None] = reactive.Value(None)
        self._rows: reactive.Value[FileRows | None] = reactive.Value(None)
        self._found: reactive.Value[Found] = reactive.Value(Found())
        self._form = form
        self._take_files(input)
        self._take_choices(input)
        self._look_at_rows(input, desk)
        self._show(output)

    def __call__(self) -> Found | None:
        """Return whom the file's rows are for; None if there is no file. A reactive read."""
        opened, rows, found = self._opened(), self._rows(), self._found()
        if opened is None:
            return None
        if rows is None:
            return Found(problem=opened.problem or STILL_READING)
        return found if found.rows is rows else Found(rows, is_known=False)

    def take_out(self) -> None:
        """Remove the file, and return to what is typed in the To field."""
        self._opened.set(None)
        self._rows.set(None)

    def leave_out(self, row: int) -> bool:
        """Leave out a row, by its number; returns whether there is a file."""
        with reactive.isolate():
            rows, found = self._rows(), self._found()
        if rows is None:
            return False
        fewer = replace(rows, left_out=rows.left_out | {row})
        self._rows.set(fewer)
        if found.rows is rows and len(found.entries) > 1:
            # The other rows stay on the page while they are checked again.
            others = tuple(each for each in found.entries if each.part != row)
            self._found.set(replace(found, rows=fewer, entries=others))
        return True

    def _take_files(self, input: Inputs) -> None:
        @reactive.extended_task
        async def reading(name: str, path: Path) -> Opened:
            try:
                content = await asyncio.to_thread(path.read_bytes)
                return Opened(name, await asyncio.to_thread(read_sheet, content))
            except UnusableInput as problem:
                return Opened(name, problem=str(problem))

        @reactive.effect
        @reactive.event(input.file)
        def open_file() -> None:
            if file := uploaded(input.file()):
                name, path = file
                reading.cancel()
                self.take_out()
                self._opened.set(Opened(name))
                reading.invoke(name, path)

        @reactive.effect
        @reactive.event(input.file_too_large)
        def refuse_file() -> None:
            reading.cancel()
            self.take_out()
            self._opened.set(Opened(part(input.file_too_large(), "name"), problem=TOO_LARGE))

        @reactive.effect
        def take_what_was_read() -> None:
            match reading.status():
                case "success":
                    read = reading.result()
                case "error":
                    read = Opened("", problem=failure_sentence(reading.error()))
                case _:
                    return
            with reactive.isolate():
                waiting = self._opened()
            if waiting is None:
                return  # the file was taken out meanwhile
            self._opened.set(replace(read, name=waiting.name))
            self._rows.set(guessed(read.sheet) if read.sheet else None)

    def _take_choices(self, input: Inputs) -> None:
        @reactive.effect
        @reactive.event(input.leave_file_out)
        def leave_file_out() -> None:
            self.take_out()

        # With a file, people can't type in the To field, so another page has filled it in.
        @reactive.effect
        @reactive.event(input.phone_number)
        def filled_in() -> None:
            self.take_out()

        def choose(column: str, value: object) -> None:
            rows = self._rows()
            if rows is None:
                return
            known = {str(place): place for place in range(len(rows.sheet.columns))}
            chosen = known.get(value) if isinstance(value, str) else None
            if getattr(rows, column) != chosen:
                to = chosen if column == "to" else rows.to
                name = chosen if column == "name" else rows.name
                self._rows.set(replace(rows, to=to, name=name))

        @reactive.effect
        @reactive.event(input.file_to)
        def choose_to() -> None:
            choose("to", input.file_to())

        @reactive.effect
        @reactive.event(input.file_name)
        def choose_name() -> None:
            choose("name", input.file_name())

    def _look_at_rows(self, input: Inputs, desk: Desk) -> None:
        regions = desk.services.regions
        # Numbers don't change with the message, and reading many takes a second.
        known: tuple[FileRows | None, Channel, list[Recipient | Unclear]] = (None, "call", [])

        @reactive.extended_task
        async def looking(rows: FileRows, channel: Channel, request: AlertRequest | None) -> Found:
            nonlocal known
            await asyncio.sleep(SECONDS_AFTER_TYPING)
            if known[0] is not rows or known[1] != channel:
                try:
                    read = await asyncio.to_thread(rows.recipients, channel, regions)
                except UnusableInput as problem:
                    return Found(rows, problem=str(problem))
                known = (rows, channel, read)
            return await asyncio.to_thread(found_in, rows, known[2], request)

        @reactive.effect
        def look() -> None:
            rows = self._rows()
            looking.cancel()
            if rows is None:
                return
            asked = self._form()
            request = asked if isinstance(asked, AlertRequest) else None
            try:
                channel = request.channel if request else read_channel(input)
            except UnusableInput:
                return  # said at the button
            looking.invoke(rows, channel, request)

        @reactive.effect
        def take_what_was_found() -> None:
            match looking.status():
                case "success":
                    found = looking.result()
                case "error":
                    with reactive.isolate():
                        rows = self._rows()
                    found = Found(rows, problem=failure_sentence(looking.error()))
                case _:
                    return
            with reactive.isolate():
                shown = self._found()
            if shown.rows is not found.rows or shown != found:
                self._found.set(found)

    def _show(self, output: Outputs) -> None:
        # Keep it running while the region is closed, because it decides whom the button calls.
        @output(suspend_when_hidden=False)
        @render.ui
        def file_head() -> Tag | None:
            opened = self._opened()
            return head(opened) if opened else None

        @output(suspend_when_hidden=False)
        @render.ui
        def file_note() -> Tag | None:
            found = self()
            if found is None:
                return None
            if found.problem == STILL_READING:
                return tags.p("Reading…", class_="cb-quiet cb-small")
            if found.problem:
                return tags.p(shape_tag("cross", "bad"), found.problem, class_="cb-note bad")
            return tags.p(found.note, class_="cb-quiet cb-small") if found.note else None

        @render.ui
        def file_variables() -> TagList | None:
            rows = self._rows()
            return offered_columns(rows) if rows else None


def guessed(sheet: Sheet) -> FileRows:
    """Return the rows with the columns that look like the number and the name."""
    mapping = guess_mapping(sheet)
    to = mapping.index("number") if "number" in mapping else None
    name = next((mapping.index(each) for each in ("name", "first_name") if each in mapping), None)
    return FileRows(sheet, to, name)


def found_in(
    rows: FileRows, read: list[Recipient | Unclear], request: AlertRequest | None
) -> Found:
    """Return the recipients of the rows with a message: no one is told the same twice."""
    note = ""
    if request is not None and request.message.strip():
        recipients = [each for each in read if isinstance(each, Recipient)]
        once, repeats = told_once(recipients, request)
        note = repeats_note(repeats) if repeats else ""
        wordless = without_words(once, request, variable_names(rows.sheet.columns))
        again = set(repeats)
        read = [wordless.get(each.part, each) for each in read if each.part not in again]
    return Found(rows, tuple(read), note=note)


def head(opened: Opened) -> Tag:
    """Return the file's name with its rows, and the choice of its columns."""
    words = opened.name
    if opened.sheet:
        count = len(opened.sheet.rows)
        words = f"{count:,} {'row' if count == 1 else 'rows'} in {opened.name}"
    return tags.div(
        tags.div(
            tags.span(words, class_="cb-strong cb-cut"),
            tags.button("Other file…", type="button", class_="cb-button low bare other-file"),
            tags.button(
                icon("close"),
                type="button",
                class_="cb-icon-button",
                data_leave_file_out=resolve_id("leave_file_out"),
                aria_label="Leave the file out",
            ),
            class_="file-name",
        ),
        _columns(opened.sheet) if opened.sheet and opened.sheet.rows else None,
        class_="file-head",
    )


def _columns(sheet: Sheet) -> Tag:
    rows = guessed(sheet)
    columns = {str(place): column for place, column in enumerate(sheet.columns)}
    unknown = {"": "choose a column"} if rows.to is None else {}
    to = "" if rows.to is None else str(rows.to)
    name = "" if rows.name is None else str(rows.name)
    return tags.div(
        ui.input_select("file_to", "Number from", unknown | columns, selected=to),
        ui.input_select("file_name", "Name from", {"": "none"} | columns, selected=name),
        class_="file-columns ghost",
    )


def offered_columns(rows: FileRows) -> TagList:
    """Return a button for each column that the message may use as a variable."""
    names = variable_names(rows.sheet.columns)
    offered = [
        (column, name)
        for place, (column, name) in enumerate(zip(rows.sheet.columns, names, strict=True))
        if place not in (rows.to, rows.name) and name not in VARIABLES
    ]
    return TagList(
        *(
            tags.button(
                f"{{{{ {name} }}}}",
                type="button",
                title=column if column != name else None,
                data_insert=f"{{{{ {name} }}}}",
                data_into=resolve_id("message"),
            )
            for column, name in offered[:MOST_COLUMNS_OFFERED]
        )
    )
