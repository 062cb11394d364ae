"""What docs/people.md tells people to type, and what it says comes of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from people.columns import TARGETS
from people.listing import LATELY_SECONDS, QUIET_FROM, QUIET_TILL
from people.sheet import MOST_ROWS
from tests.support.project_folder import build_project_folder

PAGE = (Path(__file__).resolve().parents[2] / "docs/people.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\.venv/bin/python -m alerts (people .*)$", PAGE, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_a_file_to_a_group_and_back(tmp_path: Path):
    folder = build_project_folder(tmp_path, {})
    [rows] = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "team.csv").write_text(rows, encoding="utf-8")
    said = [folder.alerts(*shlex.split(command)) for command in COMMANDS]
    looked, imported, listed, by_hand, exported = said
    assert looked.stdout.endswith(
        "Would be: 2 added, 0 changed, 0 as they were, 1 left out: see above.\n"
    )
    assert f"```\n{imported.stdout}```" in PAGE
    assert imported.returncode == 1
    assert "Lab on call" in listed.stdout
    assert listed.stdout.count("Brewhouse 2") == 2
    assert "2 as they were, 1 left out" in by_hand.stdout
    assert exported.stdout == "Wrote 2 people to everybody.csv.\n"
    assert "tel:+1-412-555-0171" in (tmp_path / "everybody.csv").read_text(encoding="utf-8-sig")
    [script] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert f"It prints `{folder.python('-c', script).stdout.strip()}`" in PAGE


def test_what_it_says_of_limits():
    assert f"{MOST_ROWS:,} rows" in PAGE
    assert f"From {QUIET_FROM:%H:%M} to {QUIET_TILL:%H:%M}" in PAGE
    assert LATELY_SECONDS == 7 * 24 * 60 * 60
    for target in filter(None, TARGETS):
        assert f"`{target}`" in PAGE
