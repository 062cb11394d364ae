"""What docs/simulator.md tells people to type, against `python -m simulator` itself."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.running_app import bare_environment, running
from tests.support.servers import free_port

PAGE = (Path(__file__).resolve().parents[2] / "docs/simulator.md").read_text(encoding="utf-8")
ACCOUNT = ("AC" + "0" * 32, "anything")


@pytest.fixture(scope="module")
def simulator(project: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--speed", "20"]
    with running(command, f"http://127.0.0.1:{port}", project) as url:
        yield url


def test_twilios_own_sdk_with_another_base_url(simulator: str, project: Path) -> None:
    [script] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    ran = subprocess.run(
        [sys.executable, "-c", script.replace("http://127.0.0.1:4010", simulator)],
        cwd=project,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    placed, listed = ran.stdout.splitlines()
    assert re.fullmatch(r"CA[0-9a-f]{32} queued", placed)
    assert placed.split()[0] in listed


@pytest.mark.parametrize(
    ("path", "body"), re.findall(r"127\.0\.0\.1:4010(/simulator/\w+) \\\n  -d '(.*?)'", PAGE)
)
def test_command(simulator: str, path: str, body: str) -> None:
    answer = httpx.post(simulator + path, content=body, auth=ACCOUNT)
    assert answer.is_success, answer.text


def test_both_commands_were_found() -> None:
    assert PAGE.count("curl -u") == 2


@pytest.mark.parametrize("path", ["log", "faults", "clock", "callbacks", "texts/+14125550106"])
def test_every_control_of_the_table_answers(simulator: str, path: str) -> None:
    assert httpx.get(f"{simulator}/simulator/{path}", auth=ACCOUNT).status_code == 200
