"""What docs/broadcasts.md tells people to type."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ready_python
from tests.support.running_app import bare_environment

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).resolve().parents[2] / "docs/broadcasts.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]


def test_commands(project: Path) -> None:
    [rows] = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    (project / "lots.csv").write_text(rows, encoding="utf-8")
    said = []
    for command in COMMANDS:
        _, module, name, *words = shlex.split(command)
        assert (module, name) == ("-m", "alerts")
        ran = ready_python.run("alerts", words, project, bare_environment(), 120)
        assert ran.returncode == 0, ran.stderr
        said.append(ran.stdout.splitlines()[-1])
    assert said == [
        "Broadcast tank-3: 2 of 2 reached (2 reached).",
        "Broadcast tank-3: 2 of 2 reached (2 reached).",
        "Broadcast tank-3: 2 of 2 reached (2 reached).",
        "Nothing was sent. 2 people would be texted.",
        "Broadcast lots: 2 of 2 reached (2 reached).",
    ]
    assert f"`{said[0]}`" in PAGE


def test_python(project: Path) -> None:
    [script] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", script.replace('id="tank-3"', 'id="tank-3-python"')],
        cwd=project,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[-1] == "Tank 3 2 of 2 reached 0"
