"""Importing people from a file: what each row would become, what needs a look, and saving it all.

A row whose number is known already is that person, if the name is the same; the file then adds to
what is known. If the name is different, a person has to look at it, because it may be a mistake.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from access.actor import Actor, Permission
from access.audit import write_entries
from access.audit_entry import Action, AuditEntry, Kind
from alerts import UnusableInput
from alerts.phone_numbers import Regions, international, read_number
from database.database import Database
from database.tables import in_parts
from database.transactions import allow_long_transaction
from people.checking import MOST_NUMBERS, NUMBER_FIELDS, check_contact
from people.columns import check_mapping
from people.contact import Contact
from people.contacts import clock_zone, new_groups, write_contacts, written
from people.directory import read_contacts
from people.names import name_key, number_of_people
from people.sheet import FEWEST_DIGITS, Row, Sheet, digits_of
from people.tables import contact_numbers

# Separates several numbers in one cell, if it isn't one number with an extension. White space isn't
# part of it, because looking for it takes the square of a cell's length.
BETWEEN_NUMBERS = re.compile(r":::|[\n;|/,]")
BETWEEN_GROUPS = re.compile(r":::|[\n;|,]")
# A phone number that a spreadsheet wrote as a decimal number.
DECIMAL = re.compile(r"(\d{7,15})\.0+")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person has decided about a file.

    `mapping` has a key of TARGETS for each column. Numbers without a country code are read in
    `region`. Everybody is also put into the `groups`. `fixes` are values by row and field (as in
    `check_contact`). Rows in `merged` are merged into the people who have their numbers, whatever
    the names.
    """

    mapping: tuple[str, ...]
    region: str
    groups: tuple[str, ...] = ()
    fixes: Mapping[tuple[int, str], str] = field(default_factory=dict)
    merged: frozenset[int] = frozenset()
    left_out: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that needs a look: the `value` of one `field`, and the sentence about it.

    With `owner`, the number is that person's, and the row can be merged into them.
    """

    row: int
    name: str
    field: str
    value: str
    sentence: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import does: the people as they will be, and the rows that need a look first.

    `unchanged` counts people who are known already just as they are in the file, `without_number`
    rows without a number. Rows in `problems` and `left_out` aren't imported.
    """

    added: tuple[Contact, ...] = ()
    changed: tuple[Contact, ...] = ()
    unchanged: int = 0
    without_number: int = 0
    left_out: int = 0
    more_numbers: int = 0
    problems: tuple[RowProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row as a contact, with what is wrong with its fields."""

    row: int
    contact: Contact
    problems: Mapping[str, UnusableInput]
    has_more_numbers: bool


class Importer:
    """Imports the people in one file. Use it from one event loop; the work is done in threads.

    Methods raise `NotAllowed` where the actor lacks WRITE.
    """

    def __init__(
        self, database: Database, regions: Regions, sheet: Sheet, actor: Actor | None = None
    ) -> None:
        """Without an `actor` it acts for the user that runs this process."""
        self.sheet = sheet
        self._actor = actor or Actor.of_process()
        self._database = database
        self._regions = regions
        # A cache, because reading a number takes a fifth of a millisecond, and every fix makes a
        # new plan.
        self._checked: dict[tuple[Contact, str], tuple[Contact, Mapping[str, UnusableInput]]] = {}

    async def plan(self, choices: Choices) -> Plan:
        """Return what would be imported. Raises `UnusableInput` where `run` would."""
        self._actor.require(Permission.WRITE, "import people", Kind.PEOPLE)
        candidates = await self._candidates(choices)

        def read(connection: sa.Connection) -> dict[str, Contact]:
            new_groups(connection, choices.groups)
            return _owners(connection, candidates)

        owners = await self._database.read(read)
        return await asyncio.to_thread(make_plan, candidates, owners, choices)

    async def run(self, choices: Choices) -> Plan:
        """Import all that needs no look, in one transaction; returns what was done.

        Raises `UnusableInput` for an unusable mapping, or for one of the groups in `choices` that
        doesn't exist yet and can't have its name; then nothing is changed.
        """
        self._actor.require(Permission.WRITE, "import people", Kind.PEOPLE)
        candidates = await self._candidates(choices)
        owners = await self._database.read(lambda connection: _owners(connection, candidates))
        planned = await asyncio.to_thread(make_plan, candidates, owners, choices)
        done = AuditEntry.by(self._actor, Action.IMPORTED, Kind.PEOPLE)

        def write(connection: sa.Connection) -> Plan:
            # Planning and writing 50,000 people may take longer than other transactions may last.
            allow_long_transaction(connection)
            # Plan again inside the transaction, because these people may have been changed
            # meanwhile.
            found = _owners(connection, candidates)
            plan = planned if found == owners else make_plan(candidates, found, choices)
            write_contacts(connection, [*plan.added, *plan.changed], time.time())
            imported = len(plan.added) + len(plan.changed)
            counts = {"added": len(plan.added), "changed": len(plan.changed)}
            entry = replace(done, about=number_of_people(imported), details=counts)
            write_entries(connection, [entry] if imported else [])
            return plan

        return await written(self._database, write)

    async def _candidates(self, choices: Choices) -> list[Candidate]:
        check_mapping(choices.mapping)
        return await asyncio.to_thread(lambda: list(self._read(choices)))

    def _read(self, choices: Choices) -> Iterator[Candidate]:
        regions = replace(self._regions, default=choices.region)
        for row in self.sheet.rows:
            typed = _typed(row, choices, regions)
            known = self._checked.get((typed, choices.region))
            if known is None:
                first = replace(typed, numbers=typed.numbers[:MOST_NUMBERS])
                known = self._checked[typed, choices.region] = check_contact(first, regions)
                if not known[1]:
                    clock_zone(known[0])  # so that writing needn't wait for it
            yield Candidate(row.number, *known, len(typed.numbers) > MOST_NUMBERS)


def make_plan(
    candidates: Sequence[Candidate], owners: Mapping[str, Contact], choices: Choices
) -> Plan:
    """Return the plan for these rows; `owners` are the people who have their numbers already."""
    # The people as they will be, and who has which number.
    people: list[Contact] = []
    place_of: dict[str, int] = {}
    before: dict[int, Contact] = {}
    joined: set[int] = set()
    problems: list[RowProblem] = []
    without_number = left_out = more_numbers = 0

    def place(number: str) -> int | None:
        owner = owners.get(number)
        if number not in place_of and owner is not None:
            before[len(people)] = owner
            put(len(people), owner)
        return place_of.get(number)

    def put(at: int, contact: Contact) -> None:
        people[at : at + 1] = [contact]
        place_of.update(dict.fromkeys(contact.numbers, at))

    for each in candidates:
        if each.row in choices.left_out:
            left_out += 1
            continue
        if not each.contact.numbers:
            without_number += 1
            continue
        places = {
            number: at for number in each.contact.numbers if (at := place(number)) is not None
        }
        same = {*places.values()}
        problem = _problem(each, people, places, merged=each.row in choices.merged)
        if problem is not None:
            problems.append(problem)
            continue
        more_numbers += each.has_more_numbers
        if same:
            [at] = same
            joined.add(at)
            put(at, _joined(people[at], each.contact))
        else:
            put(len(people), replace(each.contact, id=secrets.token_hex(8)))
    known = [at for at in before if at in joined]
    changed = [people[at] for at in known if people[at] != before[at]]
    return Plan(
        added=tuple(each for at, each in enumerate(people) if at not in before),
        changed=tuple(changed),
        unchanged=len(known) - len(changed),
        without_number=without_number,
        left_out=left_out,
        more_numbers=more_numbers,
        problems=tuple(problems),
    )


def _problem(
    each: Candidate, people: Sequence[Contact], places: Mapping[str, int], *, merged: bool
) -> RowProblem | None:
    """Return the first thing in a row that needs a look, if any."""
    contact, problems = each.contact, dict(each.problems)
    same = {*places.values()}
    if not contact.name.strip() and same:
        del problems["name"]  # the person is known by the number
    for name, problem in problems.items():
        return RowProblem(each.row, contact.name, name, _value(contact, name), str(problem))
    owned = [number for number in contact.numbers if number in places]
    at_number = NUMBER_FIELDS[contact.numbers.index(owned[-1])] if owned else ""
    shown = international(owned[-1]) if owned else ""
    names = " and ".join(people[at].name for at in sorted(same))
    if len(same) > 1:
        sentence = f"The numbers are those of {names}. Leave out one."
        return RowProblem(each.row, contact.name, at_number, shown, sentence)
    for at in same:
        is_same = name_key(contact.name) in {"", name_key(people[at].name)}
        if not (is_same or merged):
            sentence = f"Is the number of {names}."
            return RowProblem(each.row, contact.name, at_number, shown, sentence, names)
        if len({*people[at].numbers, *contact.numbers}) > MOST_NUMBERS:
            new = next(n for n in contact.numbers if n not in people[at].numbers)
            return RowProblem(
                each.row,
                contact.name or names,
                NUMBER_FIELDS[contact.numbers.index(new)],
                international(new),
                f"{names} has {len(people[at].numbers)} other numbers; {MOST_NUMBERS} are kept.",
            )
    return None


def _joined(known: Contact, row: Contact) -> Contact:
    """Return a known contact with a row's values added; where both have one, the row's counts."""
    groups = {name_key(name): name for name in (*row.groups, *known.groups)}
    return replace(
        known,
        numbers=tuple(dict.fromkeys((*known.numbers, *row.numbers))),
        language=row.language or known.language,
        time_zone=row.time_zone or known.time_zone,
        notes=row.notes or known.notes,
        groups=tuple(groups[key] for key in sorted(groups)),
    )


def _value(contact: Contact, name: str) -> str:
    """Return the contact's value of a field of `check_contact`."""
    if name in NUMBER_FIELDS:
        return next(iter(contact.numbers[NUMBER_FIELDS.index(name) :]), "")
    value = getattr(contact, name)
    return "; ".join(value) if isinstance(value, tuple) else str(value)


def _typed(row: Row, choices: Choices, regions: Regions) -> Contact:
    """Return a row as a contact with unchecked values, after the fixes."""
    cells: dict[str, list[str]] = {}
    for cell, target in zip(row.cells, choices.mapping, strict=True):
        if cell:
            cells.setdefault(target, []).append(cell)

    def value(name: str, otherwise: str) -> str:
        return choices.fixes.get((row.number, name), otherwise)

    parts = [" ".join(cells.get(target, ())) for target in ("name", "first_name", "last_name")]
    numbers = [number for cell in cells.get("number", ()) for number in _numbers(cell, regions)]
    for at, name in enumerate(NUMBER_FIELDS):
        if (row.number, name) in choices.fixes:
            numbers[at : at + 1] = [choices.fixes[row.number, name]]
    groups = [name for cell in cells.get("group", ()) for name in _split(BETWEEN_GROUPS, cell)]
    if (row.number, "groups") in choices.fixes:
        groups = _split(BETWEEN_GROUPS, choices.fixes[row.number, "groups"])
    return Contact(
        id="",
        name=value("name", parts[0] or " ".join(filter(None, parts[1:]))),
        numbers=tuple(dict.fromkeys(filter(None, map(str.strip, numbers)))),
        language=value("language", " ".join(cells.get("language", ()))),
        time_zone=value("time_zone", " ".join(cells.get("time_zone", ()))),
        notes=value("notes", "\n".join(cells.get("notes", ()))),
        # Google Contacts marks its own groups with an asterisk.
        groups=(*(name.removeprefix("* ") for name in groups), *choices.groups),
    )


def _numbers(cell: str, regions: Regions) -> list[str]:
    """Return the numbers in a cell, each as it is written."""
    whole = DECIMAL.fullmatch(cell)
    if whole:
        return [whole[1]]
    parts = [part for part in _split(BETWEEN_NUMBERS, cell) if part]
    if len(parts) < 2 or any(len(digits_of(part)) < FEWEST_DIGITS for part in parts):
        return [cell]
    try:
        read_number(cell, regions)
    except UnusableInput:
        return parts
    return [cell]


def _split(between: re.Pattern[str], text: str) -> list[str]:
    return [part.strip() for part in between.split(text)]


def _owners(connection: sa.Connection, candidates: Sequence[Candidate]) -> dict[str, Contact]:
    """Return who has the candidates' numbers already, by number."""
    numbers = list({number for each in candidates for number in each.contact.numbers})
    ids: dict[str, str] = {}
    for some in in_parts(numbers):
        found = sa.select(contact_numbers.c.number, contact_numbers.c.contact_id).where(
            contact_numbers.c.number.in_(some)
        )
        ids |= {row.number: row.contact_id for row in connection.execute(found)}
    known = {each.id: each for each in read_contacts(connection, list({*ids.values()}))}
    return {number: known[contact_id] for number, contact_id in ids.items()}
