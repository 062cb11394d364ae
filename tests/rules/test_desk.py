"""The desk of rules: switched on only as it was seen, decided about once, and listed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from access import EVERYTHING, Actor
from alerts import UnusableInput
from rules.desk import RuleDesk
from rules.overview import RuleOverview
from rules.rule import Rule
from rules.sandbox import QueryError
from tests.support.rule_at_work import BEN, CLARA, RULE, RuleAtWork, rule_at_work

ROWS = ((1407, "T3", 210, "Ben"), (1408, "T4", 180, "Ben"), (1409, "T5", 240, "Brewers"))


@pytest.fixture
async def scene(database_url: str, tmp_path: Path) -> AsyncIterator[RuleAtWork]:
    async with rule_at_work(tmp_path, *ROWS, database_url=database_url) as opened:
        yield opened


@pytest.fixture
def rules(scene: RuleAtWork) -> RuleDesk:
    rules = RuleDesk(scene.desk, scene.sources, scene.sandbox)
    return rules.acting_as(Actor("Ann", EVERYTHING))


def as_ben(rules: RuleDesk) -> RuleDesk:
    return rules.acting_as(Actor("Ben", EVERYTHING))


async def seen_and_saved(rules: RuleDesk, **changes: Any) -> tuple[Rule, str]:
    rule = await rules.save(replace(RULE, **changes))
    return rule, (await rules.preview(rule)).fingerprint


async def only(rules: RuleDesk) -> RuleOverview:
    [found] = await rules.overview()
    return found


async def test_turning_on_tells_what_was_decided_and_nothing_else(
    scene: RuleAtWork, rules: RuleDesk
) -> None:
    rule, fingerprint = await seen_and_saved(rules)
    preview = await rules.preview(rule)
    await rules.turn_on(rule.id, fingerprint, {preview.rows[1].key})
    assert [to for to, _ in await scene.told()] == [CLARA]
    assert await scene.states(rule) == {"1407": "known", "1409": "firing"}
    # Once more changes nothing: it is on.
    await as_ben(rules).turn_on(rule.id, fingerprint, "all")
    assert len(await scene.told()) == 1
    assert (await rules.switched())[rule.id].by == "Ann"


@pytest.mark.parametrize(("tell", "numbers"), [("none", []), ("all", [BEN, CLARA])])
async def test_all_or_none_of_what_is_bad_already_is_told(
    scene: RuleAtWork, rules: RuleDesk, tell: Any, numbers: list[str]
) -> None:
    rule, fingerprint = await seen_and_saved(rules)
    await rules.turn_on(rule.id, fingerprint, tell)
    assert sorted(to for to, _ in await scene.told()) == numbers


async def test_a_rule_that_was_not_seen_as_it_is_stays_off(
    scene: RuleAtWork, rules: RuleDesk
) -> None:
    rule, fingerprint = await seen_and_saved(rules)
    with pytest.raises(UnusableInput, match="once more"):
        await RuleDesk(scene.desk, scene.sources, scene.sandbox).turn_on(
            rule.id, fingerprint, "all"
        )
    changed = await as_ben(rules).save(replace(rule, sql=f"{rule.sql} OR true"))
    with pytest.raises(UnusableInput, match="once more") as raised:
        await rules.turn_on(rule.id, fingerprint, "all")
    assert raised.value.field == "revision"
    assert await scene.told() == []
    assert (await scene.rule(rule.id)).state == "draft"
    seen = await rules.preview(changed)
    await rules.turn_on(rule.id, seen.fingerprint, "none")
    assert (await scene.rule(rule.id)).state == "on"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"message": ""}, "message"),
        ({"to_column": ""}, "to"),
        ({"message": "{{ lot }}"}, "message"),
        ({"owner": "Nobody Known"}, "owner"),
        ({"to_column": "", "to": "Ben, Nobody Known"}, "to"),
    ],
)
async def test_what_would_tell_nobody_is_not_switched_on(
    scene: RuleAtWork, rules: RuleDesk, changes: dict[str, Any], field: str
) -> None:
    rule, fingerprint = await seen_and_saved(rules, **changes)
    with pytest.raises(UnusableInput) as raised:
        await rules.turn_on(rule.id, fingerprint, "all")
    assert raised.value.field == field
    assert (await scene.rule(rule.id)).state == "draft"


async def test_a_rule_that_can_not_be_checked_stays_off(scene: RuleAtWork, rules: RuleDesk) -> None:
    rule, fingerprint = await seen_and_saved(rules)
    scene.file.unlink()
    with pytest.raises(UnusableInput, match="tastings"):
        await rules.turn_on(rule.id, fingerprint, "all")
    scene.write(*ROWS, columns="batch,tank,diacetyl,client")
    with pytest.raises((UnusableInput, QueryError)):
        await rules.turn_on(rule.id, fingerprint, "all")
    assert (await scene.rule(rule.id)).state == "draft"
    assert (await only(rules)).health.kind == "draft"


async def test_the_list_tells_where_each_rule_stands(scene: RuleAtWork, rules: RuleDesk) -> None:
    rule, fingerprint = await seen_and_saved(rules, every_seconds=60)
    draft = await only(rules)
    assert (draft.now.words, draft.health.words, draft.next_check) == ("–", "Draft", None)
    assert [name for name, _ in draft.watches] == ["tastings"]
    await rules.turn_on(rule.id, fingerprint, "all")
    on = await only(rules)
    assert (on.now.bad, on.now.words, on.health.words) == (2, "2 bad", "Fine")
    assert on.alerts_by_day == (*(0,) * 13, 2)
    assert on.last_check is not None
    assert on.next_check is not None
    assert on.next_check - on.last_check == timedelta(seconds=60)
    await scene.change_state(rule, last_seconds=48.0)
    slow = await only(rules)
    assert (slow.health.kind, slow.health.words) == ("slow", "Slow: 48 s a check")
    scene.file.unlink()
    await rules.check_now(rule.id)
    failed = await only(rules)
    assert (failed.now.bad, failed.now.words) == (None, "Not known")
    assert failed.health.words == "Can't check"
    assert "tastings" in failed.health.detail
    assert failed.health.since is not None
    await as_ben(rules).turn_off(rule.id)
    off = await only(rules)
    assert (off.health.words, off.health.detail, off.now.words) == ("Off", "By Ben", "–")
    await as_ben(rules).delete(rule.id)
    assert await rules.overview() == []


async def test_a_flood_waits_for_a_person(scene: RuleAtWork, rules: RuleDesk) -> None:
    rule, fingerprint = await seen_and_saved(rules, most_at_once=2)
    await rules.turn_on(rule.id, fingerprint, "none")
    scene.append(*((number, "T9", 300, "Ben") for number in (1, 2, 3)))
    report = await rules.check_now(rule.id)
    assert "3 held" in report.sentence
    held = await only(rules)
    assert (held.held, held.health.kind, held.now.bad) == (3, "held", 5)
    assert held.health.words == "Held: 3 new at once"
    rows = await rules.held_rows(rule.id)
    assert [each.title for each in rows] == [("1",), ("2",), ("3",)]
    assert [each.to for each in rows[0].recipients] == [BEN]
    assert rows[0].cells["tank"] == "T9"
    before = len(await scene.told())  # the owner was told
    assert await rules.answer_held(rule.id, {rows[0].key}) == 1
    with pytest.raises(UnusableInput, match="decided already"):
        await as_ben(rules).answer_held(rule.id, "all")
    await rules.check_now(rule.id)
    told = (await scene.told())[before:]
    assert [to for to, _ in told] == [BEN]
    assert "Batch 1 " in told[0][1]
    assert (await only(rules)).health.words == "Fine"


async def test_episodes_are_listed_with_their_rows(scene: RuleAtWork, rules: RuleDesk) -> None:
    rule, fingerprint = await seen_and_saved(rules)
    await rules.turn_on(rule.id, fingerprint, "all")
    scene.write(*ROWS[:2], *((number, "T1", 1, "Clara Novak") for number in (1, 2, 3)))
    await rules.check_now(rule.id)
    open_, over = await rules.episodes(rule.id)
    assert (open_.words, open_.state, open_.cells["tank"]) == ("1407", "firing", "T3")
    assert (over.words, over.state) == ("1409", "over")
    assert over.over_at is not None
    assert over.over_at >= over.began_at


async def test_a_key_is_muted_by_its_words(scene: RuleAtWork, rules: RuleDesk) -> None:
    rule, fingerprint = await seen_and_saved(rules)
    await rules.turn_on(rule.id, fingerprint, "none")
    key = (await rules.episodes(rule.id))[0].key_hash
    until = datetime.now(UTC) + timedelta(hours=1)
    mute = await rules.mute(rule.id, key=key, until=until)
    assert mute.key_words in {"1407", "1409"}
    assert await rules.mutes(rule.id) == [mute]
    await rules.unmute(mute.id)
    assert await rules.mutes() == []


async def test_a_dry_run_writes_nothing(scene: RuleAtWork, rules: RuleDesk) -> None:
    rule, fingerprint = await seen_and_saved(rules)
    report = await rules.check_now(rule.id, dry_run=True)
    assert report.sentence == "2 bad, 2 new; nobody would be told."  # all is bad already
    assert (await only(rules)).health.kind == "draft"
    with pytest.raises(UnusableInput, match="off"):
        await rules.check_now(rule.id)
    await rules.turn_on(rule.id, fingerprint, "none")
    scene.append((1, "T9", 300, "Ben"))
    report = await rules.check_now(rule.id, dry_run=True)
    assert report.sentence == "3 bad, 1 new; 1 person would be told."
    assert await scene.told() == []
    assert (await rules.check_now(rule.id)).sentence == "3 bad, 1 new; 1 person is told."


async def test_sources_and_uploads_have_columns(scene: RuleAtWork, rules: RuleDesk) -> None:
    file = scene.folder / "up.csv"
    file.write_text("lot,ppb\n7,2.5\n")
    name = await rules.upload("Lots 2026.csv", file)
    found = await rules.columns(["tastings", name])
    assert [each.name for each in found["tastings"]] == ["batch", "tank", "diacetyl_ppb", "client"]
    assert [each.name for each in found[name]] == ["lot", "ppb"]


async def test_a_column_that_is_read_as_text_is_told(scene: RuleAtWork, rules: RuleDesk) -> None:
    file = scene.folder / "up.csv"
    file.write_text('lot,litres\n7,"1,250"\n')
    name = await rules.upload("Tanks.csv", file)
    assert [each.type for each in (await rules.columns([name]))[name]] == ["BIGINT", "VARCHAR"]
    (said,) = await rules.notes(name)
    assert said.startswith("litres is read as text: 1,250 may be a large number or a decimal.")
    assert await rules.notes("tastings") == ()
