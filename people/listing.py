"""The list of people: searched, filtered and paged at the database, with what is known of each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as clock_time
from typing import Any, Literal

import sqlalchemy as sa

from access.actor import Actor, Permission
from access.audit import write_entries
from access.audit_entry import Action, AuditEntry, Kind
from alerts import Alert, Status, records
from alerts.phone_numbers import split_dialed
from alerts.tables import alerts, texting_states
from alerts.texting_states import TextingState, texting_states_of
from alerts.time_zones import in_time_zone
from alerts.words import is_sqlite
from database.database import Database
from people.contact import Contact
from people.directory import read_contacts
from people.groups import Group, read_groups_and_sizes
from people.names import name_key, number_of_people
from people.tables import contact_groups, contact_numbers, contacts, group_members

Glance = Literal["", "quiet", "stop", "unreached"]

# The hours that the list marks as night, when people shouldn't be called.
QUIET_FROM, QUIET_TILL = clock_time(22), clock_time(7)
DAY_SECONDS = 24 * 60 * 60
LATELY_SECONDS = 7 * DAY_SECONDS
NOT_REACHED = [
    each.value
    for each in Status
    if each.final and not each.reaches() and each is not Status.CANCELED
]
FEWEST_DIGITS_SEARCHED = 3
MOST_SEARCH_CHARACTERS = 100
# How many alerts are read for a number that several people share by extension.
MOST_ALERTS_OF_A_SHARED_NUMBER = 20


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which people to list: by `search`, `group` or the ready-made filter `glance`; "" is any."""

    search: str = ""
    group: str = ""
    glance: Glance = ""


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the list.

    It has the contact, the zone of their clock ("" if it isn't known), the newest alert to any of
    their numbers, and why texts can't go to them.
    """

    contact: Contact
    clock_zone: str = ""
    last: Alert | None = None
    texting: TextingState | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the `total` people found, beginning with number `first` (from 0)."""

    people: tuple[Person, ...]
    first: int
    total: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many people there are, in each group, and for each ready-made filter."""

    everybody: int
    groups: tuple[Group, ...]
    quiet: int
    stop: int
    unreached: int


class Listing:
    """Lists people, with the alerts and texts of one Twilio account. Use it from one event loop.

    Methods raise `NotAllowed` where the actor lacks LOOK.
    """

    def __init__(self, database: Database, account_sid: str, actor: Actor | None = None) -> None:
        """Without an `actor` it acts for the user that runs this process."""
        self._database = database
        self._account_sid = account_sid
        self._actor = actor or Actor.of_process()

    async def page(self, wanted: PeopleFilter, first: int, size: int) -> Page:
        """Return `size` people from number `first` on, by name, or the last page."""
        self._actor.require(Permission.LOOK)
        return await self._database.read(
            lambda connection: self._page(connection, wanted, first, size)
        )

    async def ids(self, wanted: PeopleFilter) -> list[str]:
        """Return the ids of all people found, by name."""
        self._actor.require(Permission.LOOK)

        def look(connection: sa.Connection) -> list[str]:
            found = self._found(connection, wanted)
            return list(connection.scalars(found.order_by(contacts.c.name_key, contacts.c.id)))

        return await self._database.read(look)

    async def export(self, wanted: PeopleFilter) -> list[Contact]:
        """Return all people found, by name, and record the export in the audit trail."""
        self._actor.require(Permission.LOOK)

        def read(connection: sa.Connection) -> list[Contact]:
            found = self._found(connection, wanted)
            ordered = found.order_by(contacts.c.name_key, contacts.c.id)
            return read_contacts(connection, list(connection.scalars(ordered)))

        people = await self._database.read(read)
        done = AuditEntry.by(
            self._actor, Action.EXPORTED, Kind.PEOPLE, number_of_people(len(people))
        )
        await self._database.write(lambda connection: write_entries(connection, [done]))
        return people

    async def counts(self) -> Counts:
        """Count all people, those in each group and for each ready-made filter."""
        self._actor.require(Permission.LOOK)
        return await self._database.read(self._counts)

    def _page(self, connection: sa.Connection, wanted: PeopleFilter, first: int, size: int) -> Page:
        found = self._found(connection, wanted)
        total = _count(connection, found)
        last = max(0, (total - 1) // size * size)
        first = min(max(0, first), last)
        ordered = found.order_by(contacts.c.name_key, contacts.c.id).limit(size).offset(first)
        chosen = read_contacts(connection, connection.scalars(ordered).all())
        return Page(self._people(connection, chosen), first, total)

    def _people(self, connection: sa.Connection, chosen: Sequence[Contact]) -> tuple[Person, ...]:
        ids = [each.id for each in chosen]
        zones = sa.select(contacts.c.id, contacts.c.clock_zone).where(contacts.c.id.in_(ids))
        clock_zones = {row.id: row.clock_zone for row in connection.execute(zones)}
        lasts = self._last_alerts(connection, chosen)
        textings = self._textings(connection, chosen)
        return tuple(
            Person(each, clock_zones.get(each.id, ""), lasts.get(each.id), textings.get(each.id))
            for each in chosen
        )

    def _last_alerts(
        self, connection: sa.Connection, chosen: Sequence[Contact]
    ) -> dict[str, Alert]:
        newest: dict[str, tuple[float, str]] = {}
        for contact in chosen:
            for number in contact.numbers:
                found = self._last_alert_to(connection, number)
                if found:
                    newest[contact.id] = max(newest.get(contact.id, (0.0, "")), found)
        ids = {alert_id for _, alert_id in newest.values()}
        read = records.read(connection, self._account_sid, ids) if ids else {}
        return {
            contact_id: read[alert_id]
            for contact_id, (_, alert_id) in newest.items()
            if alert_id in read
        }

    def _last_alert_to(self, connection: sa.Connection, number: str) -> tuple[float, str] | None:
        e164, extension = split_dialed(number)
        # Colleagues may share a number and differ by extensions, which aren't in a column.
        most = MOST_ALERTS_OF_A_SHARED_NUMBER if extension else 1
        rows = connection.execute(
            LAST_ALERTS, {"to": e164, "account": self._account_sid, "most": most}
        )
        for row in rows:
            if not extension or number in (row.request["to"], *row.request.get("then_to", ())):
                return row.created_at, row.id
        return None

    def _textings(
        self, connection: sa.Connection, chosen: Sequence[Contact]
    ) -> dict[str, TextingState]:
        """Return why texts can't go to people, by id: any number's STOP, or the first's state."""
        plain = {number: split_dialed(number)[0] for each in chosen for number in each.numbers}
        known = texting_states_of(connection, self._account_sid, plain.values())
        found: dict[str, TextingState] = {}
        for each in chosen:
            mine = [known.get(plain[number]) for number in each.numbers]
            stops = [state for state in mine if state and state.state == "stop"]
            state = next(iter(stops or mine), None)
            if state is not None:
                found[each.id] = state
        return found

    def _counts(self, connection: sa.Connection) -> Counts:
        return Counts(
            everybody=_count(connection, self._found(connection, PeopleFilter())),
            groups=tuple(read_groups_and_sizes(connection)),
            quiet=_count(connection, self._found(connection, PeopleFilter(glance="quiet"))),
            stop=_count(connection, self._found(connection, PeopleFilter(glance="stop"))),
            unreached=_count(connection, self._found(connection, PeopleFilter(glance="unreached"))),
        )

    def _found(self, connection: sa.Connection, wanted: PeopleFilter) -> sa.Select[Any]:
        found = sa.select(contacts.c.id)
        if wanted.group:
            found = found.where(
                contacts.c.id.in_(_members(contact_groups.c.name_key == name_key(wanted.group)))
            )
        if wanted.search.strip():
            found = found.where(_matches(wanted.search[:MOST_SEARCH_CHARACTERS]))
        if wanted.glance == "quiet":
            found = found.where(contacts.c.clock_zone.in_(_quiet_zones(connection)))
        elif wanted.glance == "stop":
            found = found.where(contacts.c.id.in_(self._stopped(connection)))
        elif wanted.glance == "unreached":
            found = found.where(contacts.c.id.in_(self._unreached(connection)))
        return found

    def _stopped(self, connection: sa.Connection) -> sa.CompoundSelect[Any]:
        """Select people with a number that has texted STOP."""
        number, stopped = contact_numbers.c.number, texting_states.c.number
        extended = sa.and_(_has_extension(number), stopped == _plain(connection, number))
        return sa.union_all(*(
            sa.select(contact_numbers.c.contact_id)
            .join(texting_states, is_same)
            .where(
                texting_states.c.account_sid == self._account_sid, texting_states.c.state == "stop"
            )
            for is_same in (stopped == number, extended)
        ))  # fmt: skip

    def _unreached(self, connection: sa.Connection) -> sa.CompoundSelect[Any]:
        """Select people whose newest alert is recent and didn't reach them."""
        own, newer = contact_numbers, contact_numbers.alias()
        later = alerts.alias()
        newer_alert = (
            sa.select(sa.literal(1))
            .select_from(newer.join(later, _went_to(connection, later, newer.c.number)))
            .where(
                newer.c.contact_id == own.c.contact_id,
                later.c.account_sid == self._account_sid,
                later.c.created_at > alerts.c.created_at,
            )
        )
        # Two selects, because in a single one that compares plain numbers a database couldn't begin
        # with the alerts, which may be few.
        went_there = (
            alerts.c.to_number == own.c.number,
            sa.and_(_has_extension(own.c.number), _went_to(connection, alerts, own.c.number)),
        )
        return sa.union_all(*(
            sa.select(own.c.contact_id)
            .join(alerts, each)
            .where(
                alerts.c.account_sid == self._account_sid,
                alerts.c.status.in_(NOT_REACHED),
                alerts.c.created_at >= time.time() - LATELY_SECONDS,
                ~newer_alert.exists(),
            )
            for each in went_there
        ))  # fmt: skip


LAST_ALERTS = (
    sa.select(alerts.c.id, alerts.c.created_at, alerts.c.request)
    .where(
        alerts.c.to_number == sa.bindparam("to"),
        alerts.c.account_sid == sa.bindparam("account"),
    )
    .order_by(alerts.c.created_at.desc())
    .limit(sa.bindparam("most"))
)


def _count(connection: sa.Connection, found: sa.Select[Any]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(found.subquery())) or 0


def _quiet_zones(connection: sa.Connection) -> list[str]:
    """Return the zones of people's clocks where it is night now."""
    zones = connection.scalars(sa.select(contacts.c.clock_zone).distinct())
    return [zone for zone in zones if zone and is_quiet(datetime.now(UTC), zone)]


def is_quiet(moment: datetime, zone: str) -> bool:
    """Whether it is from QUIET_FROM to QUIET_TILL on the clock of an IANA zone."""
    clock = in_time_zone(moment, zone).time()
    return clock >= QUIET_FROM or clock < QUIET_TILL


def _went_to(
    connection: sa.Connection, alert: sa.FromClause, number: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """Match the alerts to a contact's number, whose extension is only in their request."""
    request = sa.cast(alert.c.request, sa.Text)
    return sa.and_(
        alert.c.to_number == _plain(connection, number),
        # A quotation mark inside of a JSON string has a backslash, so this is a whole value.
        sa.or_(alert.c.to_number == number, request.contains('"' + number + '"')),
    )


def _has_extension(number: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return number.contains(",")


def _plain(connection: sa.Connection, number: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Return the E.164 part of a number as in `PhoneNumber.dialed`, see `split_dialed`."""
    find = sa.func.instr if is_sqlite(connection) else sa.func.strpos
    place = find(number + ",", ",")
    return sa.func.substr(number, 1, place - 1)


def _members(of: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the ids of the contacts in those groups."""
    return (
        sa.select(group_members.c.contact_id)
        .join(contact_groups, contact_groups.c.id == group_members.c.group_id)
        .where(of)
    )


def _matches(search: str) -> sa.ColumnElement[bool]:
    """Match if every word is in the name or in a group's name, or if the digits are in a number."""
    words = [
        sa.or_(
            contacts.c.name_key.contains(word, autoescape=True),
            contacts.c.id.in_(_members(contact_groups.c.name_key.contains(word, autoescape=True))),
        )
        for word in name_key(search).split()
    ]
    # National numbers may begin with a 0 that the international form lacks.
    digits = "".join(each for each in search if each.isdecimal()).lstrip("0")
    is_a_number = not any(each.isalpha() for each in search)
    if is_a_number and len(digits) >= FEWEST_DIGITS_SEARCHED:
        has_number = sa.select(contact_numbers.c.contact_id).where(
            contact_numbers.c.number.contains(digits, autoescape=True)
        )
        return sa.or_(sa.and_(*words), contacts.c.id.in_(has_number))
    return sa.and_(sa.true(), *words)
