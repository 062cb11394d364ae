"""Consoles that can't show every character, and pipes that are closed too early."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from simulator import SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support import ready_python
from tests.support.desks import ANYBODY
from tests.support.environment import ACCOUNT, ACCOUNT_SID, TOKEN
from tests.support.project_folder import ProjectFolder, build_project_folder
from tests.support.servers import serve

pytestmark = pytest.mark.slow

MESSAGE = "Größe ½ → 🍺"


@pytest.fixture(scope="module")
def customer(tmp_path_factory):
    """The project folder of a user with an account, who has sent an alert named after beer."""
    app = create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN, speed=50)
    with serve(app) as url:
        values = {"TWILIO_BASE_URL": url, "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER}
        folder = build_project_folder(tmp_path_factory.mktemp("console"), ACCOUNT | values, TOKEN)
        assert folder.alerts("text", ANYBODY, MESSAGE, "--id", "🍺", "--wait").returncode == 0
        yield folder


@pytest.mark.parametrize(
    ("command", "encoding", "exit_status"),
    [
        (("status", "🍺"), "ascii:strict", 0),
        (("cancel", "🍺", "--json"), "ascii", 0),
        (("status", "🍻"), "cp1252", 2),
        (("text", ANYBODY, MESSAGE), "koi8-r", 0),
        (("text", ANYBODY, MESSAGE, "--🍺"), "ascii", 2),
    ],
)
def test_a_console_that_is_not_utf_8(customer: ProjectFolder, command, encoding, exit_status):
    ended = _ended(customer, command, PYTHONIOENCODING=encoding)
    assert b"Traceback" not in ended.stderr
    assert ended.returncode == exit_status
    if command == ("status", "🍺"):
        assert MESSAGE.encode(encoding.partition(":")[0], "replace") in ended.stdout


def test_a_console_that_is_not_utf_8_from_the_start_of_python(customer: ProjectFolder):
    """The others are told by this test's support what their console can show."""
    ended = subprocess.run(
        [sys.executable, "-m", "alerts", "status", "🍺"],
        cwd=customer.folder,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"Traceback" not in ended.stderr
    assert ended.returncode == 0
    assert MESSAGE.encode("cp1252", "replace") in ended.stdout


@pytest.mark.parametrize(
    ("command", "exit_status"),
    [
        (("status", "🍺"), 0),
        (("status", "🍺", "--json"), 0),
        (("text", ANYBODY, MESSAGE, "--wait"), 0),
        (("text", "+14125550113", MESSAGE), 1),
        (("doctor",), 0),
        (("--help",), 0),
    ],
)
def test_a_closed_pipe(customer: ProjectFolder, command, exit_status):
    """The command ends as it would have, and quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = _ended(customer, command, stdout=writing)
    finally:
        os.close(writing)
    assert ended.returncode == exit_status
    assert b"Traceback" not in ended.stderr
    assert b"Broken" not in ended.stderr


@pytest.mark.parametrize("command", [("status", "🍺"), ("text", ANYBODY, MESSAGE, "--json")])
def test_a_full_disk(customer: ProjectFolder, command):
    """The text is sent, and one sentence says why its result couldn't be written."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = _ended(customer, command, stdout=full.fileno())
    assert ended.returncode == 1
    assert ended.stderr.decode().splitlines()[-1] == (
        "The output couldn't be written: No space left on device. "
        "The command was carried out all the same."
    )
    assert b"Traceback" not in ended.stderr


def test_a_refusal_that_could_not_be_written_as_json(customer: ProjectFolder):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = _ended(customer, ("call", "--json", "nonsense", MESSAGE), stdout=full.fileno())
    assert ended.returncode == 2
    refused, unwritten = ended.stderr.decode().splitlines()
    assert "nonsense" in refused
    assert unwritten == "The output couldn't be written: No space left on device."


def test_only_the_first_line_is_read(customer: ProjectFolder):
    command = f"set -o pipefail; {sys.executable} -m alerts doctor 2>&1 | head -1"
    ended = subprocess.run(
        ["bash", "-c", command],
        cwd=customer.folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.startswith(b"From here to a real call")
    assert ended.stdout.count(b"\n") == 1


def _ended(
    customer: ProjectFolder,
    command: tuple[str, ...],
    stdout: int | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[bytes]:
    everything = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | environment
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        to = output.fileno() if stdout is None else stdout
        process = ready_python.start(
            "alerts", command, customer.folder, everything, stdout=to, stderr=errors.fileno()
        )
        status = process.wait(60)
        for each in (output, errors):
            each.seek(0)
        return subprocess.CompletedProcess(command, status, output.read(), errors.read())
