"""Whom an alert is for: numbers, names and groups, read the way people type them.

"Ben, Clara, 412-555-0147" or one per line. Each part becomes recipients, or a sentence that says
why not.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from alerts.alert import AlertRequest, Channel
from alerts.errors import UnusableInput
from alerts.message.compose import MOST_FURTHER_NUMBERS, refuse_extension
from alerts.phone_numbers import (
    PhoneNumber,
    Regions,
    international,
    read_number,
    shortened,
)
from people.contact import Contact, Match

if TYPE_CHECKING:
    from people.directory import Directory

# Line breaks, commas and semicolons, except those before the keys of an extension. At most four of
# them may come before the keys, because with any number the search would take quadratic time.
SEPARATOR = re.compile(r"\n|[,;](?![,;]{0,4}(?:ext=)?[0-9*]{1,6}#?[^\S\n]*(?:[\n,;]|$))")
# With fewer digits it is more likely a name, such as "Line 2".
FEWEST_DIGITS = 5
MOST_NAMED = 3  # people in one sentence
MOST_PARTS = 1_000
TOO_MANY = f"Name {MOST_PARTS:,} people at most here. Put more of them into a group under People."


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person who will be called or texted.

    `to` and `then_to` are as in `PhoneNumber.dialed`; those in `then_to` are the person's further
    numbers. `name` is "" for a number that isn't any contact's. `part` is the index in `parts_of`
    of what was typed, or the number of a file's row. `warning` says why Twilio may refuse the
    number, or is "". `variables` are the message's own for this recipient, with their values.
    """

    part: int
    to: str
    name: str = ""
    then_to: tuple[str, ...] = ()
    time_zone: str = ""
    warning: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name, or the number if there is none."""
        return self.name or international(self.to)

    def addressed(self, request: AlertRequest) -> AlertRequest:
        """Return the request to this recipient; the person's own numbers come before others."""
        others = [each for each in request.then_to if each not in {self.to, *self.then_to}]
        then_to = (*self.then_to, *others)[:MOST_FURTHER_NUMBERS]
        variables = {**request.variables, **self.variables}
        return replace(request, to=self.to, name=self.name, then_to=then_to, variables=variables)


@dataclass(frozen=True, slots=True)
class Unclear:
    """A part that isn't a recipient: what was typed, and a sentence that says why."""

    part: int
    typed: str
    problem: str
    # What may have been meant instead, to choose from.
    choices: tuple[str, ...] = ()


def parts_of(text: str) -> tuple[str, ...]:
    """Split a text at line breaks, commas and semicolons.

    A comma or semicolon right before a few keys is part of a number: an extension.
    """
    return tuple(each.strip() for each in SEPARATOR.split(text) if each.strip())


def without(text: str, recipient: Recipient | Unclear, others: Sequence[Recipient]) -> str:
    """Return the text with one recipient left out; `others` are those that stay.

    If it is a member of a group, the other members are written by name.
    """
    parts = list(parts_of(text))
    rest = [each.label for each in others if each.part == recipient.part]
    parts[recipient.part : recipient.part + 1] = rest
    return ", ".join(parts)


def names_in(text: str, regions: Regions) -> list[str]:
    """Return the parts that may be names, to look up."""
    parts = parts_of(text)
    return [
        part
        for part in parts[:MOST_PARTS]
        if any(map(str.isalpha, part))
        and not _is_address(part)
        and isinstance(_number(part, regions), str)
    ]


def only_numbers(text: str, channel: Channel, regions: Regions) -> list[Recipient | Unclear]:
    """Read a text without a database, so that every name counts as unknown."""
    return _Reader(channel, regions, {}, {}).read(text)


async def read_recipients(
    text: str, channel: Channel, regions: Regions, directory: Directory
) -> list[Recipient | Unclear]:
    """Read a text with numbers, names and groups; no one is returned twice."""
    # In a thread, because reading many numbers takes long.
    names = await asyncio.to_thread(names_in, text, regions)
    matches = await directory.find(list(dict.fromkeys(names)))
    numbers = [_number(part, regions) for part in parts_of(text)[:MOST_PARTS]]
    owners = await directory.of_numbers(
        [each.dialed for each in numbers if isinstance(each, PhoneNumber)]
    )
    return await asyncio.to_thread(_Reader(channel, regions, matches, owners).read, text)


