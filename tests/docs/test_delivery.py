"""What docs/delivery.md tells people to type, and what it says about the code."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from alerts import Status
from cli.main import parser
from database.tables import metadata
from people import tables as _people  # noqa: F401 - adds its tables to the metadata
from tests.support.running_app import bare_environment

PAGE = (Path(__file__).resolve().parents[2] / "docs/delivery.md").read_text(encoding="utf-8")
README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_python(project: Path) -> None:
    [script] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=project,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "+14128574309 delivered Delivered" in ran.stdout
    assert "+14125550106 delivered Delivered" in ran.stdout


@pytest.mark.parametrize("status", Status)
def test_every_status_is_there(status: Status) -> None:
    assert f"`{status}`" in PAGE


def test_every_table_is_there() -> None:
    for name in metadata.tables:
        assert f"`{name}`" in PAGE


@pytest.mark.parametrize("command", ["call", "text"])
def test_every_option_is_in_the_readme(command: str) -> None:
    usage = parser().parse_args([command, "412 857 4309", "Off."])
    names = {name.replace("_", "-") for name in vars(usage)} - {
        "command",
        "run",
        "number",
        "message",
    }
    for name in names:
        option = {"minutes-between-tries": "minutes", "template": "verbatim"}.get(name, name)
        assert f"--{option}" in README
