"""Checks from the data to the alerts, and what is written of them."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts import UnusableInput
from rules.keys import hash_of
from rules.rule import WHOLE_ROW
from rules.tables import checks, episode_alerts, episodes
from rules.telling import recipient_of
from simulator import SIMULATOR_ACCOUNT_SID
from tests.support.rule_at_work import BEN, CLARA, COLUMNS, INES, SQL, rule_at_work

OLD = (1406, "T1", 250, "Ben Adeyemi")
BENS = (1407, "T3", 374, "Ben Adeyemi")
CLARAS = (1408, "T4", 290, "Clara Novak")
BENS_WORDS = (BEN, "Batch 1407 in T3 has 374 ppb of diacetyl.")
CLARAS_WORDS = (CLARA, "Batch 1408 in T4 has 290 ppb of diacetyl.")
WITH_BAD = "SELECT *, diacetyl_ppb > 200 AS bad FROM tastings"


async def test_what_is_bad_already_is_known(tmp_path: Path, database_url: str):
    async with rule_at_work(tmp_path, OLD, BENS, database_url=database_url) as scene:
        rule = await scene.saved_rule()
        report = await scene.checker.turn_on(rule.id, rule.revision, "none", "Ines")
        assert (report.bad, report.new, report.fired) == (2, ("1406", "1407"), ())
        state = await scene.state(rule)
        assert (state["state"], state["state_by"], state["bad"]) == ("on", "Ines", 2)
        assert (await scene.check(rule)).result == "counted"
        assert await scene.told() == []
        assert await scene.states(rule) == {"1406": "known", "1407": "known"}


async def test_a_person_may_have_all_of_it_told(tmp_path: Path):
    async with rule_at_work(tmp_path, OLD, BENS) as scene:
        await scene.switched_on("all", message_for_many="{{ list }}", most_at_once=1)
        assert await scene.told() == [(BEN, "1406 and 1407")]


async def test_or_some_of_it(tmp_path: Path):
    async with rule_at_work(tmp_path, OLD, BENS) as scene:
        rule = await scene.switched_on({hash_of(["1407"])})
        assert await scene.told() == [BENS_WORDS]
        assert await scene.states(rule) == {"1406": "known", "1407": "firing"}


async def test_a_rule_whose_check_fails_isnt_switched_on(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.saved_rule(sql="SELECT batch FROM nothing")
        report = await scene.checker.turn_on(rule.id, rule.revision, "none", "Ines")
        assert report.result == "failed"
        assert "nothing" in report.failure
        assert (await scene.rule(rule.id)).state == "draft"
        # And nothing keeps it from being tried again at once.
        assert (await scene.state(rule))["leased_by"] is None


async def test_switching_on_another_revision_is_refused(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.saved_rule()
        await scene.saved.save(replace(rule, message="Another."), "Ben")
        with pytest.raises(UnusableInput, match="changed meanwhile"):
            await scene.checker.turn_on(rule.id, rule.revision, "none", "Ines")


async def test_switching_on_twice_is_switching_on_once(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        # By now it would be a baseline, in which this is known and told to nobody.
        await scene.checker.turn_on(rule.id, rule.revision, "none", "Ines")
        assert await scene.told() == [BENS_WORDS]


async def test_a_draft_is_only_looked_at(tmp_path: Path):
    async with rule_at_work(tmp_path, BENS) as scene:
        rule = await scene.saved_rule()
        with pytest.raises(UnusableInput, match="switch it on"):
            await scene.check(rule)
        with pytest.raises(UnusableInput, match="deleted"):
            await scene.checker.check_once("nobody's")
        report = await scene.checker.check_once(rule.id, dry_run=True)
        assert (report.bad, report.fired, report.is_dry) == (1, (), True)


async def test_a_dry_run_changes_nothing(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        before = await scene.state(rule)
        report = await scene.checker.check_once(rule.id, dry_run=True)
        assert report.fired == ("1407",)
        assert [each.request.to for each in report.notices] == [BEN]
        assert await scene.state(rule) == before
        assert await scene.told() == []


async def test_pending_for_some_checks(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(pending_checks=3)
        scene.write(BENS)
        await scene.check(rule)
        await scene.check(rule)
        # A failed check counts neither way.
        scene.file.write_text("")
        await scene.check(rule)
        assert await scene.told() == []
        scene.write(BENS)
        await scene.check(rule)
        assert await scene.told() == [BENS_WORDS]


async def test_pending_for_some_minutes_while_nothing_changes(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(pending_minutes=10)
        scene.write(BENS)
        _age(scene.file)
        await scene.check(rule)
        assert (await scene.check(rule)).result == "unchanged"
        await scene.turn_back(9 * 60)
        assert (await scene.check(rule)).result == "unchanged"
        await scene.turn_back(61)
        assert (await scene.check(rule)).fired == ("1407",)
        assert await scene.told() == [BENS_WORDS]
        assert (await scene.check(rule)).result == "unchanged"


async def test_what_was_pending_and_is_good_is_told_to_nobody(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(pending_checks=2, tell_recovery=True)
        scene.write(BENS)
        await scene.check(rule)
        scene.write()
        await scene.check(rule)
        assert await scene.states(rule) == {}
        scene.write(BENS)
        await scene.check(rule)
        assert await scene.told() == []


async def test_a_query_with_a_clock_is_never_skipped(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        _age(scene.file)
        rule = await scene.switched_on(sql=f"{SQL} AND current_date > DATE '2020-01-01'")
        assert (await scene.check(rule)).result == "counted"
        assert (await scene.check(rule)).result == "counted"


async def test_a_changed_rule_is_never_skipped(tmp_path: Path):
    async with rule_at_work(tmp_path, BENS) as scene:
        _age(scene.file)
        rule = await scene.switched_on()
        assert (await scene.check(rule)).result == "unchanged"
        rule = await scene.saved.save(replace(rule, message="Another."), "Ines")
        assert (await scene.check(rule)).result == "counted"


async def test_a_query_may_say_what_is_good(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(sql=WITH_BAD, recovery_checks=2)
        scene.write(BENS)
        await scene.check(rule)
        # It isn't listed any more: that is no proof of anything.
        scene.write()
        for _ in range(3):
            await scene.check(rule)
        assert await scene.states(rule) == {"1407": "firing"}
        scene.write((1407, "T3", 20, "Ben Adeyemi"))
        await scene.check(rule)
        assert await scene.states(rule) == {"1407": "recovering"}
        scene.write()
        await scene.check(rule)
        assert await scene.states(rule) == {"1407": "recovering"}
        scene.write((1407, "T3", 20, "Ben Adeyemi"))
        await scene.check(rule)
        assert await scene.states(rule) == {}
        assert await scene.told() == [BENS_WORDS]


async def test_checks_that_dont_list_a_row_count_neither_way(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(sql=WITH_BAD, pending_checks=3)
        scene.write(BENS)
        await scene.check(rule)
        scene.write()
        _age(scene.file)
        for _ in range(4):
            assert (await scene.check(rule)).result == "counted"
        scene.write(BENS)
        assert (await scene.check(rule)).fired == ()
        assert (await scene.check(rule)).fired == ("1407",)


async def test_a_row_without_a_key_is_told_to_the_owner(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write((None, "T3", 374, "Ben Adeyemi"), BENS)
        await scene.check(rule)
        await scene.check(rule)
        assert await scene.told() == [
            BENS_WORDS,
            (
                INES,
                "Diacetyl: it isn't clear whom to tell about (empty) (batch is empty in this row, "
                "so it isn't clear what it is about).",
            ),
        ]


@pytest.mark.parametrize(
    ("client", "why"),
    [
        ("", "client is empty in its row"),
        ("Nobody", "Nobody called Nobody"),
        ("12", "12"),
        ("Ben Adeyemi; Nobody", "Nobody called Nobody"),
    ],
)
async def test_a_row_with_an_unreadable_recipient_is_told_to_the_owner(
    tmp_path: Path, client: str, why: str
):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write((1407, "T3", 374, client), CLARAS)
        await scene.check(rule)
        await scene.check(rule)
        told = await scene.told()
        [words] = [words for number, words in told if number == INES]
        assert words.startswith("Diacetyl: it isn't clear whom to tell about 1407 (")
        assert why in words
        assert CLARAS_WORDS in told
        # The recipients that can be read are told.
        assert (BENS_WORDS in told) is ("Ben" in client)


async def test_a_row_that_names_nobody_cant_forge_lines_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    forged = "2026-11-26 ERROR forged \x1b[31m\u202e"
    row = (1, "T1", 300, f'"Nobody\u2028\n{forged}\r\n%s"')
    async with rule_at_work(tmp_path, row) as scene:
        rule = await scene.switched_on("all", owner="")
        await scene.check(rule)
    lines = [each for each in caplog.messages if "can't tell anybody" in each]
    assert any("ERROR forged" in each for each in lines)
    assert [each for each in lines if not each.isprintable()] == []
    assert all(each.startswith("The rule Diacetyl ") for each in lines)


@pytest.mark.parametrize("odd", ["repeat('x', 60000)", "client || chr(0)"])
async def test_a_recipient_that_no_database_can_look_for_keeps_nobody_else_from_being_told(
    tmp_path: Path, database_url: str, odd: str
):
    async with rule_at_work(tmp_path, database_url=database_url) as scene:
        odd_client = f"if(batch = 1407, {odd}, client) AS client"
        rule = await scene.switched_on(
            sql=SQL.replace("diacetyl_ppb, client", f"diacetyl_ppb, {odd_client}")
        )
        scene.write(BENS, CLARAS)
        assert (await scene.check(rule)).result == "counted"
        told = dict(await scene.told())
        assert told[CLARA] == CLARAS_WORDS[1]
        assert "it isn't clear whom to tell about 1407" in told[INES]


async def test_a_query_of_our_own_that_fails_is_a_failed_check(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        database = await scene.desk.database()
        await database.write(
            lambda connection: connection.execute(sa.text("ALTER TABLE contacts RENAME TO gone"))
        )
        report = await scene.check(rule)
        assert (report.result, (await scene.state(rule))["failures"]) == ("failed", 1)


async def test_words_that_cant_be_filled_in_go_to_the_owner(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write((1407, None, 374, "Ben Adeyemi"), CLARAS)
        await scene.check(rule)
        told = dict(await scene.told())
        assert told[CLARA] == CLARAS_WORDS[1]
        assert "{{ tank }}" in told[INES]
        assert BEN not in told


async def test_many_rows_are_one_alert_for_each_recipient(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(
            message_for_many="{{ count }} batches in {{ tank }}: {{ list }}.",
            to="Ben, Clara",
            to_column="",
        )
        scene.write(BENS, CLARAS, (1409, "T4", 300, ""))
        await scene.check(rule)
        words = "3 batches in T3 and T4: 1407, 1408 and 1409."
        assert await scene.told() == [(BEN, words), (CLARA, words)]
        about = await scene.rows(episode_alerts)
        assert len(about) == 6
        assert {recipient_of(each["alert_id"]) for each in about} == {BEN, CLARA}


async def test_without_words_for_many_they_are_listed(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS, (1409, "T4", 300, "Ben Adeyemi"))
        await scene.check(rule)
        assert await scene.told() == [(BEN, "Diacetyl: 2 at once, 1407 and 1409.")]


async def test_alerts_are_gathered_for_some_minutes(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(gather_minutes=5, message_for_many="{{ list }}")
        scene.write(BENS)
        await scene.check(rule)
        await scene.turn_back(240)
        scene.write(BENS, (1409, "T4", 300, "Ben Adeyemi"), CLARAS)
        await scene.check(rule)
        assert await scene.told() == []
        # One is over before its recipients were told.
        scene.write(BENS, (1409, "T4", 300, "Ben Adeyemi"))
        await scene.check(rule)
        await scene.turn_back(61)
        await scene.check(rule)
        await scene.check(rule)
        assert await scene.told() == [(BEN, "1407 and 1409")]


async def test_once_ever(tmp_path: Path):
    async with rule_at_work(tmp_path, OLD) as scene:
        rule = await scene.switched_on(once_ever=True)
        for rows in ([OLD, BENS], [], [OLD, BENS], []):
            scene.write(*rows)
            await scene.check(rule)
        assert await scene.told() == [BENS_WORDS]


async def test_a_simulations_episodes_dont_count_for_a_real_account(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        await scene.check(rule)
    real = "AC" + "1" * 32
    async with rule_at_work(tmp_path, BENS, account_sid=real, people=()) as scene:
        rule = await scene.rule(rule.id)
        assert rule.state == "draft"
        await scene.checker.turn_on(rule.id, rule.revision, "all", "Ines")
        assert await scene.told() == [BENS_WORDS]
        accounts = {each["account_sid"] for each in await scene.rows(episodes)}
        assert accounts == {real, SIMULATOR_ACCOUNT_SID}


async def test_too_many_rows_change_nothing(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(
            sql="SELECT range AS batch, 'T' AS tank, 300 AS diacetyl_ppb, '' AS client "
            "FROM range(60000) WHERE (SELECT max(batch) FROM tastings) > 1000"
        )
        scene.write(BENS)
        report = await scene.check(rule)
        assert report.result == "failed"
        assert "More than 50,000 rows" in report.failure
        assert await scene.states(rule) == {}


async def test_a_key_that_isnt_exact_is_refused_in_a_sentence(tmp_path: Path):
    async with rule_at_work(tmp_path, (1407, "T3", 374.5, "Ben Adeyemi")) as scene:
        rule = await scene.saved_rule(key=("diacetyl_ppb",))
        report = await scene.checker.turn_on(rule.id, rule.revision, "none", "Ines")
        assert "CAST" in report.failure


async def test_the_whole_row_may_be_the_key(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(key=WHOLE_ROW)
        scene.write(BENS)
        await scene.check(rule)
        scene.write(BENS, (1407, "T3", 375, "Ben Adeyemi"))
        await scene.check(rule)
        assert [words for _, words in await scene.told()] == [
            BENS_WORDS[1],
            "Batch 1407 in T3 has 375 ppb of diacetyl.",
        ]


async def test_the_owner_hears_that_data_stopped(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(stale_after_minutes=60)
        scene.write(BENS)
        await scene.check(rule)
        _age(scene.file, 3 * 3600)
        report = await scene.check(rule)
        await scene.check(rule)
        assert report.failure == "Data stopped: the newest is from 3 hours ago."
        assert await scene.states(rule) == {"1407": "firing"}
        assert (await scene.told())[1:] == [(INES, f"Diacetyl: {report.failure}")]


async def test_the_newest_row_tells_more_than_the_file(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        columns = f"{COLUMNS},tasted_at"
        now = datetime.now(UTC)
        times = [f"{now - timedelta(hours=hours):%Y-%m-%d %H:%M:%S}" for hours in (30, 5)]
        scene.write((*BENS, times[1]), columns=columns, good=((1, "T1", 0, "", times[0]),))
        rule = await scene.saved_rule(
            stale_after_minutes=240, time_column="tasted_at", time_zone="UTC"
        )
        report = await scene.checker.turn_on(rule.id, rule.revision, "none", "Ines")
        assert report.failure == "Data stopped: the newest is from 5 hours ago."
        rule = await scene.saved.save(replace(rule, stale_after_minutes=360), "Ines")
        report = await scene.checker.turn_on(rule.id, rule.revision, "none", "Ines")
        assert report.result == "counted"


async def test_a_row_from_a_mistyped_year_doesnt_count_as_the_newest(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        now = datetime.now(UTC)
        times = [f"{now - timedelta(hours=hours):%Y-%m-%d %H:%M:%S}" for hours in (5, -24 * 3650)]
        good = [(1, "T1", 0, "", each) for each in times]
        scene.write(columns=f"{COLUMNS},tasted_at", good=good)
        rule = await scene.saved_rule(
            stale_after_minutes=240, time_column="Tasted_At", time_zone="UTC"
        )
        report = await scene.checker.turn_on(rule.id, rule.revision, "none", "Ines")
        assert report.failure == "Data stopped: the newest is from 5 hours ago."


async def test_without_its_time_column_a_rule_cant_tell_whether_data_come(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.saved_rule(stale_after_minutes=240, time_column="tasted")
        report = await scene.checker.turn_on(rule.id, rule.revision, "none", "Ines")
        assert report.failure == (
            "tastings has no column tasted, so it isn't known whether data still come. Name "
            "another time column."
        )


async def test_each_check_is_written_down(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        await scene.check(rule)
        scene.file.write_text("")
        await scene.check(rule)
        scene.write()
        await scene.check(rule)
        names = ("number", "result", "bad", "new", "fired", "over")
        assert [tuple(row[name] for name in names) for row in await scene.rows(checks)] == [
            (1, "counted", 0, 0, 0, 0),
            (2, "counted", 1, 1, 1, 0),
            (3, "failed", None, 0, 0, 0),
            (4, "counted", 0, 0, 0, 1),
        ]


def _age(file: Path, seconds: float = 60) -> None:
    """Let a file have been written a while ago."""
    then = time.time() - seconds
    os.utime(file, (then, then))


async def test_the_owner_hears_of_many_unreadable_recipients_in_one_text(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        sql = SQL.replace("batch,", "batch || repeat('x', 90) AS batch,")
        rule = await scene.switched_on(sql=sql)
        people = ["; ".join(f"{each}{'y' * 30}" for each in "abcdefgh")] * 5
        scene.write(*((number, "T3", 374, each) for number, each in enumerate(people, 1405)))
        await scene.check(rule)
        [(owner, words)] = await scene.told()
        assert owner == INES
        assert all(f"{number}xxx" in words for number in range(1405, 1410))
        assert words.count("Nobody called") >= 5
        assert "more" not in words
