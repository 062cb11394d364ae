"""While everything is stopped, rules tell nobody; afterwards a person decides about what was bad.

And a rule that has reached the limit of an hour says so, and tells when it may again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.emergency_stop import Stopped
from rules import health
from rules.held import answer_held
from tests.support.rule_at_work import BEN, CLARA, INES, RuleAtWork, rule_at_work

BENS = (1407, "T3", 374, "Ben Adeyemi")
CLARAS = (1408, "T4", 290, "Clara Novak")
BENS_WORDS = (BEN, "Batch 1407 in T3 has 374 ppb of diacetyl.")


async def answer(scene: RuleAtWork, rule_id: str, tell: str) -> int:
    account_sid = scene.desk.services.twilio.account_sid
    database = await scene.desk.database()
    assert tell in {"all", "none"}
    return await answer_held(
        database, account_sid, rule_id, "all" if tell == "all" else "none", "Ines"
    )


async def test_what_is_bad_meanwhile_waits_for_a_decision(tmp_path: Path, database_url: str):
    async with rule_at_work(tmp_path, database_url=database_url) as scene:
        rule = await scene.switched_on()
        await scene.desk.stop_everything()
        scene.write(BENS)
        report = await scene.check(rule)
        assert (report.result, report.held) == ("counted", ("1407",))
        scene.write(BENS, CLARAS)
        await scene.check(rule)
        assert await scene.told() == []
        assert (await scene.rule(rule.id)).state == "held"
        with pytest.raises(Stopped):
            await answer(scene, rule.id, "all")
        await scene.desk.lift_stop()
        # Lifting it tells nobody anything old.
        await scene.check(rule)
        assert await scene.told() == []
        assert await scene.states(rule) == {"1407": "held", "1408": "held"}
        assert await answer(scene, rule.id, "all") == 2
        await scene.check(rule)
        assert {number for number, _ in await scene.told()} == {BEN, CLARA}


async def test_a_rule_that_found_nothing_goes_on_as_usual(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        await scene.desk.stop_everything()
        await scene.check(rule)
        await scene.desk.lift_stop()
        scene.write(BENS)
        await scene.check(rule)
        assert await scene.told() == [BENS_WORDS]
        assert (await scene.rule(rule.id)).state == "on"


async def test_nobody_is_told_of_what_is_over_or_due_again(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(tell_recovery=True, reminders=3, reminder_minutes=1)
        scene.write(BENS, CLARAS)
        await scene.check(rule)
        told = await scene.told()
        assert len(told) == 2
        await scene.desk.stop_everything()
        await scene.turn_back(120)
        scene.write(BENS)
        await scene.check(rule)
        assert await scene.told() == told
        assert await scene.states(rule) == {"1407": "firing"}


async def test_a_rule_is_not_switched_on_meanwhile(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        await scene.desk.stop_everything()
        with pytest.raises(Stopped):
            await scene.switched_on()


async def test_the_stop_comes_between_the_plan_and_the_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        write, stopped = type(scene.desk).write_with_alerts, 0

        async def stop_first(self, *arguments, **options):
            nonlocal stopped
            if not stopped:
                stopped += 1
                await scene.desk.stop_everything()
            return await write(self, *arguments, **options)

        monkeypatch.setattr(type(scene.desk), "write_with_alerts", stop_first)
        report = await scene.check(rule)
        assert stopped == 1
        assert report.held == ("1407",)
        assert await scene.told() == []


async def test_a_rule_at_its_hourly_limit_tells_its_owner_and_goes_on_later(tmp_path: Path):
    async with rule_at_work(tmp_path, alerts_per_person_per_hour=1) as scene:
        rule = await scene.switched_on()
        scene.write(BENS, CLARAS)
        for _ in range(health.FAILURES_BEFORE_TELLING):
            report = await scene.check(rule)
            assert report.result == "failed"
            assert "asked for 2 calls and texts. 1 an hour is allowed" in report.failure
        assert await scene.told() == []
        await scene.turn_back(health.SECONDS_BEFORE_TELLING)
        await scene.check(rule)
        [(number, words)] = await scene.told()
        assert number == INES
        assert "ALERTS_PER_PERSON_PER_HOUR" in words
        # What is bad isn't forgotten.
        assert await scene.states(rule) == {}
