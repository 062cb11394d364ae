"""What `make` does where something is in the way, or another tool is at hand."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cli.port import why_not
from tests.support.running_app import copy_of_the_project


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project into which nothing has been installed."""
    return copy_of_the_project(tmp_path_factory.mktemp("fresh"))


def make(project: Path, *arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=project,
        env={"PATH": f"{path}{os.environ['PATH']}", "LANG": "C.UTF-8", "HOME": str(project)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_busy_port(fresh: Path, host: str) -> None:
    environment = fresh / ".venv"
    if not environment.exists():
        environment.symlink_to(sys.prefix)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        # Everything counts as installed.
        ended = make(fresh, "run", f"HOST={host}", f"PORT={port}", "-o", ".venv/installed")
    environment.unlink()
    assert ended.returncode != 0
    assert ended.stderr.startswith(f"Port {port} is in use")
    assert "make run PORT=8001" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("host", "port", "says"),
    [
        ("127.0.0.1", "http", "PORT is http"),
        ("127.0.0.1", "", "PORT is "),
        ("127.0.0.1", "65536", "PORT is 65536"),
        ("host.invalid", "8000", "Nothing can listen at host.invalid"),
        ("8.8.8.8", "8000", "Nothing can listen at 8.8.8.8"),
    ],
)
def test_a_place_where_nothing_can_listen(host: str, port: str, says: str) -> None:
    problem = why_not(host, port)
    assert problem is not None
    assert problem.startswith(says)


def test_a_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert why_not("127.0.0.1", str(port)) is None


def test_which_tool_installs(fresh: Path) -> None:
    """uv if it is there, else pip. Only printed: all of it is installed where tests run."""
    with_uv = make(fresh, "-n", "run", f"UV={Path(sys.prefix) / 'bin' / 'uv'}")
    assert "uv venv" in with_uv.stdout
    assert "uv pip install" in with_uv.stdout
    assert "-m pip" not in with_uv.stdout
    with_pip = make(fresh, "-n", "run", "UV=")
    assert "-m venv" in with_pip.stdout
    assert "-m pip install" in with_pip.stdout
    assert "uv" not in with_pip.stdout.replace("uvicorn", "").replace("made by uv", "")


def test_what_cannot_be_installed(fresh: Path) -> None:
    """It says what it does, and what may be missing."""
    (fresh / "requirements.txt").write_text("./nowhere\n")
    uv = Path(sys.prefix) / "bin" / "uv"
    ended = make(fresh, "run", f"UV={uv}", f"PYTHON={sys.executable}")
    assert ended.returncode != 0
    assert "Installing what requirements.txt names" in ended.stdout
    assert "nowhere" in ended.stderr
    assert "C++ compiler" in ended.stderr
    assert not (fresh / ".venv" / "installed").exists()
