"""What users of comparable systems complain of, each of which must not happen here."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from alerts import Status
from alerts.message.compose import said
from people.contact import Contact
from people.contacts import Contacts
from rules import health
from rules.checker import RuleChecker
from rules.desk import RuleDesk
from rules.overview import MEND_OWNER
from tests.support.desks import quiet_now
from tests.support.rule_at_work import BEN, CLARA, COLUMNS, INES, SQL, rule_at_work

pytestmark = pytest.mark.slow

OLD = (1406, "T1", 250, "Ben Adeyemi")
BENS = (1407, "T3", 374, "Ben Adeyemi")
CLARAS = (1408, "T4", 290, "Clara Novak")
BENS_WORDS = (BEN, "Batch 1407 in T3 has 374 ppb of diacetyl.")


async def test_the_same_row_is_told_once(tmp_path: Path):
    """https://github.com/metabase/metabase/issues/66578 and 56978."""
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        for _ in range(4):
            await scene.check(rule)
        # The row is written again, and its other cells change: it is the same batch.
        scene.write((1407, "T9", 380, "Ben Adeyemi"))
        await scene.check(rule)
        assert await scene.told() == [BENS_WORDS]


async def test_nobody_is_told_after_it_was_fixed(tmp_path: Path):
    """https://github.com/metabase/metabase/issues/65228."""
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(quiet_hours=quiet_now(BEN))
        scene.write(BENS, (1409, "T5", 300, "Ben Adeyemi"))
        await scene.check(rule)
        # One alert about both waits for the morning. One of them gets well: the other is still bad.
        scene.write(BENS)
        await scene.check(rule)
        [alert] = await scene.alerts()
        assert alert.status is Status.QUEUED
        scene.write()
        await scene.check(rule)
        [alert] = await scene.alerts()
        assert alert.status is Status.CANCELED
        assert alert.events[-1].note == "Canceled: no longer listed"


async def test_the_owner_hears_of_a_broken_query(tmp_path: Path):
    """https://github.com/metabase/metabase/issues/32687 and 69610, redash 2593."""
    async with rule_at_work(tmp_path, BENS) as scene:
        rule = await scene.switched_on()
        scene.write(BENS, columns="batch,tank,diacetyl_ppb_2,client")
        for _ in range(health.FAILURES_BEFORE_TELLING):
            report = await scene.check(rule)
            assert report.result == "failed"
            assert "diacetyl_ppb" in report.failure
        assert await scene.told() == []
        await scene.turn_back(health.SECONDS_BEFORE_TELLING)
        await scene.check(rule)
        await scene.check(rule)
        [(number, words)] = await scene.told()
        assert number == INES
        assert words.startswith("The rule Diacetyl can't be checked, so nobody hears what is bad.")
        assert "diacetyl_ppb" in words
        # What was bad is neither told nor forgotten.
        assert await scene.states(rule) == {"1407": "known"}
        scene.write(BENS)
        await scene.check(rule)
        await scene.check(rule)
        assert [words for _, words in await scene.told()][1:] == [
            "The rule Diacetyl is healthy again: it is checked as usual."
        ]


async def test_recipients_come_from_the_data(tmp_path: Path):
    """https://github.com/grafana/grafana/issues/16060, metabase 56267."""
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS, CLARAS, (1409, "T5", 300, "+1 412-555-0188"), (1410, "T6", 301, "lab"))
        await scene.check(rule)
        assert {number for number, _ in await scene.told()} == {BEN, CLARA, "+14125550188", INES}


async def test_duplicate_keys_are_one_thing(tmp_path: Path):
    """https://github.com/grafana/grafana/issues/48400."""
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS, (1407, "T4", 290, "Clara Novak"), (1407, "T3", 374, "Ben Adeyemi"))
        report = await scene.check(rule)
        assert report.bad == 1
        # The first row's words, for the recipients of all rows.
        assert await scene.told() == [BENS_WORDS, (CLARA, BENS_WORDS[1])]


