"""Changing people and groups from one visitor's page: the forms, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alerts import Desk, UnusableInput
from dashboard.inputs import part
from dashboard.people import sheets
from dashboard.people.people_list import PeopleList
from dashboard.people.sheets import ToBrowser
from people.checking import NUMBER_FIELDS
from people.contact import Contact
from people.contacts import Contacts
from people.groups import Group, Groups
from people.importing import BETWEEN_GROUPS
from people.names import number_of_people


class Changes:
    """What the page's buttons change. Each method `on_…` belongs to the button of that name."""

    def __init__(self, desk: Desk, people: PeopleList, browser: ToBrowser) -> None:
        self._desk = desk
        self._people = people
        self._browser = browser
        self._removing: list[str] = []

    async def done(self, sentence: str) -> None:
        """Close the open sheet, say what was done, and read the list again."""
        await self._browser.close()
        await self._browser.say(sentence)
        self._people.read_again()

    async def _contacts(self) -> Contacts:
        database = await self._desk.database()
        return Contacts(database, self._desk.services.regions, self._desk.actor)

    # --- One person ---

    async def on_add(self, *_: object) -> None:
        """Open the form for a new person."""
        group = self._people.wanted.group
        blank = Contact("", "", (), groups=(group,) if group else ())
        await self._browser.open(sheets.person_sheet(blank, {}, await self._groups()))

    async def on_edit(self, record: str, *_: object) -> None:
        """Open the form of a person."""
        found = await (await self._contacts()).get([record])
        if found:
            await self._browser.open(sheets.person_sheet(found[0], {}, await self._groups()))
        else:
            await self._browser.say("This person was removed in the meantime.")
            self._people.read_again()

    async def on_save(self, record: str, _: str, fields: dict[str, Any]) -> None:
        """Save a person, or say beside each field what is wrong with it."""
        typed = Contact(
            record,
            part(fields, "name"),
            tuple(part(fields, name) for name in NUMBER_FIELDS),
            part(fields, "language"),
            part(fields, "time_zone"),
            part(fields, "notes"),
            tuple(BETWEEN_GROUPS.split(part(fields, "groups"))),
        )
        contacts = await self._contacts()
        problems = await contacts.check(typed)
        if not problems:
            try:
                saved = await contacts.save(typed)
            except UnusableInput as problem:
                problems = {problem.field: problem}
        if problems:
            await self._browser.open(sheets.person_sheet(typed, problems, await self._groups()))
            return
        await self.done(f"{saved.name} is saved.")

    async def on_remove(self, record: str, *_: object) -> None:
        """Ask whether to remove a person."""
        await self._ask_to_remove([record])

    async def on_remove_chosen(self, *_: object) -> None:
        """Ask whether to remove the chosen people."""
        await self._ask_to_remove([*self._people.chosen])

    async def _ask_to_remove(self, ids: list[str]) -> None:
        found = await (await self._contacts()).get(ids)
        self._removing = [each.id for each in found]
        if found:
            await self._browser.open(sheets.removal_sheet(found))

    async def on_really_remove(self, *_: object) -> None:
        """Remove the people that the confirmation was about."""
        removed = await (await self._contacts()).remove(self._removing)
        chosen = self._people.chosen
        await self._people.choose(
            {each: chosen[each] for each in chosen if each not in self._removing}, draw=False
        )
        self._removing = []
        await self.done(f"{number_of_people(removed)} removed.")

    # --- Groups ---

    async def _groups(self) -> list[Group]:
        return await Groups(await self._desk.database(), self._desk.actor).all()

    async def on_new_group(self, *_: object) -> None:
        """Open the form for a new group."""
        await self._browser.open(sheets.group_sheet("", None))

    async def on_edit_group(self, record: str, *_: object) -> None:
        """Open the form of a group."""
        await self._browser.open(sheets.group_sheet(record, None))

    async def on_save_group(self, record: str, _: str, fields: dict[str, Any]) -> None:
        """Save a group under this name."""
        groups, typed = Groups(await self._desk.database(), self._desk.actor), part(fields, "group")
        try:
            name = await (groups.rename(record, typed) if record else groups.add(typed))
        except UnusableInput as problem:
            await self._browser.open(sheets.group_sheet(record, problem, typed))
            return
        if record and self._people.wanted.group == record:
            await self._people.want(replace(self._people.wanted, group=name))
        await self.done(f"The group {name} is saved.")

    async def on_remove_group(self, record: str, *_: object) -> None:
        """Remove a group, and none of its people."""
        await Groups(await self._desk.database(), self._desk.actor).remove(record)
        if self._people.wanted.group == record:
            await self._people.want(replace(self._people.wanted, group=""))
        await self.done(f"The group {record} is removed; its people are still here.")

    async def on_into_group(self, *_: object) -> None:
        """Ask which group to put the chosen people into."""
        count = len(self._people.chosen)
        await self._browser.open(sheets.into_group_sheet(count, await self._groups(), None))

    async def on_save_into_group(self, _: str, __: str, fields: dict[str, Any]) -> None:
        """Put the chosen people into a group."""
        chosen, typed = [*self._people.chosen], part(fields, "group")
        contacts = await self._contacts()
        try:
            added = await contacts.put_into(chosen, typed)
        except UnusableInput as problem:
            groups = await self._groups()
            await self._browser.open(sheets.into_group_sheet(len(chosen), groups, problem, typed))
            return
        await self.done(f"{number_of_people(added)} added to {' '.join(typed.split())}.")

    async def on_out_of_group(self, *_: object) -> None:
        """Take the chosen people out of the group that is listed."""
        group = self._people.wanted.group
        contacts = await self._contacts()
        taken = await contacts.take_out([*self._people.chosen], group)
        await self._people.choose({}, draw=True)
        await self.done(f"{number_of_people(taken)} taken out of {group}.")
