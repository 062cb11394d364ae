"""What docs/activity.md tells people to type, and what it says about the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from alerts.filters import MOST_COUNTED
from cli.list import KINDS
from cli.main import parser
from cli.newest_first import DEFAULT_LIMIT
from tests.support.project_folder import ProjectFolder, build_project_folder

PAGE = (Path(__file__).resolve().parents[2] / "docs/activity.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\.venv/bin/python -m alerts (list.*)$", PAGE, re.MULTILINE)
ROWS = dict(re.findall(r"^\| `(--.*?)` \| (.*?) \|$", PAGE, re.MULTILINE))


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """The project folder of a user without an account, who has sent one text."""
    folder = build_project_folder(tmp_path_factory.mktemp("simulation"), {})
    sent = folder.alerts("text", "(412) 857-4309", "Batch 1407 is off.", "--id", "batch-1407")
    assert sent.returncode == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_commands(simulation: ProjectFolder, command: str) -> None:
    ended = simulation.alerts(*shlex.split(command))
    assert ended.returncode == 0
    narrow = any(word in command for word in ("Ben", "not-reached", "--by", "2026"))
    assert narrow or "batch-1407" in ended.stdout


def test_every_option_is_there() -> None:
    names = set(vars(parser().parse_args(["list"]))) - {"command", "run"}
    assert set(ROWS) == {f"--{name}" for name in names}
    assert all(f"`{kind}`" in ROWS["--status"] for kind in KINDS)
    assert f"({DEFAULT_LIMIT})" in ROWS["--limit"]


def test_how_far_tiles_count() -> None:
    assert f"counts more than {MOST_COUNTED:,} says" in " ".join(PAGE.split())
