"""Mutes: for a while no one is told about a rule or a key, or one recipient isn't told anything.

A mute holds until a moment, or every week at some hours. What is still bad at its end is told then.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from access.audit import write_entries
from access.audit_entry import AuditEntry
from alerts.errors import UnusableInput
from alerts.quiet_hours import QuietHours, read_quiet_hours
from alerts.time_zones import check_zone, in_time_zone
from database.database import Database
from database.tables import insert_new
from database.transactions import database_time
from rules.tables import mutes

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEKLY = "Write the days and, if need be, the hours: sat sun, or mon-fri 18:00-07:00."
DAY = re.compile(r"[a-z]{3,}")
HOURS = re.compile(r"\d{1,2}:\d{2}\s*[-\u2013]\s*\d{1,2}:\d{2}")


@dataclass(frozen=True, slots=True)
class Weekly:
    """Some days of each week (0 is Monday), all day or for `hours`, which begin on such a day."""

    days: frozenset[int]
    hours: QuietHours | None = None

    def covers(self, moment: datetime, time_zone: str) -> bool:
        """Whether it is such a time in an IANA zone ("" for this machine's)."""
        there = in_time_zone(moment, time_zone)
        if self.hours is None:
            return there.weekday() in self.days
        clock, start, end = there.time(), self.hours.start, self.hours.end
        if start < end:
            return there.weekday() in self.days and start <= clock < end
        if clock >= start:
            return there.weekday() in self.days
        return clock < end and (there.weekday() - 1) % 7 in self.days


@dataclass(frozen=True, slots=True)
class Mute:
    """Who isn't told of what, from `began_at` until `until` (None: until a person ends it).

    `rule_id` is "" for all rules, `key_hash` for all keys, and `recipient`, a number as in
    `PhoneNumber.dialed`, for everybody. With `weekly` it holds only at those times in `time_zone`.
    Times are in UTC.
    """

    id: str
    rule_id: str
    key_hash: str
    key_words: str
    recipient: str
    began_at: datetime
    until: datetime | None
    weekly: str
    time_zone: str
    muted_by: str

    def holds(self, moment: datetime) -> bool:
        """Whether it holds at a moment."""
        if self.until is not None and moment >= self.until:
            return False
        return not self.weekly or read_weekly(self.weekly).covers(moment, self.time_zone)


def check_weekly(text: str) -> None:
    """Raise `UnusableInput` about `weekly` for words that a new mute can't have."""
    read_weekly(text)
    words = set(re.findall(r"[a-z]+", text.lower())) - {"and"}
    if not all(any(f"{day}s".startswith(word) for day in WEEKDAYS) for word in words):
        raise UnusableInput("weekly", WEEKLY)


def read_weekly(text: str) -> Weekly:
    """Read "sat sun" or "mon-fri 18:00-07:00". Raises `UnusableInput` about `weekly`.

    Only the first letters of a day count: a saved mute must stay readable, and may be misspelled.
    """
    words = text.strip().lower()
    hours: QuietHours | None = None
    if written := HOURS.search(words):
        try:
            hours = read_quiet_hours(written[0])
        except UnusableInput:
            raise UnusableInput("weekly", WEEKLY) from None
        words = words.replace(written[0], " ")
    days: set[int] = set()
    for part in re.split(r"[\s,]+|\band\b", words):
        first, _, last = part.replace("\u2013", "-").partition("-")
        if part:
            start, end = _day(first), _day(last or first)
            days |= {(start + each) % 7 for each in range((end - start) % 7 + 1)}
    if not days and hours:
        days = set(range(len(WEEKDAYS)))
    if not days:
        raise UnusableInput("weekly", WEEKLY)
    return Weekly(frozenset(days), hours)


def is_muted(
    found: Iterable[Mute], moment: datetime, *, key_hash: str = "", recipient: str = ""
) -> bool:
    """Whether one of the mutes of a rule keeps it from being told at a moment.

    Without a `recipient`, whether one keeps everybody from being told about the key.
    """
    return any(
        each.key_hash in {"", key_hash} and each.recipient in {"", recipient} and each.holds(moment)
        for each in found
    )


def read_mutes(connection: sa.Connection, account_sid: str, rule_id: str) -> list[Mute]:
    """Return the mutes of a rule and of all rules, inside the caller's transaction."""
    wanted = sa.select(mutes).where(
        mutes.c.account_sid == account_sid, mutes.c.rule_id.in_(("", rule_id))
    )
    return [_mute(row) for row in connection.execute(wanted).mappings()]


class Mutes:
    """The mutes of one Twilio account. Use it from one event loop."""

    def __init__(self, database: Database, account_sid: str) -> None:
        self._database = database
        self._account_sid = account_sid

    async def all(self, rule_id: str | None = None) -> list[Mute]:
        """Return the mutes that haven't ended, of a rule or of all, the oldest first."""
        wanted = sa.select(mutes).where(mutes.c.account_sid == self._account_sid)
        if rule_id is not None:
            wanted = wanted.where(mutes.c.rule_id.in_(("", rule_id)))

        def read(connection: sa.Connection) -> list[Mute]:
            now = datetime.fromtimestamp(database_time(connection), UTC)
            found = connection.execute(wanted.order_by(mutes.c.began_at, mutes.c.id)).mappings()
            every = [_mute(row) for row in found]
            return [each for each in every if each.until is None or each.until > now]

        return await self._database.read(read)

    async def add(
        self,
        rule_id: str,
        *,
        key_hash: str = "",
        key_words: str = "",
        recipient: str = "",
        until: datetime | None = None,
        weekly: str = "",
        time_zone: str = "",
        by: str = "",
        audit: AuditEntry | None = None,
    ) -> Mute:
        """Mute a rule ("" for all), a key of it or a recipient; returns the mute.

        `audit` is written with it. Raises `UnusableInput` for `weekly` or `until`.
        """
        if weekly:
            check_weekly(weekly)
            check_zone(time_zone)
        now = datetime.now(UTC)
        if until is not None and until <= now:
            raise UnusableInput("until", "Choose a time that is still to come.")
        mute = Mute(
            secrets.token_hex(8),
            rule_id,
            key_hash,
            key_words,
            recipient,
            now,
            until and until.astimezone(UTC),
            weekly.strip(),
            time_zone,
            by,
        )

        def add(connection: sa.Connection) -> None:
            insert_new(connection, mutes, [_row(mute, self._account_sid)])
            write_entries(connection, [audit] if audit else [])

        await self._database.write(add)
        return mute

    async def end(self, mute_id: str, audit: AuditEntry | None = None) -> None:
        """End a mute, and write `audit` with that. Ending it twice is no error."""
        ended = sa.delete(mutes).where(
            mutes.c.id == mute_id, mutes.c.account_sid == self._account_sid
        )

        def end(connection: sa.Connection) -> None:
            if connection.execute(ended).rowcount and audit:
                write_entries(connection, [audit])

        await self._database.write(end)


def _day(name: str) -> int:
    for number, day in enumerate(WEEKDAYS):
        if DAY.fullmatch(name) and name.startswith(day[:3]):
            return number
    raise UnusableInput("weekly", WEEKLY)


def _row(mute: Mute, account_sid: str) -> dict[str, object]:
    return {
        "id": mute.id,
        "account_sid": account_sid,
        "rule_id": mute.rule_id,
        "key_hash": mute.key_hash,
        "key_words": mute.key_words,
        "recipient": mute.recipient,
        "began_at": mute.began_at.timestamp(),
        "until": mute.until and mute.until.timestamp(),
        "weekly": mute.weekly,
        "time_zone": mute.time_zone,
        "muted_by": mute.muted_by,
    }


def _mute(row: sa.RowMapping) -> Mute:
    return Mute(
        row["id"],
        row["rule_id"],
        row["key_hash"],
        row["key_words"],
        row["recipient"],
        datetime.fromtimestamp(row["began_at"], UTC),
        None if row["until"] is None else datetime.fromtimestamp(row["until"], UTC),
        row["weekly"],
        row["time_zone"],
        row["muted_by"],
    )
