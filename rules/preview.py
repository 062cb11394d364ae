"""Preview: what a rule finds bad now, whom it would tell, and how often it would have alerted."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa

from alerts.alert import AlertRequest
from alerts.errors import UnusableInput
from alerts.message.compose import VARIABLES, filled_in
from alerts.phone_numbers import Regions
from alerts.time_zones import begin_of, in_time_zone
from people.broadcasts import variable_names
from people.directory import Directory
from people.recipients import Recipient, check_recipients, read_recipients
from rules.audience import Address, Audience, read_audience
from rules.episodes import Episode
from rules.keys import Case, Cases, KeyProblem, cases_in, shown
from rules.reading import TOO_MANY, Data, Reading, RuleReader
from rules.rule import SPECIMEN, Rule, alert_request, same_columns
from rules.sandbox import QueryError, Table
from rules.sources import SourceError
from rules.tables import episodes, rule_state
from rules.telling import Compose, Item, NoticeWriter

# How many rows are shown with their recipients and words; all are counted.
MOST_ROWS = 500
MOST_TITLE_CELLS = 3
MOST_PREVIEWS = 200
# Variables of a rule's messages that aren't columns.
OF_RULES = ("rule", "count", "list")
NO_TIME_COLUMN = (
    "Name the time column of {names} in sources.toml to see how often this would have alerted."
)


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A thing that is bad: its key's hash and cells, who would be told of it, and the words.

    `problem` says why some or all recipients can't be told; the owner is told instead.
    """

    key: str
    title: tuple[str, ...]
    cells: Mapping[str, str]
    recipients: tuple[Recipient, ...] = ()
    problem: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule finds bad now: how many things in all, and the first of them.

    `fingerprint` is that of the rule's definition, `keys` are the hashes of everything that is bad,
    and `columns` the query's. For a rule that has been on, `same`, `new` and `gone` compare that
    with what it follows already; for others they are None. With `new_baseline` its key columns have
    changed, so that everything counts as bad already. `newest_at` is when the newest file was
    written. `seconds` is how long the query took. `problems` are sentences, by the rule's field,
    that keep it from being turned on.
    """

    fingerprint: str
    total: int
    rows: tuple[PreviewRow, ...]
    keys: frozenset[str]
    columns: tuple[str, ...]
    seconds: float
    at: datetime
    same: int | None = None
    new: int | None = None
    gone: int | None = None
    new_baseline: bool = False
    sources: tuple[str, ...] = ()
    newest_at: datetime | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


class RecentPreviews:
    """The latest previews, with which people may still turn a rule on."""

    def __init__(self) -> None:
        # By the fingerprint of the previewed rule.
        self._previews: OrderedDict[str, Preview] = OrderedDict()

    def add(self, preview: Preview) -> None:
        """Remember a preview, in place of an older one of the same rule."""
        self._previews[preview.fingerprint] = preview
        self._previews.move_to_end(preview.fingerprint)
        while len(self._previews) > MOST_PREVIEWS:
            self._previews.popitem(last=False)

    def get(self, fingerprint: str) -> Preview | None:
        """Return the preview of a rule with this fingerprint; None if it isn't remembered."""
        return self._previews.get(fingerprint)


