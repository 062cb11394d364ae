"""What a rule must never do is refused in a sentence, and leaves the sources as they were."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from rules.sandbox import QueryError, QueryResult, Sandbox, Table
from rules.sandbox.limits import Layers
from tests.rules.sandbox.hostile_queries import MEMORY_BOMBS, REFUSED, TIME_BOMBS
from tests.support.sandboxed import lab_csv, opened, outcome

BOMB_SECONDS = 2.0
LONGEST_SENTENCE = 420
GOOD = "SELECT count(*) FROM lab"


@pytest.fixture
def lab(tmp_path: Path) -> Table:
    (tmp_path / "secret.csv").write_text("line\na secret\n")
    return lab_csv(tmp_path)


@pytest.fixture(params=[True, False], ids=["with Landlock", "without Landlock"])
def layers(request: pytest.FixtureRequest) -> Layers:
    return Layers(landlock=request.param)


def filled(query: str, lab: Table) -> str:
    source = lab.files[0]
    return (
        query.replace("{source}", str(source))
        .replace("{secret}", str(source.parent / "secret.csv"))
        .replace("{folder}", str(source.parent))
        .replace("{{", "{")
        .replace("}}", "}")
    )


def contents(lab: Table) -> dict[str, str]:
    folder = lab.files[0].parent
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def problem_with(found: QueryResult | QueryError) -> str:
    """What is wrong with how a hostile query ended; "" if nothing is."""
    if isinstance(found, QueryResult):
        return f"ran, with {len(found.rows)} rows"
    sentence = str(found)
    if found.kind == "failed":
        return f"failed: {sentence}"
    if "\n" in sentence or not sentence.endswith((".", "?")) or len(sentence) > LONGEST_SENTENCE:
        return f"isn't one sentence: {sentence}"
    if "a secret" in sentence or "Error:" in sentence or "Traceback" in sentence:
        return f"tells too much: {sentence}"
    return ""


async def problems(
    sandbox: Sandbox, queries: Iterable[str], lab: Table, seconds: float = 20
) -> list[str]:
    async def one(query: str) -> str:
        problem = problem_with(await outcome(sandbox, filled(query, lab), lab, seconds=seconds))
        return problem and f"{query[:100]}: {problem}"

    return [each for each in await asyncio.gather(*map(one, queries)) if each]


def test_there_are_enough():
    distinct = {query for group in REFUSED.values() for query in group}
    assert len(distinct) >= 150
    assert len(distinct) + len(set(MEMORY_BOMBS)) + len(set(TIME_BOMBS)) >= 300


@pytest.mark.slow
@pytest.mark.parametrize("group", REFUSED)
async def test_is_refused_and_harms_nothing(group: str, lab: Table, layers: Layers):
    before = contents(lab)
    async with opened(layers) as sandbox:
        assert await problems(sandbox, REFUSED[group], lab) == []
        assert contents(lab) == before
        found = await outcome(sandbox, GOOD, lab)
    assert isinstance(found, QueryResult)
    assert found.rows == [(4,)]


@pytest.mark.slow
@pytest.mark.parametrize("bombs", [MEMORY_BOMBS, TIME_BOMBS], ids=["memory", "time"])
async def test_a_bomb_is_stopped_and_the_service_goes_on(bombs: tuple[str, ...], lab: Table):
    before = contents(lab)
    async with opened() as sandbox:
        assert await problems(sandbox, bombs, lab, BOMB_SECONDS) == []
        assert contents(lab) == before
        found = await outcome(sandbox, GOOD, lab)
    assert isinstance(found, QueryResult)
    assert found.rows == [(4,)]


async def test_a_few_bombs_without_landlock(lab: Table):
    async with opened(Layers(landlock=False)) as sandbox:
        bombs = (*MEMORY_BOMBS[:4], TIME_BOMBS[0])
        assert await problems(sandbox, bombs, lab, BOMB_SECONDS) == []


@pytest.mark.slow
async def test_looking_at_a_hostile_text_does_no_harm_either(lab: Table):
    """The editor asks which tables a text names, and whether it uses the clock."""
    before = contents(lab)
    wrong = []
    async with opened() as sandbox:
        for query in (*REFUSED["huge texts"], *REFUSED["writing"], *REFUSED["several"]):
            try:
                await sandbox.tables_of(filled(query, lab))
            except QueryError as error:
                wrong += [f"{query[:80]}: {error}"] if problem_with(error) else []
            else:
                wrong.append(f"{query[:80]}: was taken")
    assert wrong == []
    assert contents(lab) == before
