"""One visitor's People page: what comes from the browser, and what handles it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from htmltools import TagChild, TagList
from shiny import Inputs, Session, reactive

from alerts import Desk, UnusableInput
from dashboard.background import failure_sentence
from dashboard.inputs import part, uploaded
from dashboard.people.changes import Changes
from dashboard.people.importer import FileImport
from dashboard.people.people_list import PeopleList
from dashboard.people.sheets import ToBrowser
from dashboard.visit_tasks import Action, VisitTasks


class Visit:
    """One visitor's People page: the list, its changes, and the import of a file."""

    def __init__(self, input: Inputs, session: Session, desk: Desk) -> None:
        self._input = input
        self._browser = ToBrowser(session)
        self._tasks = VisitTasks(session, self._browser.say, _sentence_of)
        self._people = PeopleList(input, session, desk, self._tasks, self._browser)
        self._changes = Changes(desk, self._people, self._browser)
        self._importing = FileImport(desk, self._show_import)
        self._receive()

    # --- What comes from the browser ---

    def _receive(self) -> None:
        sent_by = self._input

        @reactive.effect
        @reactive.event(sent_by.in_sight)
        def look_while_in_sight() -> None:
            self._people.be_in_sight(sent_by.in_sight() is True)

        @reactive.effect
        @reactive.event(sent_by.act)
        def act() -> None:
            sent = sent_by.act()
            name, record, value = (part(sent, each) for each in ("action", "id", "value"))
            fields = sent.get("fields") if isinstance(sent, dict) else None
            action = self._action(name) if name.isidentifier() else None
            if action is not None:
                fields = fields if isinstance(fields, dict) else {}
                self._tasks.begin(self._tasks.do(action, record, value, fields))

        @reactive.effect
        @reactive.event(sent_by.file)
        def open_file() -> None:
            if file := uploaded(sent_by.file()):
                name, path = file
                self._tasks.begin(self._tasks.do(self._open_file, name, str(path), {}))

    def _action(self, name: str) -> Action | None:
        for each in (self, self._people, self._changes):
            action: Action | None = getattr(each, f"on_{name}", None)
            if action is not None:
                return action
        return None

    # --- Importing ---

    async def _open_file(self, name: str, path: str, _: dict[str, Any]) -> None:
        await self._importing.open(name, Path(path))

    async def on_file_too_large(self, _: str, value: str, __: dict[str, Any]) -> None:
        """Say that this file wasn't uploaded, because it is too large."""
        await self._importing.refuse_too_large(value)

    async def on_change(self, record: str, value: str, fields: dict[str, Any]) -> None:
        """Take a decision about a column or a row of the file."""
        await self._importing.change(part(fields, "what"), record, value)

    async def on_leave_out(self, record: str, *_: object) -> None:
        """Leave out a row of the file."""
        await self._importing.change("leave_out", record, "")

    async def on_merge(self, record: str, *_: object) -> None:
        """Merge a row of the file into the person who is known already."""
        await self._importing.change("merge", record, "")

    async def on_import(self, *_: object) -> None:
        """Import what needs no look."""
        said = await self._importing.run()
        if not said:
            return
        if self._importing.is_open:
            await self._browser.say(said)
            self._people.read_again()
        else:
            await self._changes.done(said)

    async def _show_import(self, body: TagChild, actions: TagChild) -> None:
        await self._browser.send("import", html=str(TagList(body)), actions=str(TagList(actions)))


def _sentence_of(error: Exception) -> str:
    return str(error) if isinstance(error, UnusableInput) else failure_sentence(error)
