"""What docs/rules.md tells people to type, and what it says comes of it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from rules.desk import RuleDesk
from rules.guided import Guided, guided_sql
from rules.health import FAILURES_BEFORE_TELLING, SECONDS_BEFORE_TELLING, SECONDS_BETWEEN_TELLING
from rules.reading import MOST_ROWS, QUERY_SECONDS
from rules.rule import NOT_OF_THE_DEFINITION, Rule, definition_of
from rules.rule_files import read_rules
from rules.sandbox import Sandbox
from rules.schedule import read_schedule
from rules.sources import Sources
from tests.support.desks import simulated_desk
from tests.support.project_folder import REPOSITORY, build_project_folder

PAGE = (REPOSITORY / "docs/rules.md").read_text(encoding="utf-8")
RULES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]
QUERIES = re.findall(r"```sql\n(.*?)\n```", PAGE, re.DOTALL)


@pytest.fixture
async def rules(tmp_path: Path) -> AsyncIterator[RuleDesk]:
    """The rules of a new installation, with the sources that ship."""
    sandbox = Sandbox()
    sources = Sources.load(
        REPOSITORY / "sources.toml",
        tmp_path,
        columns_of=sandbox.columns,
        values={"DATA_DIR": str(tmp_path)},
    )
    async with (
        simulated_desk(tmp_path) as desk,
        RuleDesk(desk, sources, sandbox) as opened,
    ):
        yield opened


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_a_csv_to_a_ringing_phone_and_into_git(tmp_path: Path) -> None:
    # The example looks for its settings beside the file that it is linked to.
    folder = build_project_folder(tmp_path, {})
    data = {"DATA_DIR": str(tmp_path / "data")}
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    (tmp_path / "rules.toml").write_text(RULES[0], encoding="utf-8")
    said: list[str] = []
    for command in COMMANDS[1:]:
        words = shlex.split(command)[1:]
        if words[:2] == ["-m", "alerts"]:
            ran = folder.alerts(*words[2:], **data)
        else:
            ran = folder.python(*words, **data)
        assert (ran.returncode, ran.stderr) == (0, ""), command
        said.append(ran.stdout)
    check, load, dry, on, bad, run, export, again, reloaded, listed, off = said
    assert check.startswith("Diacetyl above limit: fine, ")
    assert load == "1 new, 0 changed, 0 as they were.\n"
    assert dry.endswith("The rule is off; nothing was sent.\n")
    assert on.splitlines()[-1].startswith("Diacetyl above limit is on.")
    assert "ppb" in bad
    assert run.splitlines()[-1].endswith("1 new; 1 person is told.")
    assert export == "1 rule is in exported.toml.\n"
    assert again.startswith("Diacetyl above limit: fine, ")
    assert reloaded == "0 new, 0 changed, 1 as they were.\n"
    assert "Fine" in listed
    assert off == "Diacetyl above limit is off: nothing is checked.\n"
    sent = folder.alerts("list", "--json", **data).stdout.splitlines()
    assert [json.loads(each)["channel"] for each in sent] == ["text"]
    [script] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert folder.python("-c", script, **data).stdout == "Diacetyl above limit | Off\n"


@pytest.mark.parametrize("text", RULES)
async def test_each_example_can_be_switched_on(rules: RuleDesk, text: str) -> None:
    [rule] = read_rules(text, "rules.toml")
    preview = await rules.preview(rule)
    # Asking for a key press needs an address that Twilio can reach.
    assert set(preview.problems) <= {"acknowledge"}


def test_the_guided_way_writes_these_queries() -> None:
    over, missing, jump = QUERIES
    shared: dict[str, Any] = {"key": ("beer",), "time_column": "tasted_at"}
    of_beers = Guided("tastings", "diacetyl_ppb", "missing", **shared)
    assert guided_sql(Guided("tastings", "diacetyl_ppb", "over", limit_column="limit_ppb")) == over
    assert guided_sql(of_beers) == missing
    day = Guided("tastings", "diacetyl_ppb", "jump", "30", minutes=1440, also=("phone",), **shared)
    assert guided_sql(day) == jump


@pytest.mark.parametrize("query", QUERIES)
async def test_the_guided_queries_may_run(rules: RuleDesk, query: str) -> None:
    await rules.preview(Rule(name="a", sql=query, key=("beer",) if "beer" in query else ("batch",)))


def test_every_way_to_write_a_time_is_read() -> None:
    table = PAGE.split("| written | means |")[1].split("\n\n")[0]
    written = re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)
    assert len(written) == 8
    for each in written:
        read_schedule(each)


def test_every_field_is_there_with_its_default() -> None:
    table = PAGE.split("| key | default | meaning |")[1].split("\n\n")[0]
    named = set(
        re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (.*?) \|", table, re.MULTILINE)))
    )
    own = {field.name for field in fields(Rule)} - set(NOT_OF_THE_DEFINITION)
    assert named == own - {"every_seconds", "at"} | {"check"}
    usual = definition_of(Rule())
    for names, defaults in re.findall(r"^\| (.*?) \| (.*?) \|", table, re.MULTILINE):
        keys = re.findall(r"`([a-z_]+)`", names)
        numbers = [part for part in defaults.split(", ") if re.fullmatch(r"[\d.]+", part)]
        expected = [str(usual[key]) for key in keys if isinstance(usual.get(key), int | float)
                    and not isinstance(usual[key], bool) and usual[key]]  # fmt: skip
        assert [each for each in numbers if each != "0"] == expected, names


def test_the_limits_that_it_names() -> None:
    assert f"{MOST_ROWS:,} rows at most" in PAGE
    assert QUERY_SECONDS == 30
    assert FAILURES_BEFORE_TELLING == 3
    assert SECONDS_BEFORE_TELLING == 15 * 60
    assert SECONDS_BETWEEN_TELLING == 24 * 3600
