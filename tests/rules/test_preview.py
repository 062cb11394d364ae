"""What a preview shows: the rows, who would hear what, and the days behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts import UnusableInput
from rules.desk import RuleDesk
from rules.preview import MOST_ROWS
from rules.rule import WHOLE_ROW
from rules.sandbox import QueryError
from rules.sources import SourceError
from tests.support.rule_at_work import BEN, CLARA, COLUMNS, RULE, RuleAtWork, rule_at_work

ROWS = (
    (1407, "T3", 210, "Ben"),
    (1408, "T4", 180, "Ben"),
    (1409, "T5", 240, "Nobody Known"),
    (1410, "T6", 250, "Brewers"),
)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[RuleAtWork]:
    async with rule_at_work(tmp_path, *ROWS) as opened:
        yield opened


@pytest.fixture
def rules(scene: RuleAtWork) -> RuleDesk:
    return RuleDesk(scene.desk, scene.sources, scene.sandbox)


async def test_each_row_shows_who_would_hear_what(rules: RuleDesk) -> None:
    preview = await rules.preview(RULE)
    assert (preview.total, preview.sources, preview.problems) == (3, ("tastings",), {})
    assert preview.columns == ("batch", "tank", "diacetyl_ppb", "client")
    ben, nobody, group = preview.rows
    assert ben.title == ("1407",)
    assert [(each.name, each.to) for each in ben.recipients] == [("Ben Adeyemi", BEN)]
    assert ben.words == "Batch 1407 in T3 has 210 ppb of diacetyl."
    assert ben.cells["diacetyl_ppb"] == "210"
    assert (nobody.recipients, nobody.words) == ((), "")
    assert "Nobody called Nobody Known" in nobody.problem
    assert [each.to for each in group.recipients] == [CLARA]
    assert preview.fingerprint == RULE.fingerprint
    assert preview.keys == {each.key for each in preview.rows}


async def test_a_rule_without_words_or_people_shows_its_rows(rules: RuleDesk) -> None:
    preview = await rules.preview(replace(RULE, message="", to_column="", key=WHOLE_ROW))
    assert preview.total == 3
    assert preview.rows[0].title == ("1407", "T3", "210")
    assert {each.words for each in preview.rows} == {""}
    assert {each.problem for each in preview.rows} == {""}


async def test_a_mistake_in_the_query_has_its_place_and_fix(rules: RuleDesk) -> None:
    with pytest.raises(QueryError) as raised:
        await rules.preview(replace(RULE, sql="SELECT *\nFROM tasting"))
    error = raised.value
    assert "There is no source called tasting. Do you mean tastings?" in str(error)
    assert (error.line, error.column, error.length) == (2, 6, 7)
    assert error.fix is not None
    assert (error.fix.find, error.fix.replace) == ("tasting", "tastings")
    with pytest.raises(QueryError) as raised:
        await rules.preview(replace(RULE, sql="SELECT batch, diacetyl_pbb FROM tastings"))
    assert (raised.value.line, raised.value.column) == (1, 15)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"sql": " "}, "sql", "Write a query"),
        ({"key": ("lot",)}, "key", "lot, isn't in the query"),
        ({"to_column": "phone"}, "to_column", "phone, isn't in the query"),
        ({"key": ("x",), "sql": "SELECT 1.5::DOUBLE AS x, 'Ben' AS client"}, "key", "DOUBLE"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field(
    rules: RuleDesk, changes: dict[str, object], field: str, words: str
) -> None:
    with pytest.raises(UnusableInput, match=words) as raised:
        await rules.preview(replace(RULE, **changes))  # type: ignore[arg-type]
    assert raised.value.field == field


async def test_what_keeps_everybody_from_being_told_is_said_at_once(rules: RuleDesk) -> None:
    wrong = replace(
        RULE,
        sql="SELECT * FROM tastings WHERE false",
        message="Batch {{ lot }} is bad.",
        owner="Nobody Known",
    )
    preview = await rules.preview(wrong)
    assert preview.total == 0
    assert set(preview.problems) == {"message", "owner"}
    assert (
        "no column for {{ lot }}. There is rule, count, list, batch" in preview.problems["message"]
    )
    assert "Nobody called" in preview.problems["owner"]
    fine = replace(wrong, message="{{ rule }}: {{ batch }}, {{ name }}", owner="")
    assert (await rules.preview(fine)).problems == {}


async def test_a_source_that_is_gone_is_told(scene: RuleAtWork, rules: RuleDesk) -> None:
    scene.file.unlink()
    with pytest.raises(SourceError, match="tastings"):
        await rules.preview(RULE)


async def test_a_rule_that_is_on_is_compared_with_what_it_follows(
    scene: RuleAtWork, rules: RuleDesk
) -> None:
    rule = await scene.switched_on()
    assert (await rules.preview(replace(RULE, name="Other"))).same is None
    good = [(number, "T1", 10, "Clara Novak") for number in (1409, 1410, 1411)]
    scene.write((1407, "T3", 230, "Ben"), (1500, "T1", 300, "Ben"), *good)
    preview = await rules.preview(rule)
    assert (preview.same, preview.new, preview.gone) == (1, 1, 2)
    assert not preview.new_baseline
    other_key = await rules.preview(replace(rule, key=("tank",)))
    assert (other_key.same, other_key.new_baseline) == (None, True)


async def test_who_cant_be_tried_next_is_named(rules: RuleDesk) -> None:
    then_to = ("Clara Novak", "Nobody Known")
    preview = await rules.preview(replace(RULE, then_to=then_to))
    assert "Nobody called Nobody Known" in preview.problems["then_to"]
    assert (await rules.preview(replace(RULE, then_to=then_to[:1]))).problems == {}


async def test_of_many_rows_the_first_are_shown_and_all_are_counted(
    scene: RuleAtWork, rules: RuleDesk
) -> None:
    scene.write(*((number, "T1", 300, "Ben") for number in range(700)))
    preview = await rules.preview(RULE)
    assert (preview.total, len(preview.rows), len(preview.keys)) == (700, MOST_ROWS, 700)


# --- The days behind ----------------------------------------------------------------------------


async def test_without_a_time_column_the_past_is_not_known(rules: RuleDesk) -> None:
    past = await rules.past_alerts(RULE)
    assert past.by_day == ()
    assert "Name the time column of tastings" in past.problem


async def test_the_past_counts_what_turned_bad_on_each_day(
    scene: RuleAtWork, rules: RuleDesk
) -> None:
    today = datetime.now(UTC).date()
    rows = [
        (number, "T1", 300, "Ben", f"{today - timedelta(days=back)} 00:00:00")
        for number, back in ((1, 60), (2, 5), (3, 5), (4, 1), (5, 0), (6, -1))
    ]
    lines = [f"{COLUMNS},tasted_at", *(",".join(map(str, row)) for row in rows)]
    scene.file.write_text("\n".join(lines) + "\n")
    past = await rules.past_alerts(replace(RULE, time_column="tasted_at"), days=10)
    assert past.problem == ""
    assert past.time_columns == ("tastings.tasted_at",)
    counts = {(today - day).days: count for day, count in past.by_day if count}
    # What was bad at the beginning counts as bad already; tomorrow's isn't there yet.
    assert counts == {5: 2, 1: 1, 0: 1}
    assert len(past.by_day) == 10
    assert past.bad_before == 1
    window = replace(
        RULE,
        time_column="tasted_at",
        sql="SELECT * FROM tastings WHERE tasted_at > now() - INTERVAL 36 HOUR",
    )
    assert sum(count for _, count in (await rules.past_alerts(window, days=10)).by_day) == 4


async def test_more_rows_than_a_check_reads_arent_counted(
    scene: RuleAtWork, rules: RuleDesk
) -> None:
    scene.write((1, "T1", 300, "Ben", "2026-01-01 00:00:00"), columns=f"{COLUMNS},t", good=())
    sql = "SELECT range AS batch FROM tastings, range(60000)"
    past = await rules.past_alerts(replace(RULE, sql=sql, to_column="", time_column="t"), days=2)
    assert past.by_day == ()
    assert "More than 50,000 rows are listed" in past.problem


async def test_what_is_wrong_with_the_past_is_a_sentence(
    scene: RuleAtWork, rules: RuleDesk
) -> None:
    wrong = await rules.past_alerts(replace(RULE, sql="SELEC 1"))
    assert wrong.problem
    assert wrong.by_day == ()
