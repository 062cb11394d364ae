"""Looking at the data for a rule that is being written: what is bad now, and in 30 days."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from alerts import UnusableInput
from dashboard.background import failure_sentence, in_background
from dashboard.rules.result import Seen
from rules.desk import RuleDesk
from rules.preview import PastAlerts
from rules.rule import WHOLE_ROW, Rule
from rules.sandbox import Column, QueryError
from rules.sources import SourceError


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a source can't be read; if its columns have changed, also how ("" otherwise)."""

    problem: str
    change: str = ""


class Looking:
    """What the data say about the rule as it was given last; `changed` is called after each change.

    `seen` is the last good preview. `mistake` is the query's error, or None. `trouble` says in a
    sentence why its data can't be read, or is "". `problems` has sentences by the rule's field.
    `past` is None until it is known.
    """

    def __init__(self, rules: RuleDesk, changed: Callable[[], Awaitable[None]]) -> None:
        self._rules = rules
        self._changed = changed
        self._asked = ""
        self._looking: asyncio.Task[None] | None = None
        self._is_seen = asyncio.Event()
        self._is_seen.set()
        self._columns: dict[str, tuple[Column, ...]] = {}
        self._notes: dict[str, tuple[str, ...]] = {}
        self._changes: dict[str, str] = {}
        self.unread: dict[str, Unread] = {}
        self.seen: Seen | None = None
        self.past: PastAlerts | None = None
        self.mistake: QueryError | None = None
        self.trouble = ""
        self.problems: Mapping[str, str] = {}
        self.is_previewing = False
        self.is_looking_back = False

    def columns(self, source: str) -> tuple[Column, ...]:
        """Return the columns of a source, () if they weren't read; `unread` says why."""
        return self._columns.get(source, ())

    def notes(self, source: str) -> tuple[str, ...]:
        """Return which columns of a source are read as text and why, in sentences."""
        return self._notes.get(source, ())

    def change(self, source: str) -> str:
        """Return how the columns would be if they were read once more, "" if that changes nothing.

        It is known of sources that have notes: what these ask for may have been done meanwhile.
        """
        return self._changes.get(source, "")

    async def read_columns(self, source: str, *, again: bool = False) -> None:
        """Read the columns of a source, unless they are known."""
        if not source or (source in self._columns and not again):
            return
        try:
            self._columns[source] = tuple((await self._rules.columns([source]))[source])
            notes = self._notes[source] = await self._rules.notes(source)
            self._changes[source] = await self._change_of(source) if notes else ""
            self.unread.pop(source, None)
        except (SourceError, QueryError, UnusableInput) as problem:
            self.unread[source] = Unread(str(problem), await self._change_of(source))

    async def _change_of(self, source: str) -> str:
        try:
            change = await self._rules.shape_change(source)
        except (SourceError, QueryError):
            return ""  # it can't be read at all
        return change.words if change else ""

    def look(self, rule: Rule, *, again: bool = False) -> None:
        """Look at the data for a rule, unless that is what was looked at last."""
        if rule.fingerprint == self._asked and not again:
            return
        self._asked = rule.fingerprint
        self.stop()
        if not rule.sql.strip():
            self.mistake, self.trouble, self.problems = None, "", {}
            self.seen, self.past = None, None
            return
        self.is_previewing = True
        self._is_seen.clear()
        self._looking = in_background(self._look(rule), "the preview of a rule")

    def stop(self) -> None:
        """Stop looking."""
        if self._looking:
            self._looking.cancel()
        self._looking = None
        self.is_previewing = self.is_looking_back = False
        self._is_seen.set()

    async def seen_now(self) -> Seen | None:
        """Wait for the preview that is being made, and return the last good one."""
        await self._is_seen.wait()
        return self.seen

    def is_about(self, rule: Rule) -> bool:
        """Whether the last good preview is of this very rule, and nothing went wrong since."""
        if self.mistake or self.trouble or self.problems or self.seen is None:
            return False
        return self.seen.rule.fingerprint == rule.fingerprint

    async def _look(self, rule: Rule) -> None:
        # Without a key there would be no preview, and so no columns to choose a key from.
        complete = replace(rule, key=rule.key or WHOLE_ROW)
        mistake: QueryError | None = None
        trouble = ""
        problems: Mapping[str, str] = {}
        is_seen = False
        try:
            preview = await self._rules.preview(complete)
        except QueryError as problem:
            mistake = problem
        except UnusableInput as problem:
            problems = {problem.field: str(problem)}
        except SourceError as problem:
            trouble = str(problem)
        except Exception as error:  # noqa: BLE001 - said where the rows would be
            trouble = failure_sentence(error)
        else:
            problems, is_seen = preview.problems, True
            self.seen = Seen(rule, preview, datetime.now(UTC))
        self.mistake, self.trouble, self.problems = mistake, trouble, problems
        self.is_previewing = False
        self._is_seen.set()
        if not is_seen:
            await self._changed()
            return
        self.past, self.is_looking_back = None, True
        await self._changed()
        self.past = await self._look_back(complete)
        self.is_looking_back = False
        await self._changed()

    async def _look_back(self, rule: Rule) -> PastAlerts:
        try:
            return await self._rules.past_alerts(rule)
        except (QueryError, SourceError, UnusableInput) as problem:
            return PastAlerts(problem=str(problem))
        except Exception as error:  # noqa: BLE001 - said in the place of the chart
            return PastAlerts(problem=failure_sentence(error))
