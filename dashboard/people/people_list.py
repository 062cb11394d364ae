"""The list of people on one visitor's page: which are asked for, shown and chosen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from htmltools import TagChild, tags
from shiny import Inputs, Session, reactive, render
from shiny.types import SilentCancelOutputException

from alerts import Desk
from dashboard.background import show
from dashboard.inputs import MOST_SEARCH_CHARACTERS, visitors_zone, whole_number
from dashboard.people import rows
from dashboard.people.rows import GLANCES
from dashboard.people.sheets import ToBrowser
from dashboard.visit_tasks import VisitTasks
from people.checking import SEPARATORS
from people.contacts import Contacts
from people.directory import Directory
from people.exporting import write_csv
from people.listing import Counts, Listing, Page, PeopleFilter, Person

PAGE_SIZE = 25
# How often the list is read again, for alerts under way and changes by others.
LOOK_SECONDS = 5.0
# The chosen people go into an address, and onto the Send page.
MOST_CHOSEN = 500


class PeopleList:
    """The list, read again every few seconds while it is in sight.

    Each method `on_…` runs when the button of that name is pressed.
    """

    def __init__(
        self, input: Inputs, session: Session, desk: Desk, tasks: VisitTasks, browser: ToBrowser
    ) -> None:
        self._input = input
        self._session = session
        self._desk = desk
        self._browser = browser
        self._wanted: reactive.Value[PeopleFilter] = reactive.Value(PeopleFilter())
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
        looking = tasks.keep_looking(
            self._look,
            self._show_problem,
            in_sight=self._in_sight,
            again=self._again,
            seconds=LOOK_SECONDS,
        )
        tasks.begin(looking)
        self._render()

    @property
    def wanted(self) -> PeopleFilter:
        """Which people are listed."""
        return self._now(self._wanted)  # type: ignore[no-any-return]

    @property
    def chosen(self) -> dict[str, str]:
        """The names of the chosen people, by id."""
        return dict(self._now(self._chosen))

    def be_in_sight(self, is_in_sight: bool) -> None:
        """Begin to read the list again and again, or stop."""
        if is_in_sight:
            self._in_sight.set()
            self._again.set()
        else:
            self._in_sight.clear()

    def read_again(self) -> None:
        """Read the list at once, because something in it has changed."""
        self._again.set()

    async def want(self, wanted: PeopleFilter) -> None:
        """List other people, from the first page on."""
        self._first = 0
        await show({self._wanted: wanted})
        self._again.set()

    async def choose(self, chosen: dict[str, str], *, draw: bool) -> None:
        """Choose these people; with `draw`, the browser hasn't marked them in the list yet."""
        if len(chosen) > MOST_CHOSEN:
            await self._browser.say(
                f"{MOST_CHOSEN} people can be chosen at once. Use a group for more."
            )
            chosen = dict([*chosen.items()][:MOST_CHOSEN])
            draw = True
        await show({self._chosen: chosen, self._drawn: self._now(self._drawn) + int(draw)})

    async def _look(self) -> None:
        with reactive.isolate():
            wanted = self._wanted()
        database = await self._desk.database()
        listing = Listing(database, self._desk.services.twilio.account_sid, self._desk.actor)
        first = self._first
        page = await listing.page(wanted, first, PAGE_SIZE)
        counts = await listing.counts()
        # Unless the visitor has turned the page in the meantime.
        if self._first == first:
            self._first = page.first
        await show({self._problem: "", self._page: page, self._counts: counts})

    async def _show_problem(self, sentence: str) -> None:
        await show({self._problem: sentence})

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
                # The page keeps saying that it looks for them.
                raise SilentCancelOutputException
            if not page.total and wanted == PeopleFilter():
                return rows.nobody_yet()
            zone = visitors_zone(self._input, self._desk.services.time_zone)
            return rows.list_tag(page, wanted, self.chosen, zone)

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
            found = await listing.export(PeopleFilter())
            yield await asyncio.to_thread(write_csv, found)

    # --- Finding and choosing ---

    async def on_search(self, _: str, value: str, __: dict[str, Any]) -> None:
        """List people who have this text in their name, number or groups."""
        await self.want(replace(self.wanted, search=value[:MOST_SEARCH_CHARACTERS]))

    async def on_group(self, _: str, value: str, __: dict[str, Any]) -> None:
        """List a group."""
        await self.want(PeopleFilter(self.wanted.search, group=value))

    async def on_glance(self, _: str, value: str, __: dict[str, Any]) -> None:
        """List the people whom their last alert reached, or didn't."""
        if value in GLANCES:
            await self.want(PeopleFilter(self.wanted.search, glance=value))  # type: ignore[arg-type]

    async def on_everybody(self, *_: object) -> None:
        """List everybody."""
        await self._browser.send("search", value="")
        await self.want(PeopleFilter())

    async def on_page(self, _: str, value: str, __: dict[str, Any]) -> None:
        """Show the page of the list that begins with this row."""
        first = whole_number(value)
        if first is not None:
            self._first = first
            self._again.set()

    async def on_choose(self, record: str, value: str, _: dict[str, Any]) -> None:
        """Choose a person, or undo that."""
        chosen = self.chosen
        names = {each.contact.id: each.contact.name for each in self._shown_people()}
        chosen.pop(record, None)
        if value == "on" and record in names:
            chosen[record] = names[record]
        await self.choose(chosen, draw=False)

    async def on_choose_page(self, _: str, value: str, __: dict[str, Any]) -> None:
        """Choose everybody on this page of the list, or undo that."""
        chosen = self.chosen
        for each in self._shown_people():
            chosen.pop(each.contact.id, None)
            if value == "on":
                chosen[each.contact.id] = each.contact.name
        await self.choose(chosen, draw=True)

    async def on_choose_none(self, *_: object) -> None:
        """Clear the choice."""
        await self.choose({}, draw=True)

    def _shown_people(self) -> tuple[Person, ...]:
        page = self._now(self._page)
        return page.people if page else ()

    async def on_write(self, *_: object) -> None:
        """Open the Send page with the chosen people in it, by name where that is enough."""
        database = await self._desk.database()
        contacts = Contacts(database, self._desk.services.regions, self._desk.actor)
        found = await contacts.get([*self.chosen])
        means = await Directory(database, self._desk.actor).find([each.name for each in found])
        written = [
            each.name
            if [match.id for match in means[each.name].contacts] == [each.id]
            and not any(separator in each.name for separator in SEPARATORS)
            else each.numbers[0]
            for each in found
        ]
        await self._session.send_custom_message("callboard-open-send", {"to": ", ".join(written)})