@dataclass(frozen=True, slots=True)
class PastAlerts:
    """How many things would have turned bad on each of the last days, oldest first.

    `bad_before` counts what was bad already when the first of these days began. `time_columns` are
    the columns that say when a row is from, such as "tastings.tasted_at". `problem` is a sentence
    that says why none of this is known, or "".
    """

    by_day: tuple[tuple[date, int], ...] = ()
    bad_before: int = 0
    problem: str = ""
    time_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Followed:
    """What a rule that has been on follows: the open keys, and the key columns."""

    keys: frozenset[str] = frozenset()
    key_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Previewer:
    """Makes previews. `compose` checks a request as sending it would."""

    reader: RuleReader
    directory: Directory
    regions: Regions
    compose: Compose

    async def preview(self, rule: Rule, followed: Followed | None = None) -> Preview:
        """Return what the rule finds bad now; it may lack all but a query and a key.

        Raises `QueryError` for the query, `SourceError` for its data, and `UnusableInput` for the
        key and the column of recipients.
        """
        now = datetime.now(UTC)
        reading = await self.reader.read(rule)
        bad = reading.cases.bad
        first = list(bad.values())[:MOST_ROWS]
        audience = await read_audience(rule, first, self.regions, self.directory)
        # In a thread, because composing hundreds of messages takes long.
        rows = await asyncio.to_thread(self._rows, rule, reading.cases, first, audience, now)
        return _compared(
            Preview(
                rule.fingerprint,
                len(bad),
                tuple(rows),
                frozenset(bad),
                reading.cases.columns,
                reading.seconds,
                now,
                sources=tuple(reading.data.snapshots),
                newest_at=_newest(reading),
                problems=await self._problems(rule, reading.cases.columns),
            ),
            rule,
            followed,
        )

    async def past_alerts(self, rule: Rule, days: int = 30) -> PastAlerts:
        """Return how often the rule would have alerted, by running it as of each day's end.

        What is bad at the first of them counts as bad already. What was bad only between two of
        them isn't found. Raises nothing: an error is in the answer's `problem`.
        """
        try:
            data = _with_time_column(await self.reader.fetch(rule), rule.time_column)
            if not any(each.time_column for each in data.tables):
                names = " or ".join(data.snapshots) or "a source"
                return PastAlerts(problem=NO_TIME_COLUMN.format(names=names))
            ends = _ends_of_days(datetime.now(UTC), self.reader.zone(rule), days)
            moments = [moment for _, moment in ends]
            found = await self.reader.sandbox.run_many(self.reader.query(rule, data), moments)
            if any(each.is_cut for each in found):
                return PastAlerts(problem=TOO_MANY)
            bad = [frozenset(cases_in(each, rule.key).bad) for each in found]
        except (QueryError, SourceError, KeyProblem) as problem:
            return PastAlerts(problem=str(problem))
        counts = _new_in_each(bad, once_ever=rule.once_ever)
        by_day = tuple((day, new) for (day, _), new in zip(ends[1:], counts, strict=True))
        told_by = (f"{each.name}.{each.time_column}" for each in data.tables if each.time_column)
        return PastAlerts(by_day, len(bad[0]), time_columns=tuple(told_by))

    async def _problems(self, rule: Rule, columns: Sequence[str]) -> dict[str, str]:
        """Return, by field, what would keep people from being told whichever row is bad."""
        found: dict[str, str] = {}
        for name in ("message", "message_for_many", "voicemail"):
            if problem := _unknown_variable(getattr(rule, name), columns):
                found[name] = problem
        people = {"to": rule.to, "owner": rule.owner, "then_to": "\n".join(rule.then_to)}
        for name, text in people.items():
            read = await read_recipients(text, rule.channel, self.regions, self.directory)
            try:
                if text.strip():
                    check_recipients(read)
            except UnusableInput as problem:
                found[name] = str(problem)
        specimen = replace(
            alert_request(rule), to=SPECIMEN.to, message=SPECIMEN.message, voicemail=""
        )
        try:
            self.compose(replace(specimen, template=False))
        except UnusableInput as problem:
            # The specimen's number may be in a country that can't be called here.
            if problem.field != "phone_number":
                found[problem.field] = str(problem)
        return found

    def _rows(
        self, rule: Rule, cases: Cases, first: Sequence[Case], audience: Audience, now: datetime
    ) -> list[PreviewRow]:
        writer = NoticeWriter(rule, 0, now, audience, self.compose)
        return [self._row(writer, cases, case) for case in first]

    def _row(self, writer: NoticeWriter, cases: Cases, case: Case) -> PreviewRow:
        address = writer.audience.of.get(case.key_hash, Address())
        cells = cases.cells(case)
        episode = Episode(case.key_hash, 1, "pending", 0, 0, 0)
        item = Item(episode, case, cells)
        words, problems = "", list(address.problems)
        for recipient in address.recipients if writer.rule.message.strip() else ():
            try:
                words = words or self._words(writer.request_for(recipient, [item]), writer.moment)
            except UnusableInput as problem:
                problems.append(str(problem))
        return PreviewRow(
            case.key_hash,
            tuple(shown(each) for each in case.values.values())[:MOST_TITLE_CELLS],
            {name: shown(each) for name, each in cells.items()},
            address.recipients,
            " ".join(dict.fromkeys(problems)),
            words,
        )

    def _words(self, request: AlertRequest, now: datetime) -> str:
        return filled_in(self.compose(request), now).message


