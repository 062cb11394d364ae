"""Searching the history: a page of alerts, newest first, and how many there are of each kind.

However many alerts there are, nearly every search reads few rows. Lists are put together from the
newest of each stage and channel, which an index has in order. Counts stop at MOST_COUNTED. Words
are looked for among the newest alerts that the other filters let through, which finds common ones,
then in the index of words, which is fast for all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import sqlalchemy as sa

from alerts import records
from alerts.alert import CHANNELS
from alerts.filters import (
    MOST_COUNTED,
    STAGES_OF_KIND,
    CountedBroadcast,
    Counts,
    Filters,
    Kind,
    ListRow,
    Page,
    kind_at_stage,
)
from alerts.records import position_at
from alerts.status import Stage
from alerts.tables import alerts, broadcasts, submissions
from alerts.words import IN_POSTGRESQL, IN_SQLITE, is_sqlite, matching, terms_for

# Words are looked for in this many of the newest alerts first, one by one, then in ten times as
# many if some have the words. Common words would be slow to find in the index of words.
READ_FOR_WORDS = 300
MOST_READ_FOR_WORDS = 3000
SOME_WITH_WORDS, MANY_WITH_WORDS = 3, 25
# How many alerts are taken from the index of words.
MOST_WITH_WORDS = 1000
ROW = "SELECT position, id, stage, due_at FROM alerts"
ONE = "SELECT 1 FROM alerts"


@dataclass(frozen=True, slots=True)
class Found:
    """An alert that a search came upon."""

    position: int
    id: str
    stage: str = ""
    due_at: float = 0.0


def page(
    connection: sa.Connection,
    account_sid: str,
    filters: Filters,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int,
) -> Page:
    """Return the newest rows older than position `before`, or the oldest newer than `after`."""
    look = _Search(connection, account_sid, filters)
    is_back = after is not None
    found = look.rows(before, after, limit + 1)
    more, found = len(found) > limit, found[:limit]
    if is_back:
        found.reverse()
    has_newer = more if is_back else before is not None
    has_older = bool(found) if is_back else more
    return Page(tuple(look.filled_in(found)), has_newer, has_older)


def counts(connection: sa.Connection, account_sid: str, filters: Filters) -> Counts:
    """Count the alerts of each kind, whatever kind is asked for, up to MOST_COUNTED of each."""
    return _Search(connection, account_sid, replace(filters, kind=None)).counts()


class _Search:
    """One search, inside the caller's transaction."""

    def __init__(self, connection: sa.Connection, account_sid: str, filters: Filters) -> None:
        self._connection = connection
        self._account_sid = account_sid
        self._filters = filters
        self._terms = terms_for(text=filters.words, name=filters.person, number=filters.number)
        self._now = datetime.now(UTC).timestamp()

    # --- Rows -----------------------------------------------------------------------------------

    def rows(self, before: int | None, after: int | None, limit: int) -> list[Found | ListRow]:
        """The rows next to a position, nearest first; broadcasts are complete, alerts aren't."""
        bounds = self._bounds(before, after)
        is_back = after is not None
        if self._filters.sid or self._terms:
            if self._filters.sid:
                found = self._with_sid()
            else:
                found = self._with_words(bounds, limit, is_back=is_back)
            found = [each for each in found if bounds[0] <= each.position < bounds[1]]
            found.sort(key=lambda each: each.position, reverse=not is_back)
            return list(found[:limit])
        both: list[Found | ListRow] = list(self._newest(bounds, limit, is_back=is_back))
        if self._filters.groups_broadcasts:
            both += self._broadcasts(bounds, limit, is_back=is_back)
            both.sort(key=lambda each: each.position, reverse=not is_back)
        return both[:limit]

    def filled_in(self, found: Sequence[Found | ListRow]) -> list[ListRow]:
        """The rows with their alerts, those of broadcasts with their counts."""
        ids = [each.id for each in found if isinstance(each, Found)]
        known = records.read(self._connection, self._account_sid, ids) if ids else {}
        rows: list[ListRow] = []
        for each in found:
            if isinstance(each, ListRow):
                broadcast = each.broadcast and self._summary(each.broadcast)
                rows.append(replace(each, broadcast=broadcast))
            elif each.id in known:
                rows.append(ListRow(each.position, known[each.id]))
        return rows

    def _bounds(self, before: int | None, after: int | None) -> tuple[int, int]:
        """The first position and the one behind the last."""
        since, until = self._filters.since, self._filters.until
        first = [0, position_at(since) if since else 0, 0 if after is None else after + 1]
        end = [(1 << 63) - 1, position_at(until) if until else (1 << 63) - 1]
        return max(first), min([*end, *([] if before is None else [before])])

    def _branches(
        self, kind: Kind | None, *, without_broadcasts: bool = False
    ) -> tuple[dict[Stage, list[str]], dict[str, Any]]:
        """Return conditions for which an index has the alerts in order, by stage; and parameters.

        As text, into which nothing from outside goes: building these with SQLAlchemy takes longer
        than running them.
        """
        filters = self._filters
        parameters: dict[str, Any] = {"account": self._account_sid, "now": self._now}
        common = "account_sid = :account AND position >= :first AND position < :end"
        if filters.sender is not None:
            common += " AND sender = :sender"
            parameters["sender"] = filters.sender
        if filters.broadcast:
            common += " AND broadcast_id = :broadcast"
            parameters["broadcast"] = filters.broadcast
        if filters.rule:
            common += " AND rule_id = :rule"
            parameters["rule"] = filters.rule
        if without_broadcasts:
            common += " AND broadcast_id IS NULL"
        channels = (filters.channel,) if filters.channel else CHANNELS
        branches: dict[Stage, list[str]] = {}
        for stage in STAGES_OF_KIND[kind] if kind else Stage:
            own = f"stage = '{stage.value}' AND {common}"
            if stage is Stage.QUEUED and kind:
                own += f" AND due_at {'>' if kind is Kind.WAITING else '<='} :now"
            branches[stage] = [f"channel = '{channel}' AND {own}" for channel in channels]
        return branches, parameters

    def _newest(self, bounds: tuple[int, int], limit: int, *, is_back: bool) -> list[Found]:
        """What all filters except words let through, nearest first."""
        branches, parameters = self._branches(
            self._filters.kind, without_broadcasts=self._filters.groups_broadcasts
        )
        order = f"ORDER BY position {'ASC' if is_back else 'DESC'} LIMIT :most"
        parts = [
            f"SELECT * FROM ({ROW} WHERE {branch} {order}) AS part_{number}"  # noqa: S608
            for number, branch in enumerate(chain.from_iterable(branches.values()))
        ]
        parameters |= {"first": bounds[0], "end": bounds[1], "most": limit}
        every = " UNION ALL ".join(parts)
        query = sa.text(f"SELECT * FROM ({every}) AS every {order}")  # noqa: S608
        return [Found(*row) for row in self._connection.execute(query, parameters)]

    # --- Words and SIDs -------------------------------------------------------------------------

    def _with_sid(self) -> list[Found]:
        """The alert of a call or text, or the one with that id, if the filters let it through."""
        sid = self._filters.sid
        of_a_try = sa.select(submissions.c.alert_id).where(
            submissions.c.sid == sid, submissions.c.account_sid == self._account_sid
        )
        ids = {sid, *self._connection.scalars(of_a_try)}
        return self._those(ids)

    def _those(self, ids: set[str]) -> list[Found]:
        chosen = sa.select(alerts.c.position, alerts.c.id, alerts.c.stage, alerts.c.due_at).where(
            alerts.c.id.in_(ids), *self._filtered()
        )
        return [Found(*row) for row in self._connection.execute(chosen)]

    def _of_kind(self) -> list[sa.ColumnElement[bool]]:
        kind = self._filters.kind
        if kind is None:
            return []
        stages = alerts.c.stage.in_([each.value for each in STAGES_OF_KIND[kind]])
        if kind is Kind.WAITING:
            return [stages, alerts.c.due_at > self._now]
        if kind is Kind.UNDER_WAY:
            started = alerts.c.stage != Stage.QUEUED.value
            return [stages, sa.or_(started, alerts.c.due_at <= self._now)]
        return [stages]

    def _with_words(
        self, bounds: tuple[int, int], limit: int, *, is_back: bool = False
    ) -> list[Found]:
        """The nearest `limit` alerts with the words, and maybe more."""
        found, is_complete = self._near(bounds, is_back=is_back)
        if not is_complete and len(found) < limit:
            found, is_complete = self._indexed(bounds, MOST_WITH_WORDS, is_back=is_back)
            if not is_complete and len(found) < limit:
                found = self._with_words_of_all(bounds, limit, is_back=is_back)
        # A pasted id is a word too.
        own = self._those({self._filters.words}) if self._filters.words else []
        return [*found, *(each for each in own if each not in found)]

    def _near(self, bounds: tuple[int, int], *, is_back: bool = False) -> tuple[list[Found], bool]:
        """Return which of the nearest alerts have the words, and whether there are no others."""
        if self._filters.number:
            return [], False  # so few alerts have a number that the index is faster
        near = self._newest(bounds, READ_FOR_WORDS, is_back=is_back)
        found = self._having_words(near)
        if len(near) == READ_FOR_WORDS and SOME_WITH_WORDS <= len(found) < MANY_WITH_WORDS:
            near = self._newest(bounds, MOST_READ_FOR_WORDS, is_back=is_back)
            return self._having_words(near), len(near) < MOST_READ_FOR_WORDS
        return found, len(near) < READ_FOR_WORDS

    def _having_words(self, near: Sequence[Found]) -> list[Found]:
        """Those that have all of the words."""
        if not near:
            return []
        if not is_sqlite(self._connection):
            table = IN_POSTGRESQL
            # Choose these alerts first, then check their words: PostgreSQL would begin with the
            # index of words.
            those = (
                sa.select(table.c.alert_id, table.c.words)
                .where(
                    table.c.alert_id.in_([each.id for each in near]),
                    table.c.account_sid == self._account_sid,
                )
                .cte("those")
                .prefix_with("MATERIALIZED")
            )
            have_words = matching(self._connection, self._terms, those.c.words)
            ids = set(self._connection.scalars(sa.select(those.c.alert_id).where(have_words)))
            return [each for each in near if each.id in ids]
        # In SQLite's index of words each of them would be a search of its own.
        words = sa.select(IN_SQLITE.c.rowid, IN_SQLITE.c.words).where(
            IN_SQLITE.c.rowid.in_([each.position for each in near])
        )
        having = set()
        for position, text in self._connection.execute(words):
            if all(term.is_in(f" {text} ") for term in self._terms):
                having.add(position)
        return [each for each in near if each.position in having]

    def _indexed(
        self, bounds: tuple[int, int], most: int, *, is_back: bool = False
    ) -> tuple[list[Found], bool]:
        """Return which of the nearest `most` alerts with the words the other filters let through.

        Also returns whether there are no more alerts with the words.
        """
        table, place = self._words_and_place()
        all_having = sa.select(table.c.alert_id, place.label("position")).where(
            matching(self._connection, self._terms), place >= bounds[0], place < bounds[1]
        )
        if not is_sqlite(self._connection):
            # Otherwise PostgreSQL takes the beginning of a word for a common word, and reads all
            # alerts in order.
            every = all_having.cte("every_one").prefix_with("MATERIALIZED")
            all_having, place = sa.select(every), every.c.position
        having = (
            all_having.order_by(place.asc() if is_back else place.desc()).limit(most).subquery()
        )
        let_through = sa.and_(alerts.c.id == having.c.alert_id, *self._filtered())
        chosen = sa.select(
            alerts.c.position, alerts.c.id, alerts.c.stage, alerts.c.due_at
        ).select_from(having.outerjoin(alerts, let_through))
        rows = self._connection.execute(chosen).all()
        return [Found(*row) for row in rows if row.id is not None], len(rows) < most

    def _with_words_of_all(
        self, bounds: tuple[int, int], limit: int, *, is_back: bool
    ) -> list[Found]:
        table, place = self._words_and_place()
        chosen = (
            sa.select(alerts.c.position, alerts.c.id, alerts.c.stage, alerts.c.due_at)
            .select_from(table.join(alerts, alerts.c.id == table.c.alert_id))
            .where(
                matching(self._connection, self._terms),
                place >= bounds[0],
                place < bounds[1],
                *self._filtered(),
            )
            .order_by(place.asc() if is_back else place.desc())
            .limit(limit)
        )
        return [Found(*row) for row in self._connection.execute(chosen)]

    def _words_and_place(self) -> tuple[sa.TableClause, sa.ColumnElement[int]]:
        if is_sqlite(self._connection):
            return IN_SQLITE, IN_SQLITE.c.rowid
        return IN_POSTGRESQL, IN_POSTGRESQL.c.position

    def _filtered(self) -> list[sa.ColumnElement[bool]]:
        """The conditions of all filters except words and time."""
        filters = self._filters
        wanted: list[sa.ColumnElement[bool]] = [alerts.c.account_sid == self._account_sid]
        if filters.sender is not None:
            wanted.append(alerts.c.sender == filters.sender)
        if filters.broadcast:
            wanted.append(alerts.c.broadcast_id == filters.broadcast)
        if filters.rule:
            wanted.append(alerts.c.rule_id == filters.rule)
        if filters.channel is not None:
            wanted.append(alerts.c.channel == filters.channel)
        return [*wanted, *self._of_kind()]

    # --- Counts ---------------------------------------------------------------------------------

    def counts(self) -> Counts:
        """How many there are of each kind."""
        bounds = self._bounds(None, None)
        if self._filters.sid:
            return self._counted(self._with_sid())
        if not self._terms:
            return self._counts_of_branches(bounds)
        found, is_complete = self._near(bounds)
        # Common words aren't counted any further.
        if not is_complete and len(found) < MANY_WITH_WORDS:
            found, is_complete = self._indexed(bounds, MOST_WITH_WORDS)
        return self._counted(found, is_complete=is_complete)

    def _counted(self, found: Sequence[Found], *, is_complete: bool = True) -> Counts:
        of = Counter(kind_at_stage(each.stage, each.due_at, self._now) for each in found)
        return Counts(of, frozenset() if is_complete else frozenset(Kind))

    def _counts_of_branches(self, bounds: tuple[int, int]) -> Counts:
        by_stage, parameters = self._branches(None)
        wanted = {Kind(stage): by_stage[stage] for stage in Stage if stage is not Stage.QUEUED}
        wanted[Kind.WAITING] = self._branches(Kind.WAITING)[0][Stage.QUEUED]
        started = self._branches(Kind.UNDER_WAY)[0]
        wanted[Kind.UNDER_WAY] = [*started[Stage.QUEUED], *started[Stage.UNDER_WAY]]
        parts = []
        for kind, branches in wanted.items():
            every = " UNION ALL ".join(f"{ONE} WHERE {each}" for each in branches)
            capped = f"(SELECT * FROM ({every}) AS every LIMIT :most) AS capped"  # noqa: S608
            parts.append(f"SELECT '{kind.value}', count(*) FROM {capped}")  # noqa: S608
        parameters |= {"first": bounds[0], "end": bounds[1], "most": MOST_COUNTED + 1}
        rows = self._connection.execute(sa.text(" UNION ALL ".join(parts)), parameters)
        found = {Kind(kind): count for kind, count in rows if count}
        at_least = frozenset(kind for kind, count in found.items() if count > MOST_COUNTED)
        return Counts({kind: min(n, MOST_COUNTED) for kind, n in found.items()}, at_least)

    # --- Broadcasts -----------------------------------------------------------------------------

    def _broadcasts(self, bounds: tuple[int, int], limit: int, *, is_back: bool) -> list[ListRow]:
        sender = self._filters.sender
        first, end = _seconds(bounds[0]), _seconds(bounds[1])
        order = broadcasts.c.created_at.asc() if is_back else broadcasts.c.created_at.desc()
        chosen = sa.select(broadcasts).where(
            broadcasts.c.account_sid == self._account_sid,
            broadcasts.c.created_at >= first,
            broadcasts.c.created_at <= end,
        )
        if sender is not None:
            chosen = chosen.where(broadcasts.c.sender == sender)
        rows = []
        for row in self._connection.execute(chosen.order_by(order).limit(limit + 1)):
            at = datetime.fromtimestamp(row.created_at, UTC)
            position = position_at(at)
            if bounds[0] <= position < bounds[1]:
                shown = CountedBroadcast(row.id, row.title, row.sender, at, {})
                rows.append(ListRow(position, broadcast=shown))
        return rows

    def _summary(self, broadcast: CountedBroadcast) -> CountedBroadcast:
        alone = Filters(broadcast=broadcast.id)
        look = _Search(self._connection, self._account_sid, alone)
        counted = look._counts_of_branches(look._bounds(None, None))
        [*some] = look._newest(look._bounds(None, None), 1, is_back=True)
        known = records.read(self._connection, self._account_sid, [each.id for each in some])
        request = next((each.request for each in known.values()), None)
        return replace(
            broadcast,
            counts=counted.of,
            message=request.message if request else "",
            acknowledge=request.acknowledge if request else False,
        )


def _seconds(position: int) -> float:
    return (position >> 12) / 1e6
