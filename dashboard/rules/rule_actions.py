"""What else can be done with a saved rule: its versions, mutes, a check now, export, removal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Protocol

from htmltools import Tag, TagChild, TagList

from alerts import UnusableInput
from alerts.phone_numbers import international
from dashboard.background import failure_sentence
from dashboard.rules import sheets
from dashboard.rules.mute_sheet import mute_sheet, read_mute
from dashboard.rules.overview import link
from dashboard.rules.parts import wrong
from rules.desk import RuleDesk
from rules.rule import Rule

SECONDS_BETWEEN_READINGS = 3.0


class Page(Protocol):
    """The page around an editor, on which it shows things."""

    async def show(self, name: str, content: TagChild) -> None:
        """Bring a part of the page up to date."""

    async def sheet(self, content: Tag) -> None:
        """Open a sheet."""

    async def say(self, sentence: str) -> None:
        """Say a sentence at the top of the page."""

    async def tell(self, part: str, **content: object) -> None:
        """Send the page's script something to do."""

    async def reopen(self) -> None:
        """Make the editor again with what it holds."""

    def refresh(self) -> None:
        """Make the list of rules be read again."""


class RuleActions:
    """What an editor shows of a saved rule beside its form, and what can be done with it.

    `rule` returns the rule as it is in the editor, `reload` reads its state again, and `bring_back`
    puts another version into the form.
    """

    def __init__(
        self,
        rules: RuleDesk,
        page: Page,
        rule: Callable[[], Rule],
        reload: Callable[[], Awaitable[None]],
        bring_back: Callable[[Rule], Awaitable[None]],
        *,
        zone: str,
    ) -> None:
        self._rules = rules
        self._page = page
        self._rule = rule
        self._reload = reload
        self._bring_back = bring_back
        self._zone = zone
        self._regions = rules.desk.services.regions
        # The key of the row that the mute sheet is about, and its words for people; "" for all
        # rows.
        self._key, self._key_words = "", ""

    async def keep_showing(self) -> None:
        """Keep showing the state of the rule and what was bad lately."""
        while True:
            await self.show()
            with suppress(Exception):  # reported by `show`
                await self._reload()
            await asyncio.sleep(SECONDS_BETWEEN_READINGS)

    async def show(self) -> None:
        """Show the rule's actions, and what was bad lately."""
        rule = self._rule()
        if not rule.id:
            return
        try:
            mutes = await self._rules.mutes(rule.id)
            found = await self._rules.episodes(rule.id)
        except Exception as error:  # noqa: BLE001 - said where they would be
            await self._page.show("episodes", wrong(failure_sentence(error)))
            return
        await self._page.show("tools", sheets.tools(rule, len(mutes)) or TagList())
        episodes = sheets.episodes_tag(rule, found, self._zone)
        await self._page.show("episodes", episodes or TagList())

    async def on_check_now(self, *_: object) -> None:
        """Check the rule at once, without waiting until it is due."""
        report = await self._rules.check_now(self._rule().id)
        await self._page.say(sheets.report_words(report))
        await self.show()

    async def on_versions(self, *_: object) -> None:
        """Show who changed what."""
        versions = await self._rules.versions(self._rule().id)
        await self._page.sheet(sheets.versions_sheet(versions, self._zone))

    async def on_bring_back(self, record: str, *_: object) -> None:
        """Put an earlier version into the form."""
        for version in await self._rules.versions(self._rule().id):
            if str(version.revision) == record:
                await self._page.tell("close")
                await self._bring_back(version)

    async def on_mute_sheet(self, *_: object) -> None:
        """Show the sheet with the rule's mutes, and the form for a new one."""
        self._key, self._key_words = "", ""
        await self._show_mutes()

    async def on_mute_key(self, record: str, value: str, _: Mapping[str, object]) -> None:
        """Show the same sheet for one row."""
        self._key, self._key_words = record, value
        await self._show_mutes()

    async def on_mute(self, _: str, __: str, fields: Mapping[str, object]) -> None:
        """Mute the rule, or one of its rows, for as long as the sheet says."""
        rule = self._rule()
        try:
            asked = read_mute(fields, self._regions)
            await self._rules.mute(
                rule.id,
                key=self._key or None,
                recipient=asked.recipient or None,
                until=asked.until,
                weekly=asked.weekly,
            )
        except UnusableInput as problem:
            await self._show_mutes(problem, fields)
            return
        await self._page.tell("close")
        whom = f"{international(asked.recipient)} isn't" if asked.recipient else "No one is"
        what = self._key_words or rule.name
        await self._page.say(f"{whom} told of {what} while it is muted.")
        await self.show()

    async def on_unmute(self, record: str, *_: object) -> None:
        """End a mute."""
        await self._rules.unmute(record)
        await self._show_mutes()
        await self.show()

    async def _show_mutes(
        self, problem: UnusableInput | None = None, fields: Mapping[str, object] | None = None
    ) -> None:
        rule = self._rule()
        mutes = await self._rules.mutes(rule.id)
        name = f"{rule.name}, {self._key_words}" if self._key else rule.name
        sheet = mute_sheet(name, mutes, self._zone, problem=problem, fields=fields or {})
        await self._page.sheet(sheet)

    async def on_export(self, *_: object) -> None:
        """Hand the rule over as TOML, for a folder under version control."""
        rule = self._rule()
        name = "".join(each if each.isalnum() else "-" for each in rule.name.lower())
        await self._page.tell(
            "download", name=f"{name}.toml", value=await self._rules.export([rule])
        )

    async def on_remove(self, *_: object) -> None:
        """Ask whether the rule is to be removed."""
        await self._page.sheet(sheets.removal_sheet(self._rule()))

    async def on_really_remove(self, *_: object) -> None:
        """Remove the rule and go back to the list."""
        rule = self._rule()
        await self._rules.delete(rule.id)
        await self._page.tell("close")
        await self._page.say(f"{rule.name} is removed.")
        self._page.refresh()
        await self._page.tell("go", value=link())
