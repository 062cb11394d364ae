"""What a process may use: also where the system doesn't bound its memory."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rules.sandbox import QueryError, Sandbox, landlock
from rules.sandbox.sandbox import Protections
from tests.support.sandboxed import opened, outcome

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        cwd=ROOT,
        text=True,
        timeout=60,
        check=False,
    )


def test_memory_is_watched_where_the_system_takes_no_bound():
    """As on macOS, which knows the limit of memory but doesn't keep it."""
    done = run(
        "import resource, time\n"
        "from rules.sandbox import limits\n"
        "limits._lower = lambda what, to: what != resource.RLIMIT_AS\n"
        "limits.limit_process(30, 1)\n"
        "held = []\n"
        "while True:\n"
        "    held.append(b'x' * (64 << 20)); time.sleep(0.01)\n"
        "    assert len(held) < 60, 'nobody watched'"
    )
    assert done.returncode == -signal.SIGABRT, done.stderr


def test_a_process_ends_by_itself_if_nobody_stops_it():
    done = run(
        "import time\nfrom rules.sandbox import limits\nlimits.limit_process(-1.5, 1)\n"
        "time.sleep(30)"
    )
    assert done.returncode == -signal.SIGALRM


@pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")
def test_landlock_leaves_reading_what_is_named(tmp_path: Path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "others").write_text("others")
    done = run(
        "import os, socket\n"
        "from pathlib import Path\n"
        "from rules.sandbox import landlock\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "landlock.restrict([folder / 'mine', folder / 'missing'])\n"
        "print(open(folder / 'mine').read())\n"
        "def attempt(name, work):\n"
        "    try: work()\n"
        "    except OSError as error: print(name, error.errno)\n"
        "    else: print(name, 'went through')\n"
        "attempt('read', lambda: open(folder / 'others').read())\n"
        "attempt('write', lambda: open(folder / 'mine', 'a'))\n"
        "attempt('create', lambda: open(folder / 'new', 'w'))\n"
        "attempt('remove', lambda: os.unlink(folder / 'mine'))\n"
        "attempt('truncate', lambda: os.truncate(folder / 'mine', 0))\n"
        "attempt('list', lambda: os.listdir(folder))\n"
        "attempt('run', lambda: os.execv('/bin/true', ['true']))\n"
        "attempt('listen', lambda: socket.socket().bind(('127.0.0.1', 0)))\n"
        "attempt('connect', lambda: socket.socket().connect(('127.0.0.1', 9)))\n"
    )
    first, *others = done.stdout.split("\n")[:-1]
    assert first == "mine", done.stderr
    expected = {"read", "write", "create", "remove", "truncate", "list", "run", "listen", "connect"}
    if landlock.version() < landlock.TCP_SINCE:
        expected -= {"listen", "connect"}
    denied = {each.split()[0] for each in others if each.endswith(" 13")}
    assert denied >= expected
    assert (tmp_path / "mine").read_text() == "mine"


def test_what_holds_is_said_in_a_sentence():
    assert Sandbox().protections().landlock == landlock.version()
    assert str(Protections(7, tcp=True, memory=True)) == (
        "Landlock keeps rules from files other than their sources."
    )
    assert "TCP is not forbidden" in str(Protections(3, tcp=False, memory=True))
    assert str(Protections(0, tcp=False, memory=True)).startswith("Landlock is missing here")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT repeat('x', 3000000) AS x", "A row holds more than 2 MB of text: select fewer"),
        (
            "SELECT repeat('x', 900000) AS x FROM range(60)",
            "The rows hold more than 32 MB of text: select fewer columns or rows.",
        ),
        (
            "FROM " + ", ".join(["(SELECT 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)"] * 100),
            "The answer has 1,100 columns, and 1,000 are the most.",
        ),
    ],
    ids=["row", "rows", "columns"],
)
async def test_an_answer_is_bounded(query: str, sentence: str):
    async with opened() as sandbox:
        found = await outcome(sandbox, query, seconds=60)
    assert isinstance(found, QueryError)
    assert (found.kind, str(found)[: len(sentence)]) == ("limit", sentence)
