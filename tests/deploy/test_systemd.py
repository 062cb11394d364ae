"""The units in deploy/: how much they leave to the app, and that it works with that."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.installed_programs import installed_program
from tests.support.running_app import PROJECT

UNITS = sorted((PROJECT / "deploy").glob("*.service"))
EXPOSURE = 20  # 2.0 of 10

# A query of a rule in all its layers, and a request over TCP.
SCRIPT = """
import asyncio, json, sys
from pathlib import Path
from rules.sandbox.landlock import version
from tests.support.sandboxed import lab_csv, opened, outcome
from tests.support.servers import serve
import httpx
from starlette.applications import Starlette

async def main():
    async with opened() as sandbox:
        result = await outcome(sandbox, "SELECT batch FROM lab WHERE diacetyl_ppb > 200",
                               lab_csv(Path(sys.argv[1])))
    with serve(Starlette()) as url:
        status = httpx.get(url).status_code
    rows = [list(row) for row in getattr(result, "rows", [])]
    print(json.dumps({"landlock": version(), "rows": rows, "status": status, "said": str(result)}))

asyncio.run(main())
"""


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_how_exposed_it_is(unit: Path):
    command = [
        installed_program("systemd-analyze", "systemd"), "security", "--offline=yes",
        f"--threshold={EXPOSURE}", "--no-pager", str(unit),
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    overall = ended.stdout.strip().splitlines()[-1:]
    assert (ended.returncode, ended.stderr) == (0, ""), overall


def test_the_units_allow_alike():
    """What one lists and the other doesn't would be forgotten."""
    first, second = (
        set(re.findall(r"^[A-Z]\w+=.*$", unit.read_text(), re.MULTILINE)) for unit in UNITS
    )
    different = {line.partition("=")[0] for line in first ^ second}
    assert different == {"Description", "ExecStart"}


@pytest.mark.slow
def test_rules_work_under_it(tmp_path: Path):
    """Landlock isn't among the usual system calls, and without it no query runs."""
    installed_program("systemd-analyze", "systemd")
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.support.like_the_unit",
            str(UNITS[0]),
            "-c",
            SCRIPT,
            tmp_path,
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    outside = subprocess.run(
        [sys.executable, "-c", "from rules.sandbox.landlock import version; print(version())"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found["landlock"] == int(outside.stdout)
    assert (found["rows"], found["status"]) == ([[1402], [1403]], 404), found["said"]


def test_what_they_start(project: Path):
    """Each names a program of the folder that it runs in, and one that there is."""
    for unit in UNITS:
        settings = dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE))
        command, *_ = settings["ExecStart"].split()
        assert command.startswith(f"{settings['WorkingDirectory']}/.venv/bin/")
        assert (Path(sys.prefix) / "bin" / Path(command).name).exists()
        assert settings["StateDirectory"] == "callboard"
