"""Which checks are made when, by which process, through what goes wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import UnusableInput
from rules.checker import RuleChecker
from rules.leases import LEASE_SECONDS, claim_due, claim_one, next_due, release, renew
from rules.recording import record
from rules.retention import KEEP_CHECKS_DAYS, KEEP_EPISODES_DAYS, SECONDS_A_DAY, delete_old
from rules.rule import Rule
from rules.saved_rules import SavedRules, switch_on
from rules.tables import checks, episodes, rule_state
from tests.support.direct_sql import execute
from tests.support.rule_at_work import BEN, RULE, RuleAtWork, rule_at_work

ACCOUNT = "AC_simulation"
BENS = (1407, "T3", 374, "Ben Adeyemi")


@asynccontextmanager
async def running(scene: RuleAtWork) -> AsyncIterator[None]:
    """Check what is due for as long as the block lasts."""
    task = asyncio.create_task(scene.checker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(is_so: Callable[[], Any], seconds: float = 30) -> None:
    """Wait until something that is asked for is so."""
    async with asyncio.timeout(seconds):
        while not await is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def on(database: Any, saved: SavedRules, name: str, at: float) -> Rule:
    """Save a rule that is on and due at a moment."""
    rule = await saved.save(replace(RULE, name=name), "Ines")
    await database.write(lambda connection: switch_on(connection, ACCOUNT, rule, at, "Ines"))
    return rule


async def change(database: Any, rule: Rule, **values: Any) -> None:
    changed = sa.update(rule_state).where(rule_state.c.rule_id == rule.id).values(values)
    await database.write(lambda connection: connection.execute(changed) and None)


async def test_what_is_due_is_claimed_by_one_process(database, saved):
    now = time.time()
    late = await on(database, saved, "Late", now - 60)
    later = await on(database, saved, "Later", now - 30)
    await on(database, saved, "Tomorrow", now + 86400)
    first = await database.write(lambda c: claim_due(c, ACCOUNT, "one", 10))
    assert [each.rule_id for each in first] == [late.id, later.id]
    assert await database.write(lambda c: claim_due(c, ACCOUNT, "two", 10)) == []
    assert await database.write(lambda c: claim_one(c, ACCOUNT, "two", late.id)) is None
    # If the answer to the commit was lost, the same work runs again.
    again = await database.write(lambda c: claim_due(c, ACCOUNT, "one", 10))
    assert {each.rule_id for each in again} == {late.id, later.id}
    await database.write(lambda c: release(c, ACCOUNT, again[0]))
    second = await database.write(lambda c: claim_due(c, ACCOUNT, "two", 10))
    assert [each.rule_id for each in second] == [again[0].rule_id]
    assert second[0].number == again[0].number + 1


async def test_a_lease_that_isnt_renewed_ends(database, saved):
    rule = await on(database, saved, "Late", time.time() - 60)
    [claim] = await database.write(lambda c: claim_due(c, ACCOUNT, "one", 10))
    await change(database, rule, leased_until=time.time() - 1)
    await database.write(lambda c: renew(c, ACCOUNT, [claim]))
    assert await database.write(lambda c: claim_due(c, ACCOUNT, "two", 10)) == []
    await change(database, rule, leased_until=time.time() - 1)
    assert len(await database.write(lambda c: claim_due(c, ACCOUNT, "two", 10))) == 1
    # The first one has lost it, and can't take it back.
    await database.write(lambda c: renew(c, ACCOUNT, [claim]))
    await database.write(lambda c: release(c, ACCOUNT, claim))
    assert await database.write(lambda c: claim_due(c, ACCOUNT, "three", 10)) == []


async def test_a_clock_that_was_set_back_stops_no_rule(database, saved):
    now = time.time()
    rule = await on(database, saved, "Late", now + 86400)
    # All of this was written a day later.
    await change(database, rule, last_check_at=now + 86000)
    assert await database.read(lambda c: next_due(c, ACCOUNT)) == 0
    assert len(await database.write(lambda c: claim_due(c, ACCOUNT, "one", 10))) == 1
    await change(database, rule, leased_until=now + 86000 + LEASE_SECONDS)
    assert len(await database.write(lambda c: claim_due(c, ACCOUNT, "two", 10))) == 1


async def test_nothing_is_due_without_a_rule_that_is_on(database, saved):
    assert await database.read(lambda c: next_due(c, ACCOUNT)) is None
    rule = await on(database, saved, "Soon", time.time() + 60)
    assert 50 < await database.read(lambda c: next_due(c, ACCOUNT)) <= 60
    assert await database.read(lambda c: next_due(c, "AC_other")) is None
    await saved.switch_off(rule.id, "Ines")
    assert await database.read(lambda c: next_due(c, ACCOUNT)) is None


async def test_missed_checks_are_made_up_for_by_one(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(every_seconds=600)
        due = (await scene.state(rule))["next_check_at"]
        # Nobody has checked it for a day.
        await scene.change_state(rule, next_check_at=due - 86400)
        scene.write(BENS)

        async def is_told() -> bool:
            return bool(await scene.told())

        async with running(scene):
            await until(is_told)
        state = await scene.state(rule)
        assert state["check_number"] == 2
        # It keeps its beat.
        assert (state["next_check_at"] - due) % 600 == pytest.approx(0, abs=0.001)
        assert state["next_check_at"] > time.time()


async def test_a_rule_that_fails_doesnt_stop_the_others(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        broken = await scene.switched_on(name="Broken", every_seconds=1)
        await scene.switched_on(name="Whole", every_seconds=1)
        await scene.saved.save(replace(broken, sql="SELECT no_such_column FROM tastings"), "Ines")
        scene.append(BENS)

        async def both() -> bool:
            failures = (await scene.state(broken))["failures"]
            return failures >= 2 and bool(await scene.told())

        async with running(scene):
            await until(both)
        assert [number for number, _ in await scene.told()] == [BEN]


async def test_what_callboard_itself_gets_wrong_is_a_failed_check(tmp_path: Path, monkeypatch):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()

        async def broken(*_: object, **__: object) -> None:
            raise RuntimeError("a mistake of ours")

        monkeypatch.setattr(scene.sources, "fetch", broken)
        report = await scene.check(rule)
        assert report.result == "failed"
        assert report.failure == "Callboard itself failed while checking this rule. See its log."
        assert (await scene.state(rule))["leased_by"] is None


async def test_a_failed_check_of_a_daily_rule_is_made_again_within_the_hour(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(at="0 7 * * *")
        due = (await scene.state(rule))["next_check_at"]
        scene.write(BENS)
        scene.file.rename(scene.file.with_suffix(".old"))
        for minutes in (1, 2, 4, 8, 15, 15):
            assert (await scene.check(rule)).result == "failed"
            assert (await scene.state(rule))["next_check_at"] <= time.time() + minutes * 60
        scene.file.with_suffix(".old").rename(scene.file)
        assert (await scene.check(rule)).fired == ("1407",)
        assert (await scene.state(rule))["next_check_at"] >= due


async def test_so_is_a_check_that_cant_be_planned(tmp_path: Path, monkeypatch):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)

        def broken(*_: object, **__: object) -> None:
            raise UnusableInput("message", "a mistake of ours")

        with monkeypatch.context() as during:
            during.setattr("rules.planning.after_check", broken)
            report = await scene.check(rule)
        assert report.result == "failed"
        assert (await scene.state(rule))["failures"] == 1
        # It is due again when the rule says, not at once.
        assert (await scene.state(rule))["next_check_at"] > time.time() + 30
        assert (await scene.check(rule)).fired == ("1407",)


async def test_a_check_that_cant_be_written_isnt_made_again_at_once(tmp_path: Path):
    async with rule_at_work(tmp_path, BENS) as scene:
        rule = await scene.switched_on()
        database = await scene.desk.database()
        await database.write(
            lambda connection: connection.execute(sa.text("ALTER TABLE checks RENAME TO gone"))
        )
        with pytest.raises(sa.exc.OperationalError):
            await scene.check(rule)
        assert (await scene.state(rule))["leased_by"] is not None


@pytest.mark.parametrize("meanwhile", ["switched off", "edited", "deleted", "taken over"])
async def test_a_check_that_was_overtaken_counts_for_nothing(tmp_path: Path, meanwhile: str):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        confirm = scene.sources.confirm

        async def confirmed(snapshots: Any) -> None:
            """The query has run, and nothing is written yet."""
            await confirm(snapshots)
            scene.sources.confirm = confirm  # type: ignore[method-assign]
            match meanwhile:
                case "switched off":
                    await scene.saved.switch_off(rule.id, "Ben")
                case "edited":
                    await scene.saved.save(replace(rule, message="Another."), "Ben")
                case "deleted":
                    await scene.saved.delete(rule.id, "Ben")
                case "taken over":
                    await scene.change_state(rule, leased_until=0)
                    other = RuleChecker(scene.desk, scene.sources, scene.sandbox)
                    assert (await other.check_once(rule.id)).fired == ("1407",)

        scene.sources.confirm = confirmed  # type: ignore[method-assign]
        assert (await scene.check(rule)).result == "superseded"
        assert len(await scene.told()) == (1 if meanwhile == "taken over" else 0)
        assert (await scene.state(rule))["leased_by"] is None


async def test_a_transaction_that_runs_again_writes_nothing_twice(tmp_path: Path, monkeypatch):
    """As if the answer to its commit had been lost."""
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on(recovery_checks=1)

        def twice(*arguments: Any) -> bool:
            assert record(*arguments)
            return record(*arguments)

        monkeypatch.setattr("rules.check.record", twice)
        scene.write(BENS)
        assert (await scene.check(rule)).result == "counted"
        assert len(await scene.told()) == 1
        assert len(await scene.rows(checks)) == 2
        assert len(await scene.rows(episodes)) == 1


async def test_what_is_old_is_deleted(tmp_path: Path):
    async with rule_at_work(tmp_path) as scene:
        rule = await scene.switched_on()
        scene.write(BENS)
        await scene.check(rule)
        scene.write()
        await scene.check(rule)
        database = await scene.desk.database()
        account_sid = scene.desk.services.twilio.account_sid
        assert await delete_old(database, account_sid) == 0
        for table, column, days in (
            (checks, "at", KEEP_CHECKS_DAYS),
            (episodes, "over_at", KEEP_EPISODES_DAYS),
        ):
            earlier = sa.update(table).values(
                {column: table.c[column] - (days + 1) * SECONDS_A_DAY}
            )
            await execute(scene.desk.services.database_url, earlier)
        # Episodes outlive the alerts that were named after them.
        assert await delete_old(database, account_sid, keep_days=KEEP_EPISODES_DAYS + 2) == 3
        assert len(await scene.rows(episodes)) == 1
        assert await delete_old(database, account_sid) == 1
        assert await scene.rows(episodes) == []
        assert await scene.rows(checks) == []
