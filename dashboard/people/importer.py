"""The server of the import sheet: reads the uploaded file, plans, takes fixes, imports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from htmltools import TagChild

from alerts import Desk, UnusableInput
from dashboard.inputs import whole_number
from dashboard.people import import_sheet
from dashboard.people.import_sheet import Import
from people.checking import NUMBER_FIELDS
from people.columns import TARGETS, guess_mapping
from people.importing import Choices, Importer
from people.sheet import TOO_LARGE, read_sheet

FIXABLE = {*NUMBER_FIELDS, "name", "language", "time_zone", "notes", "groups"}
MOST_FIX_CHARACTERS = 2_000
MOST_NAME_CHARACTERS = 255

# Shows the body and the actions of the sheet.
Show = Callable[[TagChild, TagChild], Awaitable[None]]


class FileImport:
    """One page's import. Its methods are called one after another."""

    def __init__(self, desk: Desk, show: Show) -> None:
        self._desk = desk
        self._show = show
        self._importer: Importer | None = None
        self._work: Import | None = None

    async def open(self, name: str, path: Path) -> None:
        """Read an uploaded file and show what importing it would do."""
        self._importer = self._work = None
        await self._show(import_sheet.reading(name), None)
        try:
            content = await asyncio.to_thread(path.read_bytes)
            sheet = await asyncio.to_thread(read_sheet, content)
        except UnusableInput as problem:
            await self._show(import_sheet.file_problem(name, str(problem)), None)
            return
        regions = self._desk.services.regions
        database, actor = await self._desk.database(), self._desk.actor
        self._importer = Importer(database, regions, sheet, actor)
        choices = Choices(guess_mapping(sheet), regions.default)
        self._work = Import(name, sheet, choices)
        await self._plan()

    async def refuse_too_large(self, name: str) -> None:
        """Say that the browser didn't send a file because of its size."""
        self._importer = self._work = None
        await self._show(import_sheet.file_problem(name[:MOST_NAME_CHARACTERS], TOO_LARGE), None)

    async def change(self, what: str, where: str, value: str) -> None:
        """Take a decision: a column's target, the region, a fix, a row left out or merged."""
        if self._work is None:
            return
        choices = self._work.choices
        place = whole_number(where)
        if what == "map" and value in TARGETS and place is not None:
            mapping = list(choices.mapping)
            if place < len(mapping):
                mapping[place] = value
                choices = replace(choices, mapping=tuple(mapping))
        elif what == "region" and value in self._desk.services.regions.allowed:
            choices = replace(choices, region=value)
        elif what in {"leave_out", "merge"} and place is not None:
            rows = {place}
            choices = (
                replace(choices, left_out=choices.left_out | rows)
                if what == "leave_out"
                else replace(choices, merged=choices.merged | rows)
            )
        elif what == "fix":
            number, _, field = where.partition(":")
            row = whole_number(number)
            if row is not None and field in FIXABLE:
                fix = {(row, field): value[:MOST_FIX_CHARACTERS]}
                choices = replace(choices, fixes={**choices.fixes, **fix})
        if choices != self._work.choices:
            self._work = replace(self._work, choices=choices)
            await self._plan()

    async def run(self) -> str:
        """Import what needs no look; returns what that was, or "" if something is in the way.

        If rows are left that need a look, the sheet stays open with them.
        """
        if self._work is None or self._importer is None:
            return ""
        try:
            done = await self._importer.run(self._work.choices)
        except UnusableInput as problem:
            self._work = replace(self._work, plan=None, problem=str(problem))
            await self._show_work(self._work)
            return ""
        if done.problems:
            await self._plan()
        else:
            self._importer = self._work = None
        return import_sheet.outcome(done)

    @property
    def is_open(self) -> bool:
        """Whether a file is being looked at."""
        return self._work is not None

    async def _plan(self) -> None:
        if self._work is None or self._importer is None:
            return
        try:
            plan = await self._importer.plan(self._work.choices)
            self._work = replace(self._work, plan=plan, problem="")
        except UnusableInput as problem:
            self._work = replace(self._work, plan=None, problem=str(problem))
        await self._show_work(self._work)

    async def _show_work(self, work: Import) -> None:
        allowed = self._desk.services.regions.allowed
        await self._show(import_sheet.body(work, allowed), import_sheet.actions(work))
