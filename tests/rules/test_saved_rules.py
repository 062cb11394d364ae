"""Rules in the database: every revision kept, two editors told of each other, states by account."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from alerts import UnusableInput
from database.database import Database
from rules.rule import Rule
from rules.saved_rules import SavedRules, read_rule, switch_on
from rules.tables import rule_state, rule_versions, rules
from tests.rules.conftest import SIMULATION

RULE = Rule(
    name="Diacetyl above limit",
    sql="SELECT batch, phone FROM tastings WHERE diacetyl_ppb > limit_ppb",
    key=("batch",),
    message="Batch {{ batch }} is bad.",
    to_column="phone",
)
REAL = "AC_real"


async def turn_on(database: Database, rule: Rule, at: float = 100.0) -> None:
    await database.write(lambda connection: switch_on(connection, SIMULATION, rule, at, "Ann"))


async def next_checks(database: Database) -> list[float | None]:
    wanted = sa.select(rule_state.c.next_check_at)
    return await database.read(lambda connection: list(connection.scalars(wanted)))


async def test_a_saved_rule_comes_back_as_it_was(saved: SavedRules) -> None:
    rule = await saved.save(replace(RULE, name="  Diacetyl   above limit ", key=("a", "b")), "Ann")
    assert (rule.revision, rule.state, rule.changed_by) == (1, "draft", "Ann")
    assert rule == await saved.get(rule.id) == await saved.by_name("diacetyl ABOVE limit")
    assert rule.name == "Diacetyl above limit"
    assert await saved.all() == [rule]
    assert await saved.get("unknown") is None


async def test_each_change_is_a_revision_with_its_author(saved: SavedRules) -> None:
    first = await saved.save(RULE, "Ann")
    second = await saved.save(replace(first, message="Batch {{ batch }}!"), "Ben")
    unchanged = await saved.save(second, "Eve")
    assert (unchanged.revision, unchanged.changed_by) == (2, "Ben")
    versions = await saved.versions(first.id)
    assert [(each.revision, each.changed_by, each.message) for each in versions] == [
        (2, "Ben", "Batch {{ batch }}!"),
        (1, "Ann", RULE.message),
    ]


async def test_of_two_editors_the_second_is_told(saved: SavedRules) -> None:
    opened = await saved.save(RULE, "Ann")
    await saved.save(replace(opened, message="Ann's words"), "Ann")
    with pytest.raises(UnusableInput, match="Ann changed this rule at ") as raised:
        await saved.save(replace(opened, message="Ben's words"), "Ben")
    assert raised.value.field == "revision"
    kept = await saved.get(opened.id)
    assert kept is not None
    assert kept.message == "Ann's words"


async def test_of_many_editors_at_once_one_wins(database: Database, saved: SavedRules) -> None:
    opened = await saved.save(RULE, "Ann")
    edits = [replace(opened, message=f"Words {number}") for number in range(8)]
    outcomes = await asyncio.gather(
        *(saved.save(each, "Ann") for each in edits), return_exceptions=True
    )
    assert sum(isinstance(each, UnusableInput) for each in outcomes) == 7
    assert len(await saved.versions(opened.id)) == 2


async def test_two_rules_cannot_have_one_name(database: Database, saved: SavedRules) -> None:
    first = await saved.save(RULE, "Ann")
    with pytest.raises(UnusableInput, match="There is a rule Diacetyl above limit already"):
        await saved.save(replace(RULE, name="diacetyl above LIMIT"), "Ben")
    other = await saved.save(replace(RULE, name="Taint"), "Ben")
    with pytest.raises(UnusableInput, match="already"):
        await saved.save(replace(other, name=RULE.name), "Ben")
    await saved.save(replace(first, name="DIACETYL above limit"), "Ann")


async def test_of_several_that_take_a_name_at_once_one_gets_it(saved: SavedRules) -> None:
    outcomes = await asyncio.gather(
        *(saved.save(RULE, "Ann") for _ in range(5)), return_exceptions=True
    )
    refused = [each for each in outcomes if isinstance(each, UnusableInput)]
    assert (len(refused), len(await saved.all())) == (4, 1)


async def test_a_deleted_rule_leaves_its_name_and_its_history(
    database: Database, saved: SavedRules
) -> None:
    rule = await saved.save(RULE, "Ann")
    await turn_on(database, rule)
    await saved.delete(rule.id, "Ben")
    assert await saved.all() == []
    assert await saved.get(rule.id) is None
    assert await next_checks(database) == [None]
    assert await saved.names([rule.id]) == {rule.id: RULE.name}
    assert [each.changed_by for each in await saved.versions(rule.id)] == ["Ann"]
    again = await saved.save(RULE, "Ann")
    assert again.id != rule.id
    with pytest.raises(UnusableInput, match="deleted meanwhile"):
        await saved.save(replace(rule, name="Later"), "Ann")


async def test_what_is_on_in_a_simulation_is_a_draft_for_real(
    database: Database, saved: SavedRules
) -> None:
    rule = await saved.save(RULE, "Ann")
    await turn_on(database, rule)
    assert [each.state for each in await saved.all()] == ["on"]
    assert [each.state for each in await SavedRules(database, REAL).all()] == ["draft"]
    switched = (await saved.switched())[rule.id]
    assert (switched.state, switched.by) == ("on", "Ann")


async def test_switching_off_pauses_and_a_draft_stays_one(
    database: Database, saved: SavedRules
) -> None:
    rule = await saved.save(RULE, "Ann")
    await saved.switch_off(rule.id, "Ben")
    assert [each.state for each in await saved.all()] == ["draft"]
    await turn_on(database, rule)
    await saved.switch_off(rule.id, "Ben")
    await saved.switch_off(rule.id, "Eve")
    assert [each.state for each in await saved.all()] == ["paused"]
    assert (await saved.switched())[rule.id].by == "Ben"
    assert await next_checks(database) == [None]


async def test_a_changed_schedule_counts_at_once(database: Database, saved: SavedRules) -> None:
    rule = await saved.save(RULE, "Ann")
    far = 1e11
    await turn_on(database, rule, far)
    same = await saved.save(replace(rule, message="Other words"), "Ann")
    assert await next_checks(database) == [far]
    await saved.save(replace(same, every_seconds=1), "Ann")
    [at] = await next_checks(database)
    assert at is not None
    assert at < far
    await saved.switch_off(rule.id, "Ann")
    newest = await saved.get(rule.id)
    assert newest is not None
    await saved.save(replace(newest, every_seconds=2), "Ann")
    assert await next_checks(database) == [None]


async def test_a_rule_that_is_wrong_is_not_saved(database: Database, saved: SavedRules) -> None:
    with pytest.raises(UnusableInput, match="every second"):
        await saved.save(replace(RULE, every_seconds=0), "Ann")

    def rows(connection: sa.Connection) -> list[int]:
        counted = (sa.select(sa.func.count()).select_from(each) for each in (rules, rule_versions))
        return [connection.scalar(each) or 0 for each in counted]

    assert await database.read(rows) == [0, 0]


async def test_a_rule_that_is_on_may_lack_nothing(database: Database, saved: SavedRules) -> None:
    rule = await saved.save(RULE, "Ann")
    await turn_on(database, rule)
    with pytest.raises(UnusableInput, match="Write a message"):
        await saved.save(replace(rule, message=""), "Ann")
    await saved.switch_off(rule.id, "Ann")
    assert (await saved.save(replace(rule, message=""), "Ann")).revision == 2


async def test_saving_twice_because_the_answer_was_lost_is_saving_once(
    database: Database, saved: SavedRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = database.write

    async def write_twice(work):
        await write(work)
        return await write(work)

    monkeypatch.setattr(database, "write", write_twice)
    rule = await saved.save(RULE, "Ann")
    changed = await saved.save(replace(rule, message="Other words"), "Ann")
    assert changed.revision == 2
    assert [each.revision for each in await saved.versions(rule.id)] == [2, 1]
    found = await database.read(lambda connection: read_rule(connection, SIMULATION, rule.id))
    assert found == changed