def check_recipients(found: Sequence[Recipient | Unclear]) -> list[Recipient]:
    """Return the recipients. Raises `UnusableInput` if there are none, or if a part is unclear."""
    for each in found:
        if isinstance(each, Unclear):
            alone = len(found) == 1
            words = each.problem if alone else f"{shortened(each.typed)}: {each.problem}"
            raise UnusableInput("phone_number", words)
    if not found:
        raise UnusableInput("phone_number", "Type a phone number.")
    return [each for each in found if isinstance(each, Recipient)]


def _number(part: str, regions: Regions) -> PhoneNumber | str:
    """Read a part as a number, or return a sentence that says why it isn't one."""
    try:
        return read_number(part, regions)
    except UnusableInput as problem:
        return str(problem)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads parts, knowing what the text's names mean and whose its numbers are."""

    channel: Channel
    regions: Regions
    matches: Mapping[str, Match]
    owners: Mapping[str, Contact]

    def read(self, text: str) -> list[Recipient | Unclear]:
        found: dict[str, Recipient | Unclear] = {}
        parts = parts_of(text)
        if len(parts) > MOST_PARTS:
            return [Unclear(0, f"{len(parts):,} people", TOO_MANY)]
        for place, part in enumerate(parts):
            for each in self._read_part(place, part):
                # A person who is there already isn't called twice.
                key = each.to if isinstance(each, Recipient) else f"{each.part} {each.typed}"
                found.setdefault(key, each)
        return list(found.values())

    def _read_part(self, place: int, part: str) -> Iterator[Recipient | Unclear]:
        number = _number(part, self.regions)
        if isinstance(number, str):
            yield from self._named(place, part, number)
            return
        owner = self.owners.get(number.dialed)
        name, time_zone = (owner.name, owner.time_zone) if owner else ("", "")
        try:
            refuse_extension("phone_number", number, self.channel)
        except UnusableInput as problem:
            yield Unclear(place, part, str(problem))
        else:
            yield Recipient(place, number.dialed, name, time_zone=time_zone, warning=number.warning)

    def _named(self, place: int, part: str, no_number: str) -> Iterator[Recipient | Unclear]:
        match = self.matches.get(part, Match())
        if match.group and not match.contacts:
            yield Unclear(place, part, f"The group {match.group} is empty.")
        elif match.group or len(match.contacts) == 1:
            for contact in match.contacts:
                yield self._of_contact(place, part, contact)
        elif match.contacts:
            yield _ambiguous(place, part, match.contacts)
        elif _could_be_a_name(part):
            meant = tuple(contact.name for contact in match.similar)
            maybe = f" {meant[0]}?" if meant else ""
            yield Unclear(place, part, f"Nobody called {shortened(part)}.{maybe}", meant)
        else:
            yield Unclear(place, part, no_number)

    def _of_contact(self, place: int, typed: str, contact: Contact) -> Recipient | Unclear:
        """Return the contact as a recipient, with the numbers that can be used."""
        usable: list[PhoneNumber] = []
        problem = f"{contact.name} has no number yet: add one under People."
        for dialed in contact.numbers:
            try:
                number = read_number(dialed, self.regions)
                refuse_extension("phone_number", number, self.channel)
                usable.append(number)
            except UnusableInput as refusal:
                problem = f"{contact.name}, {international(dialed)}: {refusal}"
        if not usable:
            return Unclear(place, typed, problem)
        first, *further = usable
        return Recipient(
            place,
            first.dialed,
            contact.name,
            tuple(each.dialed for each in further),
            contact.time_zone,
            first.warning,
        )


def _could_be_a_name(part: str) -> bool:
    """Whether a part looks like a name rather than a number."""
    digits = sum(each.isdigit() for each in part)
    return digits < FEWEST_DIGITS and any(map(str.isalpha, part)) and not _is_address(part)


def _is_address(part: str) -> bool:
    """Whether it is an address of another network, which `read_number` has words for."""
    return ":" in part or "@" in part


def _ambiguous(place: int, part: str, contacts: Sequence[Contact]) -> Unclear:
    names = tuple(dict.fromkeys(each.name for each in contacts))
    if len(names) > 1:
        shown = ", ".join(names[:MOST_NAMED]) + (" and others" if len(names) > MOST_NAMED else "")
        return Unclear(place, part, f"Which {shortened(part)}: {shown}?", names)
    numbers = tuple(international(each.numbers[0]) for each in contacts if each.numbers)
    shown = " or ".join(numbers[:MOST_NAMED])
    return Unclear(
        place, part, f"{len(contacts)} people are called {names[0]}: type {shown}.", numbers
    )