def read_followed(connection: sa.Connection, account_sid: str, rule_id: str) -> Followed | None:
    """Return what a rule follows in an account; None if it was never on there."""
    state = sa.select(rule_state.c.key_columns).where(
        rule_state.c.rule_id == rule_id, rule_state.c.account_sid == account_sid
    )
    columns = connection.scalar(state)
    if columns is None:
        return None
    open_keys = sa.select(episodes.c.key_hash).where(
        episodes.c.rule_id == rule_id, episodes.c.account_sid == account_sid, episodes.c.is_open
    )
    return Followed(frozenset(connection.scalars(open_keys)), tuple(columns))


def _compared(preview: Preview, rule: Rule, followed: Followed | None) -> Preview:
    if followed is None:
        return preview
    if not same_columns(followed.key_columns, rule.key):
        return replace(preview, new_baseline=True)
    return replace(
        preview,
        same=len(preview.keys & followed.keys),
        new=len(preview.keys - followed.keys),
        gone=len(followed.keys - preview.keys),
    )


def _unknown_variable(message: str, columns: Sequence[str]) -> str:
    """Return a sentence about a variable of a message that no column has, "" if there is none."""
    from alerts.message.templates import UnknownVariable, render  # noqa: PLC0415

    known = dict.fromkeys([*VARIABLES, *OF_RULES, *variable_names(columns)], "1")
    try:
        render(message, known)
    except UnknownVariable as problem:
        names = ", ".join(each for each in known if each not in VARIABLES)
        return f"The query has no column for {{{{ {problem.name} }}}}. There is {names}."
    except UnusableInput:
        return ""  # with other values it may be fine
    return ""


def _newest(reading: Reading) -> datetime | None:
    moments = [each.newest_at for each in reading.data.snapshots.values() if each.newest_at]
    return max(moments, default=None)


def _with_time_column(data: Data, time_column: str) -> Data:
    """Make tables that have the rule's time column, and no others, end at the moment asked for."""

    def ended(table: Table) -> Table:
        names = {each.name for each in table.columns}
        if table.time_column or not time_column or time_column not in names:
            return table
        return replace(table, time_column=time_column)

    snapshots = {
        name: replace(each, table=ended(each.table)) for name, each in data.snapshots.items()
    }
    return replace(data, snapshots=snapshots)


def _ends_of_days(now: datetime, zone: str, days: int) -> list[tuple[date, datetime]]:
    """Return the last days by a zone's clock, oldest first, one more than asked, and their ends.

    The last is today, which ends now.
    """
    today = in_time_zone(now, zone).date()
    found = []
    for back in range(days, 0, -1):
        day = today - timedelta(days=back)
        end = begin_of(day + timedelta(days=1), zone)
        # A row from midnight, such as one with a date alone, belongs to the day that begins.
        found.append((day, end.astimezone(UTC) - timedelta(microseconds=1)))
    return [*found, (today, now)]


def _new_in_each(bad: Sequence[Collection[str]], *, once_ever: bool) -> list[int]:
    """Return how many keys turned bad at each look but the first."""
    seen = set(bad[0])
    counts = []
    for before, after in pairwise(bad):
        new = set(after) - set(before)
        counts.append(len(new - seen if once_ever else new))
        seen |= new
    return counts
