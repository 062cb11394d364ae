"""Finding alerts in the history, on SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts import AlertRequest, Event, Status, search
from alerts.alert import NewAlert
from alerts.filters import Filters, Kind, with_text
from alerts.phone_numbers import Regions
from database.connecting import engine_for, parsed
from database.migrations import bring_up_to_date
from database.migrations.revisions import VERSIONS
from tests.support.alerts_by_hand import CALLER
from tests.support.direct_sql import writing
from tests.support.written_history import (
    ACCOUNT,
    WrittenHistory,
    broadcast,
    move,
    write,
    write_old,
    write_with_sid,
    written_history,
)

BEN, CLARA, TOMAS = "+14125550121", "+14125550122", "+442079460123"
CALL = AlertRequest("call", BEN, "Batch 1407 shows signs of diacetyl.", name="Ben Adeyemi")
TEXT = AlertRequest("text", CLARA, "Lot 212 passed the panel.", name="Clara Novak", user="ines")
ASKED = replace(CALL, acknowledge=True)


@pytest.fixture
async def history(database_url: str) -> AsyncIterator[WrittenHistory]:
    async with written_history(database_url) as opened:
        yield opened


async def ids(history: WrittenHistory, filters: Filters) -> list[str]:
    found = await history.search(filters, limit=50)
    return [each.alert.id for each in found.rows if each.alert]


async def found(history: WrittenHistory, typed: str) -> list[str]:
    return await ids(history, with_text(Filters(), typed, Regions()))


async def test_each_kind_is_found_and_counted(history: WrittenHistory):
    sent = (Status.SENDING, Status.PLACED, Status.RINGING)
    for alert_id, request, statuses in (
        ("new", CALL, ()),
        ("ringing", CALL, sent),
        ("confirmed", ASKED, (*sent, Status.ANSWERED, Status.ACKNOWLEDGED)),
        ("heard", CALL, (*sent, Status.ANSWERED, Status.COMPLETED)),
        ("unconfirmed", ASKED, (*sent, Status.ANSWERED, Status.COMPLETED)),
        ("delivered", TEXT, (Status.SENDING, Status.PLACED, Status.DELIVERED)),
        ("voicemail", CALL, (*sent, Status.VOICEMAIL)),
        ("nobody", CALL, (*sent, Status.UNANSWERED)),
        ("failed", TEXT, (Status.SENDING, Status.FAILED)),
        ("stopped", CALL, (Status.CANCELED,)),
        ("lost", CALL, (Status.SENDING, Status.UNKNOWN)),
    ):
        await write(history, alert_id, request, *statuses)
    expected = {
        Kind.UNDER_WAY: ["ringing", "new"],
        Kind.CONFIRMED: ["confirmed"],
        Kind.REACHED: ["delivered", "heard"],
        Kind.NOT_REACHED: ["failed", "nobody", "voicemail", "unconfirmed"],
        Kind.CANCELED: ["stopped"],
        Kind.UNKNOWN: ["lost"],
        Kind.WAITING: [],
    }
    for kind, these in expected.items():
        assert await ids(history, Filters(kind=kind)) == these, kind
    counts = await history.counts(Filters(kind=Kind.WAITING))
    assert counts.of == {kind: len(these) for kind, these in expected.items() if these}
    assert (counts.total, counts.at_least) == (11, frozenset())
    texts = await history.counts(Filters(channel="text"))
    assert texts.of == {Kind.REACHED: 1, Kind.NOT_REACHED: 1}


async def test_what_is_due_later_waits(history: WrittenHistory):
    await write(history, "now", CALL)
    await write(history, "tonight", CALL)
    later = (datetime.now(UTC) + timedelta(hours=3)).timestamp()
    await history.database.write(
        lambda connection: connection.execute(
            sa.text("UPDATE alerts SET due_at = :due WHERE id = 'tonight'"), {"due": later}
        )
    )
    assert await ids(history, Filters(kind=Kind.WAITING)) == ["tonight"]
    assert await ids(history, Filters(kind=Kind.UNDER_WAY)) == ["now"]
    assert (await history.counts(Filters())).of == {Kind.WAITING: 1, Kind.UNDER_WAY: 1}
    words = await history.counts(Filters(words="batch"))
    assert words.of == {Kind.WAITING: 1, Kind.UNDER_WAY: 1}


async def test_pages_follow_one_another_without_gap_or_repetition(history: WrittenHistory):
    # Saved together, so at the same time.
    new = [NewAlert(f"{number:02}", CALL, CALLER) for number in range(23)]
    await history.add(new)
    for filters in (Filters(), Filters(words="batch"), Filters(channel="call", sender="")):
        seen: list[str] = []
        before, pages = None, []
        while True:
            page = await history.search(filters, before=before, limit=5)
            pages.append(page)
            seen += [each.alert.id for each in page.rows if each.alert]
            if not page.has_older:
                break
            before = page.rows[-1].position
        assert seen == [f"{number:02}" for number in reversed(range(23))]
        assert [page.has_newer for page in pages] == [False, True, True, True, True]
        back = await history.search(filters, after=pages[2].rows[0].position, limit=5)
        assert back.rows == pages[1].rows
        assert back.has_newer
        first = await history.search(filters, after=pages[1].rows[0].position, limit=5)
        assert (first.rows, first.has_newer) == (pages[0].rows, False)


async def test_by_time_sender_and_both(history: WrittenHistory):
    await write_old(history, "old", CALL, days_ago=8)
    await write_old(history, "ines old", TEXT, days_ago=6)
    await write(history, "ines", TEXT)
    await write(history, "new", CALL)
    week = datetime.now(UTC) - timedelta(days=7)
    assert await ids(history, Filters(since=week)) == ["new", "ines", "ines old"]
    assert await ids(history, Filters(until=week)) == ["old"]
    assert await ids(history, Filters(sender="ines")) == ["ines", "ines old"]
    assert await ids(history, Filters(sender="ines", since=week + timedelta(days=3))) == ["ines"]
    assert await ids(history, Filters(sender="nobody")) == []
    assert (await history.counts(Filters(since=week))).total == 3


@pytest.mark.parametrize(
    ("typed", "these"),
    [
        ("diacetyl", ["ben"]),
        ("signs DIAC", ["ben"]),
        ("diac signs", []),  # only the last word may be begun
        ("1407", ["ben"]),
        ("ben", ["ben"]),
        ("Nov", ["clara"]),
        ("tomas", ["tomás"]),
        ("tómas lea", ["tomás"]),
        ("+1 412-555-0121", ["ben"]),
        ("(412) 555 0121", ["ben"]),
        ("0121", ["ben"]),
        ("555-0122", ["clara"]),
        ("412", ["clara", "ben"]),
        ("the", ["clara"]),
        ("batch panel", []),
        ("%", ["tomás", "clara", "ben"]),
        ("\"' OR *:&|!()", ["tomás", "clara", "ben"][:0]),
        ("", ["tomás", "clara", "ben"]),
    ],
)
async def test_what_people_type_into_the_box(history: WrittenHistory, typed: str, these: list[str]):
    await write(history, "ben", CALL)
    await write(history, "clara", TEXT)
    await write(history, "tomás", AlertRequest("call", TOMAS, "Kaffee_34 °C", name="Tomás Leal"))
    assert await found(history, typed) == these
    counts = await history.counts(with_text(Filters(), typed, Regions()))
    assert counts.total == len(these)


async def test_any_number_of_an_alert_finds_it_but_not_one_in_its_words(history: WrittenHistory):
    await write(history, "mentions", replace(TEXT, message="Call 14125550121 or 412 555 0121"))
    await write(history, "second", replace(TEXT, then_to=(f"{BEN},12",)))
    assert await ids(history, Filters(number=BEN)) == ["second"]


async def test_a_name_is_told_from_a_word(history: WrittenHistory):
    await write(history, "to", CALL)
    await write(history, "about", replace(TEXT, message="Ask Ben Adeyemi"))
    assert await ids(history, Filters(person="ben adey")) == ["to"]
    assert await ids(history, Filters(words="ben adey")) == ["about", "to"]


async def test_a_sid_finds_its_alert_whichever_try_it_was(history: WrittenHistory):
    sid = "CA" + "0a" * 16
    await write_with_sid(history, "ben", CALL, sid)
    assert await found(history, f" {sid.upper()} ") == ["ben"]
    assert await found(history, "ben") == ["ben"]
    assert await ids(history, Filters(sid=sid, channel="text")) == []
    assert await found(history, "CA" + "0b" * 16) == []


async def test_an_id_finds_its_alert(history: WrittenHistory):
    await write(history, "4f2a-batch", CALL)
    assert await found(history, "4f2a-batch") == ["4f2a-batch"]


async def test_common_words_with_filters_that_few_pass(
    history: WrittenHistory, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(search, "READ_FOR_WORDS", 4)
    monkeypatch.setattr(search, "MOST_WITH_WORDS", 4)
    monkeypatch.setattr(search, "MANY_WITH_WORDS", 3)
    await write(history, "ines", replace(TEXT, message="batch"))
    for number in range(6):
        await write(history, f"ben {number}", CALL)
    for number in range(6):
        await write(history, f"clara {number}", TEXT)
    assert await ids(history, Filters(words="batch", sender="ines")) == ["ines"]
    assert len(await ids(history, Filters(words="batch"))) == 7
    counts = await history.counts(Filters(words="batch"))
    assert counts.at_least == frozenset(Kind)
    assert counts.total == 4


async def test_counts_stop(history: WrittenHistory, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "MOST_COUNTED", 3)
    await history.add([NewAlert(str(number), CALL, CALLER) for number in range(5)])
    counts = await history.counts(Filters())
    assert counts.of == {Kind.UNDER_WAY: 3}
    assert Kind.UNDER_WAY in counts.at_least


async def test_a_broadcast_is_one_row_until_people_are_asked_for(history: WrittenHistory):
    await write(history, "before", CALL)
    await broadcast(history, "b1", "Batch 1407", [CALL, TEXT, CALL], "maya")
    await write(history, "after", CALL)
    await history.record("b1-0", Event(datetime.now(UTC), Status.ACKNOWLEDGED, "Pressed 1"))
    page = await history.search(Filters())
    assert [each.alert and each.alert.id for each in page.rows] == ["after", None, "before"]
    shown = page.rows[1].broadcast
    assert shown is not None
    assert (shown.title, shown.sender, shown.people) == ("Batch 1407", "maya", 3)
    assert shown.counts == {Kind.CONFIRMED: 1, Kind.UNDER_WAY: 2}
    assert shown.message == CALL.message
    assert (await history.counts(Filters())).total == 5
    members = ["b1-2", "b1-1", "b1-0"]
    assert await ids(history, Filters(broadcast="b1")) == members
    assert await ids(history, Filters(broadcast="b1", kind=Kind.CONFIRMED)) == ["b1-0"]
    assert await ids(history, Filters(singly=True)) == ["after", *members, "before"]
    assert await ids(history, Filters(words="lot")) == ["b1-1"]
    by_maya = await history.search(Filters(sender="maya"))
    assert [each.broadcast and each.broadcast.id for each in by_maya.rows] == ["b1"]
    first = await history.search(Filters(), limit=2)
    rest = await history.search(Filters(), before=first.rows[-1].position, limit=2)
    assert [each.alert and each.alert.id for each in rest.rows] == ["before"]


async def test_another_account_finds_nothing(history: WrittenHistory, database_url: str):
    await write(history, "ben", CALL)
    async with written_history(database_url, "AC" + "2" * 32) as other:
        for filters in (Filters(), Filters(words="batch"), Filters(sid="ben"), Filters(sender="")):
            assert await ids(other, filters) == []
            assert (await other.counts(filters)).total == 0


async def test_deleted_alerts_are_found_no_more(history: WrittenHistory):
    await write_old(history, "old", CALL, Status.CANCELED, days_ago=31)
    await write(history, "young", CALL, Status.CANCELED)
    assert await found(history, "batch") == ["young", "old"]
    assert await history.delete_old(30) == 1
    assert await found(history, "batch") == ["young"]
    assert (await history.counts(Filters(words="batch"))).total == 1
    words = await history.database.read(
        lambda connection: connection.scalar(sa.text("SELECT count(*) FROM alert_words"))
    )
    assert words == 1


async def test_an_id_that_is_sent_again_is_found_once(history: WrittenHistory):
    await write(history, "ben", CALL)
    await history.add([NewAlert("ben", replace(TEXT, message="Other words"), CALLER)])
    assert await found(history, "batch") == ["ben"]
    assert await found(history, "other words") == []


async def test_very_long_and_very_many_words(history: WrittenHistory):
    long = "x" * 3000
    await write(history, "long", replace(TEXT, message=f"{long} {'word ' * 3000}"))
    assert await found(history, long) == ["long"]
    assert await found(history, "word " * 500) == ["long"]


async def test_the_overview_adds_up(history: WrittenHistory):
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    await write(history, "eight", CALL, Status.CANCELED)
    await write(history, "nine", replace(CALL, user="maya"))
    await write(history, "nine too", TEXT, Status.ACKNOWLEDGED)
    await move(history, "eight", today + timedelta(hours=8, minutes=59))
    await move(history, "nine", today + timedelta(hours=9))
    await move(history, "nine too", today + timedelta(hours=9, minutes=30))
    hours = [today + timedelta(hours=each) for each in range(25)]
    overview = await history.overview(hours, today)
    assert overview.senders == ["ines", "maya"]
    assert overview.hours[8] == {Kind.CANCELED: 1}
    assert overview.hours[9] == {Kind.UNDER_WAY: 1, Kind.CONFIRMED: 1}
    assert sum(hour.total() for hour in overview.hours) == 3


async def test_the_costs_of_this_month(history: WrittenHistory):
    for alert_id in ("a", "b", "c"):
        request = replace(CALL, to=f"+1412555012{ord(alert_id) % 10}")
        await write_with_sid(history, alert_id, request, f"CA{alert_id}")
    await history.database.write(
        lambda connection: connection.execute(
            sa.text("UPDATE submissions SET price = 0.014, price_unit = 'USD' WHERE sid <> 'CAc'")
        )
    )
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    spent = (await history.overview([hour_ago, datetime.now(UTC)], hour_ago)).spent
    assert (round(spent.price, 3), spent.unit) == (0.028, "USD")
    assert (spent.estimated, spent.unestimated) == (0.014, 0)
    [made] = await history.tries("a")
    assert (made.number, made.sid, made.price) == (1, "CAa", 0.014)


async def test_every_change_changes_the_pulse(history: WrittenHistory):
    pulses = [await history.pulse()]
    await write(history, "ben", CALL)
    pulses.append(await history.pulse())
    for status in (Status.SENDING, Status.RINGING, Status.ACKNOWLEDGED):
        await history.record("ben", Event(datetime.now(UTC), status, str(status)))
        pulses.append(await history.pulse())
    assert len(set(pulses)) == len(pulses)
    assert await history.pulse() == pulses[-1]


async def test_alerts_from_before_can_be_found(empty_database_url: str, tmp_path: Path):
    """The words and stages of alerts that were saved by an older version."""
    versions = tmp_path / "versions"
    versions.mkdir()
    for file in sorted(VERSIONS.glob("000[1-6]_*.py")):
        shutil.copy(file, versions)
    engine = engine_for(parsed(empty_database_url), 1)
    bring_up_to_date(engine, versions)
    row = (
        "INSERT INTO alerts (id, account_sid, created_at, request, from_number, not_before, sender,"
        " person, due_at, revision, status, is_open, since, try_number, channel, to_number,"
        " canceling) VALUES (:id, :account, 1763600000.25, :request, '+1', 0, '', '', 0, 1,"
        " :status, false, 0, 1, 'call', :to, false)"
    )
    asked = f'{{"channel": "call", "to": "{BEN}", "message": "Batch é7", "acknowledge": true}}'
    with writing(engine) as connection:
        for alert_id, request, status in (
            ("a", asked, "completed"),
            ("b", asked.replace("true", "false"), "completed"),
            ("c", f'{{"channel": "call", "to": "{BEN}", "message": "x"}}', "delivered"),
            ("d", asked, "acknowledged"),
        ):
            values = {"id": alert_id, "account": ACCOUNT, "request": request, "to": BEN}
            connection.execute(sa.text(row), values | {"status": status})
    engine.dispose()
    async with written_history(empty_database_url) as history:
        assert await found(history, "e7") == ["d", "b", "a"]
        assert await found(history, BEN) == ["d", "c", "b", "a"]
        assert await ids(history, Filters(kind=Kind.REACHED)) == ["c", "b"]
        assert await ids(history, Filters(kind=Kind.NOT_REACHED)) == ["a"]
        assert await ids(history, Filters(kind=Kind.CONFIRMED)) == ["d"]


async def test_the_alerts_of_a_rule_are_found(history: WrittenHistory):
    await history.add([NewAlert("of rule", CALL, CALLER, rule_id="r1")])
    await history.add([NewAlert("of another", TEXT, CALLER, rule_id="r2")])
    await write(history, "by hand", CALL)
    await broadcast(history, "b1", "Recall", [CALL], "ines")
    assert await ids(history, Filters(rule="r1")) == ["of rule"]
    assert await ids(history, Filters(rule="r1", words="batch")) == ["of rule"]
    assert await ids(history, Filters(rule="r1", channel="text")) == []
    assert (await history.counts(Filters(rule="r2"))).total == 1
    # No broadcast is any rule's.
    assert all(row.alert for row in (await history.search(Filters(rule="r1"), limit=9)).rows)


def test_sqlite_finds_a_rules_alerts_by_their_index(tmp_path: Path):
    engine = engine_for(parsed(f"sqlite:///{tmp_path / 'callboard.sqlite'}"), 1)
    bring_up_to_date(engine)
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT position, id, stage, due_at FROM alerts WHERE"
            " channel = 'call' AND stage = 'queued' AND account_sid = ? AND position >= ?"
            " AND position < ? AND rule_id = ? ORDER BY position DESC LIMIT 25",
            (ACCOUNT, 0, 10, "r1"),
        ).all()
    engine.dispose()
    assert "alerts_by_rule" in plan[0].detail
    assert len(plan) == 1  # in order already
