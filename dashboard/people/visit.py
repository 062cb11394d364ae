"""One visitor's People page: what is shown there, and what becomes of what is pressed.

Everything that waits runs in a task of its own, never inside a flush, which would freeze all
visitors.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from htmltools import Tag, TagChild, TagList, tags
from shiny import Inputs, Session, reactive, render

from alerts import Desk, UnusableInput
from alerts.time_zones import find_zone
from dashboard.background import in_background
from dashboard.inputs import MOST_SEARCH_CHARACTERS, part, uploaded
from dashboard.live_alert import failure_sentence
from dashboard.people import rows, sheets
from dashboard.people.importer import FileImport
from dashboard.people.rows import GLANCES
from database.database import Database
from people.checking import NUMBER_FIELDS, SEPARATORS
from people.contact import Contact
from people.contacts import Contacts
from people.directory import Directory
from people.exporting import write_csv
from people.groups import Group, Groups
from people.importing import BETWEEN_GROUPS
from people.listing import Counts, Listing, Page, Person, Wanted

PAGE_SIZE = 25
# How often the list is read again, for alerts under way and changes by others.
LOOK_SECONDS = 5.0
# The people chosen go into an address, and onto the Send page.
MOST_CHOSEN = 500

Action = Callable[[str, str, dict[str, Any]], Awaitable[None]]


class Visit:
    """One visitor's People page."""

    def __init__(self, input: Inputs, session: Session, desk: Desk) -> None:
        self._input = input
        self._session = session
        self._desk = desk
        self._importing = FileImport(desk, self._show_import)
        self._wanted: reactive.Value[Wanted] = reactive.Value(Wanted())
        self._page: reactive.Value[Page | None] = reactive.Value(None)
        self._counts: reactive.Value[Counts | None] = reactive.Value(None)
        self._problem: reactive.Value[str] = reactive.Value("")
        # Chosen people by id. The list is drawn again only if `drawn` changes, because the browser
        # has marked what was pressed there.
        self._chosen: reactive.Value[dict[str, str]] = reactive.Value({})
        self._drawn: reactive.Value[int] = reactive.Value(0)
        self._first = 0
        self._again = asyncio.Event()
        self._in_sight = asyncio.Event()
        self._removing: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        # What is done to people is done one after another.
        self._turn = asyncio.Lock()
        self._begin(self._keep_looking())
        session.on_ended(self._stop)
        self._receive()
        self._render()

    # --- What comes from the browser ---

    def _receive(self) -> None:
        sent_by = self._input

        @reactive.effect
        @reactive.event(sent_by.in_sight)
        def look_while_in_sight() -> None:
            if sent_by.in_sight() is True:
                self._in_sight.set()
                self._again.set()
            else:
                self._in_sight.clear()

        @reactive.effect
        @reactive.event(sent_by.act)
        def act() -> None:
            sent = sent_by.act()
            name, fields = part(sent, "action"), sent.get("fields") if isinstance(sent, dict) else 0
            action = getattr(self, f"_on_{name}", None) if name.isidentifier() else None
            if action is not None:
                fields = fields if isinstance(fields, dict) else {}
                self._begin(self._do(action, part(sent, "id"), part(sent, "value"), fields))

        @reactive.effect
        @reactive.event(sent_by.file)
        def open_file() -> None:
            if file := uploaded(sent_by.file()):
                name, path = file
                self._begin(self._do(self._open_file, name, str(path), {}))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = in_background(work, "the People page")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _do(self, action: Action, record: str, value: str, fields: dict[str, Any]) -> None:
        try:
            async with self._turn:
                await action(record, value, fields)
        except Exception as error:  # noqa: BLE001 - said on the page, whatever it is
            await self._say(failure_sentence(error))

    # --- The list ---

    async def _keep_looking(self) -> None:
        """Read the list again and again while the page is in sight."""
        while True:
            await self._in_sight.wait()
            self._again.clear()
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - said in the place of the list
                await self._set(self._problem, failure_sentence(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._again.wait()

    async def _look(self) -> None:
        with reactive.isolate():
            wanted = self._wanted()
        database = await self._desk.database()
        listing = Listing(database, self._desk.services.twilio.account_sid, self._desk.actor)
        page = await listing.page(wanted, self._first, PAGE_SIZE)
        counts = await listing.counts()
        self._first = page.first
        await self._set(self._problem, "")
        await self._set(self._page, page)
        await self._set(self._counts, counts)

    async def _set(self, value: reactive.Value[Any], to: object) -> None:
        async with reactive.lock():
            with reactive.isolate():
                if value() == to:
                    return
            value.set(to)
            await reactive.flush()

    async def _want(self, wanted: Wanted) -> None:
        self._first = 0
        await self._set(self._wanted, wanted)
        self._again.set()

    async def _choose(self, chosen: dict[str, str], *, draw: bool) -> None:
        if len(chosen) > MOST_CHOSEN:
            await self._say(f"{MOST_CHOSEN} people can be chosen at once. Use a group for more.")
            chosen = dict([*chosen.items()][:MOST_CHOSEN])
            draw = True
        await self._set(self._chosen, chosen)
        if draw:
            with reactive.isolate():
                count = self._drawn()
            await self._set(self._drawn, count + 1)

    def _now(self, value: reactive.Value[Any]) -> Any:
        with reactive.isolate():
            return value()

    def _render(self) -> None:
        @render.ui
        def groups() -> TagChild:
            counts = self._counts()
            return rows.groups_tag(counts, self._wanted()) if counts else None

        @render.ui
        def people() -> TagChild:
            page, wanted = self._page(), self._wanted()
            self._drawn()
            if self._problem():
                return tags.p(self._problem(), class_="cb-note bad", role="alert")
            if page is None:
                return tags.p("Looking for people…", class_="cb-quiet people-nobody")
            if not page.total and wanted == Wanted():
                return rows.nobody_yet()
            chosen = self._now(self._chosen)
            return rows.list_tag(page, wanted, chosen, self._time_zone())

        @render.ui
        def foot() -> TagChild:
            page = self._page()
            chosen = len(self._chosen())
            if page is None or not (page.total or chosen):
                return None
            return rows.foot_tag(page, self._wanted(), chosen, PAGE_SIZE)

        @render.download_link(filename="people.csv", media_type="text/csv")
        async def export() -> AsyncIterator[bytes]:
            database = await self._desk.database()
            listing = Listing(database, self._desk.services.twilio.account_sid, self._desk.actor)
            found = await listing.export(Wanted())
            yield await asyncio.to_thread(write_csv, found)

    def _time_zone(self) -> str:
        named = self._input.time_zone() if self._input.time_zone.is_set() else ""
        known = isinstance(named, str) and named and find_zone(named)
        return named if known else self._desk.services.time_zone

    def _contacts(self, database: Database) -> Contacts:
        return Contacts(database, self._desk.services.regions, self._desk.actor)

    # --- Finding and choosing ---

    async def _on_search(self, _: str, value: str, __: dict[str, Any]) -> None:
        await self._want(replace(self._now(self._wanted), search=value[:MOST_SEARCH_CHARACTERS]))

    async def _on_group(self, _: str, value: str, __: dict[str, Any]) -> None:
        await self._want(Wanted(self._now(self._wanted).search, group=value))

    async def _on_glance(self, _: str, value: str, __: dict[str, Any]) -> None:
        if value in GLANCES:
            await self._want(Wanted(self._now(self._wanted).search, glance=value))  # type: ignore[arg-type]

    async def _on_everybody(self, *_: object) -> None:
        await self._send("search", value="")
        await self._want(Wanted())

    async def _on_page(self, _: str, value: str, __: dict[str, Any]) -> None:
        if value.lstrip("-").isdecimal() and len(value) < 10:
            self._first = int(value)
            self._again.set()

    async def _on_choose(self, record: str, value: str, _: dict[str, Any]) -> None:
        chosen = dict(self._now(self._chosen))
        names = {each.contact.id: each.contact.name for each in self._on_screen()}
        chosen.pop(record, None)
        if value == "on" and record in names:
            chosen[record] = names[record]
        await self._choose(chosen, draw=False)

    async def _on_choose_page(self, _: str, value: str, __: dict[str, Any]) -> None:
        chosen = dict(self._now(self._chosen))
        for each in self._on_screen():
            chosen.pop(each.contact.id, None)
            if value == "on":
                chosen[each.contact.id] = each.contact.name
        await self._choose(chosen, draw=True)

    async def _on_choose_none(self, *_: object) -> None:
        await self._choose({}, draw=True)

    def _on_screen(self) -> tuple[Person, ...]:
        page = self._now(self._page)
        return page.people if page else ()

    async def _on_write(self, *_: object) -> None:
        """Open the Send page with the chosen people in it, by name where that is enough."""
        database = await self._desk.database()
        found = await self._contacts(database).get([*self._now(self._chosen)])
        means = await Directory(database, self._desk.actor).find([each.name for each in found])
        written = [
            each.name
            if [match.id for match in means[each.name].contacts] == [each.id]
            and not any(separator in each.name for separator in SEPARATORS)
            else each.numbers[0]
            for each in found
        ]
        await self._session.send_custom_message("callboard-open-send", {"to": ", ".join(written)})

    # --- One person ---

    async def _on_add(self, *_: object) -> None:
        group = self._now(self._wanted).group
        blank = Contact("", "", (), groups=(group,) if group else ())
        await self._sheet(sheets.person_sheet(blank, {}, await self._groups()))

    async def _on_edit(self, record: str, *_: object) -> None:
        found = await self._contacts(await self._desk.database()).get([record])
        if found:
            await self._sheet(sheets.person_sheet(found[0], {}, await self._groups()))
        else:
            await self._say("This person was removed in the meantime.")
            self._again.set()

    async def _on_save(self, record: str, _: str, fields: dict[str, Any]) -> None:
        typed = Contact(
            record,
            part(fields, "name"),
            tuple(part(fields, name) for name in NUMBER_FIELDS),
            part(fields, "language"),
            part(fields, "time_zone"),
            part(fields, "notes"),
            tuple(BETWEEN_GROUPS.split(part(fields, "groups"))),
        )
        contacts = self._contacts(await self._desk.database())
        problems = await contacts.check(typed)
        if not problems:
            try:
                saved = await contacts.save(typed)
            except UnusableInput as problem:
                problems = {problem.field: problem}
        if problems:
            await self._sheet(sheets.person_sheet(typed, problems, await self._groups()))
            return
        await self._done(f"{saved.name} is saved.")

    async def _on_remove(self, record: str, *_: object) -> None:
        await self._ask_to_remove([record])

    async def _on_remove_chosen(self, *_: object) -> None:
        await self._ask_to_remove([*self._now(self._chosen)])

    async def _ask_to_remove(self, ids: list[str]) -> None:
        found = await self._contacts(await self._desk.database()).get(ids)
        self._removing = [each.id for each in found]
        if found:
            await self._sheet(sheets.removal_sheet(found))

    async def _on_really_remove(self, *_: object) -> None:
        removed = await self._contacts(await self._desk.database()).remove(self._removing)
        chosen = self._now(self._chosen)
        await self._choose(
            {each: chosen[each] for each in chosen if each not in self._removing}, draw=False
        )
        self._removing = []
        await self._done("1 person removed." if removed == 1 else f"{removed:,} people removed.")

    # --- Groups ---

    async def _groups(self) -> list[Group]:
        return await Groups(await self._desk.database(), self._desk.actor).all()

    async def _on_new_group(self, *_: object) -> None:
        await self._sheet(sheets.group_sheet("", None))

    async def _on_edit_group(self, record: str, *_: object) -> None:
        await self._sheet(sheets.group_sheet(record, None))

    async def _on_save_group(self, record: str, _: str, fields: dict[str, Any]) -> None:
        groups, typed = Groups(await self._desk.database(), self._desk.actor), part(fields, "group")
        try:
            name = await (groups.rename(record, typed) if record else groups.add(typed))
        except UnusableInput as problem:
            await self._sheet(sheets.group_sheet(record, problem, typed))
            return
        if record and self._now(self._wanted).group == record:
            await self._want(replace(self._now(self._wanted), group=name))
        await self._done(f"The group {name} is saved.")

    async def _on_remove_group(self, record: str, *_: object) -> None:
        await Groups(await self._desk.database(), self._desk.actor).remove(record)
        if self._now(self._wanted).group == record:
            await self._want(Wanted())
        await self._done(f"The group {record} is removed; its people are still here.")

    async def _on_into_group(self, *_: object) -> None:
        count = len(self._now(self._chosen))
        await self._sheet(sheets.into_group_sheet(count, await self._groups(), None))

    async def _on_save_into_group(self, _: str, __: str, fields: dict[str, Any]) -> None:
        chosen, typed = [*self._now(self._chosen)], part(fields, "group")
        contacts = self._contacts(await self._desk.database())
        try:
            added = await contacts.put_into(chosen, typed)
        except UnusableInput as problem:
            groups = await self._groups()
            await self._sheet(sheets.into_group_sheet(len(chosen), groups, problem, typed))
            return
        await self._done(f"{added} new in {' '.join(typed.split())}.")

    async def _on_out_of_group(self, *_: object) -> None:
        group = self._now(self._wanted).group
        contacts = self._contacts(await self._desk.database())
        taken = await contacts.take_out([*self._now(self._chosen)], group)
        await self._choose({}, draw=True)
        await self._done(f"{taken} taken out of {group}.")

    # --- Importing ---

    async def _open_file(self, name: str, path: str, _: dict[str, Any]) -> None:
        await self._importing.open(name, Path(path))

    async def _on_file_too_large(self, _: str, value: str, __: dict[str, Any]) -> None:
        await self._importing.refuse_too_large(value)

    async def _on_change(self, record: str, value: str, fields: dict[str, Any]) -> None:
        await self._importing.change(part(fields, "what"), record, value)

    async def _on_leave_out(self, record: str, *_: object) -> None:
        await self._importing.change("leave_out", record, "")

    async def _on_merge(self, record: str, *_: object) -> None:
        await self._importing.change("merge", record, "")

    async def _on_import(self, *_: object) -> None:
        said = await self._importing.run()
        if not said:
            return
        if self._importing.is_open:
            await self._say(said)
            self._again.set()
        else:
            await self._done(said)

    async def _show_import(self, body: TagChild, actions: TagChild) -> None:
        await self._send("import", html=str(TagList(body)), actions=str(TagList(actions)))

    # --- To the browser ---

    async def _sheet(self, content: Tag) -> None:
        await self._send("form", html=str(content))

    async def _say(self, sentence: str) -> None:
        await self._send("said", value=sentence)

    async def _done(self, sentence: str) -> None:
        """Close whatever is open, say what was done, and read the list again."""
        await self._send("close")
        await self._say(sentence)
        self._again.set()

    async def _send(self, part: str, **content: str) -> None:
        name = self._session.ns("page")
        await self._session.send_custom_message(
            "callboard-people", {"name": name, "part": part, **content}
        )
