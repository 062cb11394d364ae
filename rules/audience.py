"""Whom the cases of a rule are for: read from a column of the row, or named by the rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from alerts.alert import Channel
from alerts.message.compose import MOST_FURTHER_NUMBERS
from alerts.phone_numbers import Regions, shortened
from people.directory import Directory
from people.recipients import Recipient, Unclear, read_recipients
from rules.keys import Case
from rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Address:
    """The recipients of one case, and sentences that say who can't be told, and why."""

    recipients: tuple[Recipient, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom each case of a rule is for, by the hash of its key, and who the rule's owner is.

    `then_to` are the numbers that are tried after each recipient's own, and `then_to_problem` says
    which of those people can't be reached.
    """

    of: Mapping[str, Address] = field(default_factory=dict)
    owner: tuple[Recipient, ...] = ()
    owner_problem: str = ""
    then_to: tuple[str, ...] = ()
    then_to_problem: str = ""


async def read_audience(
    rule: Rule, cases: Iterable[Case], regions: Regions, directory: Directory
) -> Audience:
    """Look up whom the cases are for. Recipients that can't be read are a problem of their case."""
    reader = _Reader(rule.channel, regions, directory)
    named = await reader.read(rule.to) if not rule.to_column else Address()
    found: dict[str, Address] = {}
    for case in cases:
        if case.problem:
            found[case.key_hash] = Address(problems=(case.problem,))
        elif rule.to_column:
            addresses = [await reader.in_cell(rule.to_column, each) for each in case.to]
            found[case.key_hash] = _united(addresses)
        else:
            found[case.key_hash] = named
    owner = await reader.read(rule.owner) if rule.owner.strip() else Address()
    further = _united([await reader.read(typed) for typed in rule.then_to])
    numbers = dict.fromkeys(
        number for each in further.recipients for number in (each.to, *each.then_to)
    )
    return Audience(
        found,
        owner.recipients,
        " ".join(owner.problems),
        tuple(numbers)[:MOST_FURTHER_NUMBERS],
        " ".join(further.problems),
    )


async def read_owners(
    rules: Iterable[Rule], regions: Regions, directory: Directory
) -> dict[str, Address]:
    """Look up who hears of trouble with each rule, by the rule's id."""
    readers: dict[Channel, _Reader] = {}
    found: dict[str, Address] = {}
    for rule in rules:
        reader = readers.setdefault(rule.channel, _Reader(rule.channel, regions, directory))
        found[rule.id] = await reader.read(rule.owner) if rule.owner.strip() else Address()
    return found


class _Reader:
    """Reads texts with numbers and names, each text once."""

    def __init__(self, channel: Channel, regions: Regions, directory: Directory) -> None:
        self._channel = channel
        self._regions = regions
        self._directory = directory
        self._known: dict[str, Address] = {}

    async def in_cell(self, column: str, text: str) -> Address:
        if not text:
            return Address(problems=(f"{column} is empty in its row.",))
        return await self.read(text)

    async def read(self, text: str) -> Address:
        if text not in self._known:
            found = await read_recipients(text, self._channel, self._regions, self._directory)
            self._known[text] = Address(
                tuple(each for each in found if isinstance(each, Recipient)),
                tuple(_sentence(each) for each in found if isinstance(each, Unclear)),
            )
        return self._known[text]


def _sentence(unclear: Unclear) -> str:
    typed = shortened(unclear.typed)
    return unclear.problem if typed in unclear.problem else f"{typed}: {unclear.problem}"


def _united(addresses: Iterable[Address]) -> Address:
    """Combine the recipients of several rows, each number once."""
    recipients: dict[str, Recipient] = {}
    problems: dict[str, None] = {}
    for each in addresses:
        for recipient in each.recipients:
            recipients.setdefault(recipient.to, recipient)
        problems |= dict.fromkeys(each.problems)
    return Address(tuple(recipients.values()), tuple(problems))
