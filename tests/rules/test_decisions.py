"""What people decide about what is bad: which of it is held, muted, or acknowledged."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts import Event, Status, UnusableInput
from rules.episodes import Tell
from rules.held import answer_held
from rules.mutes import Mutes
from rules.rule import Rule
from tests.support.desks import quiet_now, until_over
from tests.support.rule_at_work import BEN, CLARA, INES, RuleAtWork, rule_at_work

OLD = (1406, "T1", 250, "Ben Adeyemi")
BENS = (1407, "T3", 374, "Ben Adeyemi")
BENS_TOO = (1409, "T4", 300, "Ben Adeyemi")
CLARAS = (1408, "T4", 290, "Clara Novak")
BENS_WORDS = (BEN, "Batch 1407 in T3 has 374 ppb of diacetyl.")


async def mutes_of(scene: RuleAtWork) -> Mutes:
    return Mutes(await scene.desk.database(), scene.desk.services.twilio.account_sid)


async def answer(scene: RuleAtWork, rule: Rule, tell: Tell) -> int:
    account_sid = scene.desk.services.twilio.account_sid
    return await answer_held(await scene.desk.database(), account_sid, rule.id, tell, "Ines")


async def test_a_person_decides_what_is_held(tmp_path: Path, database_url: str):
    async with rule_at_work(tmp_path, database_url=database_url) as scene:
        rule = await scene.switched_on(most_at_once=1)
        scene.write(BENS, CLARAS, BENS_TOO)
        await scene.check(rule)
        held = await scene.open(rule)
        # Until a person decides it stays as it is, whatever happens.
        await scene.check(rule)
        scene.write(BENS, CLARAS)
        await scene.check(rule)
        assert await scene.states(rule) == {"1407": "held", "1408": "held"}
        assert await answer(scene, rule, {held["1407"].key_hash, held["1409"].key_hash}) == 1
        with pytest.raises(UnusableInput, match="decided already"):
            await answer(scene, rule, "all")
        await scene.check(rule)
        await scene.check(rule)
        told = await scene.told()
        assert [each for each in told if each[0] != INES] == [BENS_WORDS]
        assert await scene.states(rule) == {"1407": "firing", "1408": "known"}
        assert (await scene.rule(rule.id)).state == "on"


@pytest.mark.parametrize(("tell", "numbers"), [("all", [BEN, CLARA]), ("none", [])])
async def test_all_of_it_or_none(tmp_path: Path, tell: Tell, numbers: list[str]):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(most_at_once=1)
        scene.write(BENS, CLARAS)
        _age(scene.file)
        await scene.check(rule)
        await answer(scene, rule, tell)
        # It is due at once.
        assert (await scene.state(rule))["next_check_at"] <= time.time()
        await scene.check(rule)
        await scene.check(rule)
        assert [number for number, _ in await scene.told() if number != INES] == numbers


async def test_what_is_still_bad_when_a_mute_ends_is_told(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(message_for_many="{{ list }}")
        mutes = await mutes_of(scene)
        mute = await mutes.add(rule.id, by="Ines")
        scene.write(BENS, CLARAS, BENS_TOO)
        await scene.check(rule)
        assert set((await scene.states(rule)).values()) == {"firing"}
        scene.write(BENS, BENS_TOO)
        _age(scene.file)
        await scene.check(rule)
        assert (await scene.check(rule)).result == "unchanged"
        assert await scene.told() == []
        await mutes.end(mute.id)
        await scene.check(rule)
        await scene.check(rule)
        assert await scene.told() == [(BEN, "1407 and 1409")]


async def test_a_mute_of_a_key_or_a_recipient_leaves_the_others(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(to="Ben, Clara", to_column="", message="{{ batch }}")
        mutes = await mutes_of(scene)
        of_ben = await mutes.add(rule.id, recipient=BEN)
        scene.write(BENS)
        await scene.check(rule)
        await scene.check(rule)
        assert await scene.told() == [(CLARA, "1407")]
        [episode] = (await scene.open(rule)).values()
        await mutes.add(rule.id, key_hash=episode.key_hash)
        await mutes.end(of_ben.id)
        scene.write(BENS, CLARAS)
        await scene.check(rule)
        # 1408 for both, 1407 still for nobody else.
        assert (await scene.told())[1:] == [(BEN, "1408"), (CLARA, "1408")]
        for each in await mutes.all():
            await mutes.end(each.id)
        await scene.check(rule)
        await scene.check(rule)
        assert (await scene.told())[3:] == [(BEN, "1407")]


async def test_those_who_were_told_hear_when_it_is_no_longer_listed(tmp_path: Path):
    async with rule_at_work(tmp_path, OLD) as scene:
        rule = await scene.switched_on(tell_recovery=True)
        scene.write(OLD, BENS)
        await scene.check(rule)
        for each in await scene.alerts():
            await until_over(scene.desk, each.id)
        scene.write()
        await scene.check(rule)
        await scene.check(rule)
        assert (await scene.told())[1:] == [(BEN, "Diacetyl: 1407 is no longer listed.")]


async def test_reminders_follow_until_a_person_acknowledges(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(reminders=3, reminder_minutes=30)
        scene.write(BENS)
        await scene.check(rule)
        await until_over(scene.desk, (await scene.alerts())[0].id)
        await scene.turn_back(29 * 60)
        await scene.check(rule)
        assert len(await scene.told()) == 1
        await scene.turn_back(61)
        await scene.check(rule)
        await scene.check(rule)
        assert await scene.told() == [BENS_WORDS, BENS_WORDS]
        reminder = (await scene.alerts())[1]
        assert reminder.id.endswith(f":1:{BEN}:reminder-1")
        await _acknowledge(scene, reminder.id)
        await scene.turn_back(31 * 60)
        await scene.check(rule)
        assert len(await scene.told()) == 2


@pytest.mark.slow
async def test_three_reminders_are_the_most(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(reminders=2, reminder_minutes=30)
        scene.write(BENS)
        for _ in range(5):
            await scene.check(rule)
            for each in await scene.alerts():
                await until_over(scene.desk, each.id)
            await scene.turn_back(31 * 60)
        assert await scene.told() == [BENS_WORDS] * 3


async def _acknowledge(scene: RuleAtWork, alert_id: str) -> None:
    """Let the recipient have replied, if the alert hasn't ended in another way yet."""
    history = await scene.desk.history()
    event = Event(datetime.now(UTC), Status.ACKNOWLEDGED, "Replied", "recipient")
    alert = await history.record(alert_id, event)
    assert alert is not None
    assert alert.status is Status.ACKNOWLEDGED


def _age(file: Path) -> None:
    """Let a file have been written a while ago."""
    then = time.time() - 60
    os.utime(file, (then, then))


async def test_who_cant_be_told_that_it_is_over_stops_nothing(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(tell_recovery=True, channel="call")
        scene.write((1407, "T3", 374, f"{BEN} ext. 12"), CLARAS)
        await scene.check(rule)
        for each in await scene.alerts():
            await until_over(scene.desk, each.id)
        # Texts can't go to an extension.
        rule = await scene.saved.save(replace(rule, channel="text"), "Ines")
        scene.write()
        assert (await scene.check(rule)).over == 2
        assert await scene.states(rule) == {}
        assert (await scene.told())[2:] == [(CLARA, "Diacetyl: 1408 is no longer listed.")]


async def test_who_never_heard_of_it_doesnt_hear_that_it_is_over(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(tell_recovery=True, quiet_hours=quiet_now(BEN))
        scene.write(BENS)
        await scene.check(rule)
        [alert] = await scene.alerts()
        await scene.desk.cancel(alert.id)
        scene.write()
        assert (await scene.check(rule)).over == 1
        assert await scene.told() == [BENS_WORDS]
