"""The README's own commands, as a newcomer types them, in a copy of the project."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from cli.send import SIMULATION
from simulator.models.people import PEOPLE
from tests.support import ready_python
from tests.support.running_app import bare_environment, running
from tests.support.servers import free_port

PROJECT = Path(__file__).resolve().parents[2]
# Not what a tool left in a folder of its own, such as .pytest_cache.
PAGES = [PROJECT / "README.md", *PROJECT.glob("[!.]*/*.md")]
README = PAGES[0].read_text(encoding="utf-8")
SHELL_BLOCKS = [
    [line.split("   #")[0].strip() for line in block.replace("\\\n", "").splitlines()]
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
]
SHELL_LINES = [line for block in SHELL_BLOCKS for line in block]
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
# Those that end by themselves and install nothing; one may be about what another above it did.
COMMANDS = [
    commands
    for block in SHELL_BLOCKS
    if (
        commands := [
            line
            for line in block
            if line.startswith((".venv/bin/python -m alerts", ".venv/bin/python examples"))
        ]
    )
]


@pytest.fixture(scope="module")
def newcomer(project: Path) -> Path:
    """The copy, with this Python's environment for the `.venv` that installing would have made."""
    environment = project / ".venv"
    if not environment.exists():
        environment.symlink_to(sys.prefix)
    return project


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_no_page_has_two_versions_of_a_line(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [each for each in lines if each.startswith(("<<<<<<<", "=======", ">>>>>>>"))] == []


def test_there_are_commands_to_check() -> None:
    assert sum(len(commands) for commands in COMMANDS) >= 8
    assert SHELL_LINES[:2] == ["make run", "make test"]
    assert len(PYTHON_BLOCKS) == 1


@pytest.mark.slow
@pytest.mark.parametrize("commands", COMMANDS, ids=lambda commands: commands[0][-40:])
def test_commands(newcomer: Path, commands: list[str]) -> None:
    for command in commands:
        ran = _typed(newcomer, command)
        # What prints JSON says elsewhere that it is a simulation.
        said = SIMULATION + "\n" if "--json" in command and "alerts list" not in command else ""
        assert (command, ran.returncode, ran.stderr) == (command, 0, said)
        assert ran.stdout


def _typed(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command: the first of README in a shell, others without loading everything again."""
    python, *words = shlex.split(command)
    if command != COMMANDS[0][0] and words[:2] == ["-m", "alerts"]:
        assert python == ".venv/bin/python"
        return ready_python.run("alerts", words[2:], folder, bare_environment(), 60)
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.slow
def test_python(newcomer: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PYTHON_BLOCKS[0]],
        cwd=newcomer,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout.split()[-1] == "completed"


@pytest.mark.slow
def test_make_run_serves_the_dashboard(newcomer: Path) -> None:
    # What `make` would install is there already.
    for stamp in ("installed", "installed-dev"):
        (newcomer / ".venv" / stamp).touch()
    url = f"http://127.0.0.1:{(port := free_port())}/"
    with running(["make", "run", f"PORT={port}"], url, newcomer):
        assert "send_test_call" in httpx.get(url).text


@pytest.mark.slow
def test_simulator_alone(newcomer: Path) -> None:
    [command] = [line for line in SHELL_LINES if "-m simulator" in line]
    command = command.replace("4010", str(port := free_port()))
    with running(command.split(), f"http://127.0.0.1:{port}/", newcomer) as url:
        assert httpx.get(f"{url}2010-04-01/Accounts.json").status_code in {401, 404}


@pytest.mark.slow
def test_callboard_uses_the_simulator_alone(newcomer: Path) -> None:
    [command] = [line for line in SHELL_LINES if "-m simulator" in line]
    port = str(free_port())
    exported = [line.removeprefix("export ") for line in SHELL_LINES if line.startswith("export ")]
    settings = dict(line.replace("4010", port).split("=", 1) for line in exported)
    with running(command.replace("4010", port).split(), f"http://127.0.0.1:{port}/", newcomer):
        called = subprocess.run(
            [sys.executable, "-m", "alerts", "call", "412 857 4309", "Off.", "--wait"],
            cwd=newcomer,
            env=bare_environment(**settings),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (called.returncode, called.stderr) == (0, "")
    assert "completed" in called.stdout
    assert "Simulation" not in called.stdout  # Callboard takes it for Twilio itself


def test_everybody_in_the_simulation_is_in_the_table() -> None:
    for person in PEOPLE:
        number = f"+1 {person.number[2:5]}-{person.number[5:8]}-{person.number[8:]}"
        assert f"| {number} | {person.name} |" in README