async def test_an_edit_changes_nothing_for_what_is_bad_already(tmp_path: Path):
    """https://github.com/grafana/grafana/issues/83250."""
    async with rule_at_work(tmp_path, OLD) as scene:
        rule = await scene.switched_on()
        scene.write(OLD, BENS)
        await scene.check(rule)
        rule = await scene.saved.save(
            replace(rule, message="Look at {{ batch }}.", sql=SQL.replace("200", "150")), "Ines"
        )
        scene.write(OLD, BENS, (1409, "T5", 160, "Clara Novak"))
        await scene.check(rule)
        assert await scene.told() == [BENS_WORDS, (CLARA, "Look at 1409.")]
        assert await scene.states(rule) == {"1406": "known", "1407": "firing", "1409": "firing"}


async def test_only_other_key_columns_begin_a_new_baseline(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        await scene.check(rule)
        rule = await scene.saved.save(replace(rule, key=("batch", "tank")), "Ines")
        await scene.check(rule)
        await scene.check(rule)
        assert await scene.told() == [BENS_WORDS]
        assert await scene.states(rule) == {"1407": "known"}
        scene.write(BENS, (1407, "T4", 290, "Clara Novak"))
        await scene.check(rule)
        assert len(await scene.told()) == 2


async def test_switching_on_again_tells_nothing_old(tmp_path: Path):
    """https://github.com/elastic/kibana/issues/177667."""
    async with rule_at_work(tmp_path, OLD) as scene:
        rule = await scene.switched_on()
        scene.write(OLD, BENS)
        await scene.check(rule)
        await scene.saved.switch_off(rule.id, "Ines")
        # While it is off, another gets bad.
        scene.write(OLD, BENS, CLARAS)
        report = await scene.checker.turn_on(rule.id, rule.revision, "none", "Ines")
        assert report.result == "counted"
        await scene.check(rule)
        assert await scene.told() == [BENS_WORDS]
        assert await scene.states(rule) == {"1406": "known", "1407": "firing", "1408": "known"}


async def test_switching_on_again_tells_what_went_bad_meanwhile_if_asked(tmp_path: Path):
    async with rule_at_work(tmp_path, OLD) as scene:
        rule = await scene.switched_on()
        scene.write(OLD, BENS)
        await scene.check(rule)
        await scene.saved.switch_off(rule.id, "Ines")
        scene.write(OLD, BENS, CLARAS)
        report = await scene.checker.turn_on(rule.id, rule.revision, "all", "Ines")
        assert report.fired == ("1408",)
        await scene.check(rule)
        # Neither what was told before, nor what a person has decided about before.
        assert [number for number, _ in await scene.told()] == [BEN, CLARA]


async def test_over_a_limit_nothing_vanishes(tmp_path: Path):
    """https://github.com/prometheus/prometheus/issues/12415."""
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(most_at_once=10)
        many = [(1500 + each, "T1", 300, f"+1412555{2000 + each}") for each in range(11)]
        scene.write(*many)
        report = await scene.check(rule)
        assert len(report.held) == 11
        assert (await scene.rule(rule.id)).state == "held"
        assert await scene.told() == [
            (
                INES,
                "The rule Diacetyl stopped itself: 11 new at once, more than 10. Nobody else has "
                "been told. Decide under Rules whom to tell.",
            )
        ]
        # One more joins them; the owner isn't told again.
        scene.write(*many, BENS)
        await scene.check(rule)
        assert len(await scene.told()) == 1
        assert set((await scene.states(rule)).values()) == {"held"}
        assert len(await scene.states(rule)) == 12


@pytest.mark.parametrize(
    ("people", "most_at_once", "most"), [(50, 10, 0), (51, 10, 50), (60, 60, 0), (61, 60, 60)]
)
async def test_one_row_for_a_crowd_is_a_flood(
    tmp_path: Path, people: int, most_at_once: int, most: int
):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(most_at_once=most_at_once)
        # The same key again and again, each time for another person.
        crowd = [(1407, "T3", 374, f"+1412555{2000 + each}") for each in range(people)]
        scene.write(*crowd)
        report = await scene.check(rule)
        told = await scene.told()
        if not most:
            assert (report.held, len(told)) == ((), people)
            return
        assert report.held == ("1407",)
        words = (
            f"The rule Diacetyl stopped itself: 1 new for {people} people at once, more than "
            f"{most}. Nobody else has been told. Decide under Rules whom to tell."
        )
        assert told == [(INES, words)]
        # Once a person has decided, all of them are told.
        await RuleDesk(scene.desk, scene.sources, scene.sandbox).answer_held(rule.id, "all")
        await scene.check(rule)
        assert len(await scene.told()) == 1 + people


async def test_a_row_for_a_large_group_is_a_flood_unless_the_rule_names_it(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        contacts = Contacts(await scene.desk.database(), scene.desk.services.regions)
        for each in range(51):
            number = f"+1412555{2000 + each}"
            await contacts.save(Contact("", f"Client {each}", (number,), groups=("Clients",)))
        rule = await scene.switched_on(name="By column")
        chosen = await scene.switched_on(name="By name", to_column="", to="Clients")
        scene.write((1407, "T3", 374, "Clients"))
        assert (await scene.check(rule)).held == ("1407",)
        assert (await scene.check(chosen)).held == ()
        [(number, words), *told] = await scene.told()
        assert (number, "1 new for 51 people at once" in words) == (INES, True)
        assert len(told) == 51


async def test_what_comes_and_goes_is_told_three_times_a_day(tmp_path: Path):
    """https://github.com/grafana/grafana/issues/7886."""
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        for _ in range(6):
            scene.write(BENS)
            await scene.check(rule)
            scene.write()
            await scene.check(rule)
        told = await scene.told()
        assert [number for number, _ in told] == [BEN, BEN, BEN, INES]
        assert "1407 came and went more than three times in a day" in told[-1][1]
        # A day later it is told again.
        await scene.turn_back(24 * 3600)
        scene.write(BENS)
        await scene.check(rule)
        assert [number for number, _ in await scene.told()][4:] == [BEN]


@pytest.mark.parametrize("owner", ["", "Ines Duarte", "Former Colleague"])
async def test_what_comes_and_goes_is_seen_even_without_an_owner(
    tmp_path: Path, owner: str, caplog: pytest.LogCaptureFixture
):
    async with rule_at_work(tmp_path) as scene:
        rules = RuleDesk(scene.desk, scene.sources, scene.sandbox)
        rule = await scene.switched_on(owner=owner)
        is_gone = owner == "Former Colleague"
        kind = "unheard" if is_gone else "fine"
        for times in range(1, 5):
            [shown] = await rules.overview()
            assert shown.health.kind == kind
            scene.write(BENS)
            await scene.check(rule)
            if times < 4:
                scene.write()
                await scene.check(rule)
        [shown] = await rules.overview()
        assert (shown.health.kind, shown.health.words) == ("flapping", "Comes and goes: 1407")
        who = "only the owner is told" if owner == "Ines Duarte" else "nobody is told"
        detail = f"More than 3 times in a day, so {who}"
        if is_gone:
            detail += f". Its owner can't be told: Nobody called Former Colleague. {MEND_OWNER}"
        assert shown.health.detail == detail
        is_unheard = owner != "Ines Duarte"
        assert ("can't tell anybody: Diacetyl: 1407 came and went" in caplog.text) is is_unheard
        await scene.turn_back(24 * 3600)
        [shown] = await rules.overview()
        assert shown.health.kind == kind


async def test_an_owner_of_whom_only_one_can_be_told(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        await scene.switched_on(owner="Ines Duarte, 412-555-01")
        [shown] = await RuleDesk(scene.desk, scene.sources, scene.sandbox).overview()
        assert (shown.health.kind, shown.health.words) == (
            "unheard",
            "One of its owners can't be told",
        )
        assert "412-555-01" in shown.health.detail


async def test_it_is_well_again_only_after_some_checks(tmp_path: Path):
    """So that a row which is missing once, such as while a file is written, isn't told twice."""
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(recovery_checks=2)
        for _ in range(3):
            scene.write(BENS)
            await scene.check(rule)
            scene.write()
            await scene.check(rule)
        assert await scene.told() == [BENS_WORDS]
        await scene.check(rule)
        assert await scene.states(rule) == {}


@pytest.mark.parametrize("what", ["missing", "empty", "half a row", "no rows at all"])
async def test_no_data_is_no_news(tmp_path: Path, what: str):
    """https://github.com/grafana/grafana/issues/16290."""
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        await scene.check(rule)
        match what:
            case "missing":
                scene.file.unlink()
            case "empty":
                scene.file.write_text("")
            case "half a row":
                scene.file.write_text(f"{COLUMNS}\n1407,T3,3")
            case "no rows at all":
                scene.write(good=())
        report = await scene.check(rule)
        assert report.result == "failed", what
        assert await scene.states(rule) == {"1407": "firing"}
        # It comes back, and is the same as before.
        scene.write(BENS)
        assert (await scene.check(rule)).result == "counted"
        assert await scene.told() == [BENS_WORDS]


async def test_no_bad_rows_are_health(tmp_path: Path):
    async with rule_at_work(tmp_path, BENS) as scene:
        rule = await scene.switched_on()
        scene.write((1407, "T3", 20, "Ben Adeyemi"))
        for _ in range(4):
            report = await scene.check(rule)
            assert report.result == "counted", report.failure
        await scene.turn_back(3600)
        await scene.check(rule)
        assert await scene.told() == []
        assert (await scene.state(rule))["failures"] == 0


async def test_two_checkers_tell_once(tmp_path: Path, database_url: str):
    """https://github.com/apache/superset/issues/39533."""
    async with rule_at_work(tmp_path, database_url=database_url) as scene:
        rule = await scene.switched_on(every_seconds=1)
        other = RuleChecker(scene.desk, scene.sources, scene.sandbox)
        running = [asyncio.create_task(each.run()) for each in (scene.checker, other)]
        try:
            scene.append(BENS)
            async with asyncio.timeout(20):
                while not await scene.told():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            number = (await scene.state(rule))["check_number"]
            async with asyncio.timeout(20):
                while (await scene.state(rule))["check_number"] < number + 3:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        finally:
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        assert await scene.told() == [BENS_WORDS]


async def test_sixteen_bad_rows_are_one_call(tmp_path: Path):
    """https://github.com/target/goalert/issues/1084."""
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(
            most_at_once=50, message_for_many="{{ count }} batches are off: {{ list }}."
        )
        scene.write(*((1500 + each, f"T{each}", 300, "Ben Adeyemi") for each in range(16)))
        await scene.check(rule)
        assert await scene.told() == [(BEN, "16 batches are off: 1500, 1501 and 14 more.")]


async def test_words_of_the_data_are_no_template(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write((1407, "{{ 7 * 7 }}", 374, "Ben Adeyemi"))
        await scene.check(rule)
        [alert] = await scene.alerts()
        assert said(alert) == "Batch 1407 in {{ 7 * 7 }} has 374 ppb of diacetyl."


async def test_a_key_column_in_other_letters_is_the_same_column(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        await scene.check(rule)
        rule = await scene.saved.save(replace(rule, key=("Batch",)), "Ines")
        scene.write(BENS, CLARAS)
        assert (await scene.check(rule)).fired == ("1408",)
        assert await scene.states(rule) == {"1407": "firing", "1408": "firing"}
