"""What the pages about deploying tell people to run, against the programs themselves."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cli.main import parser
from monitoring.figures import Figures
from monitoring.metrics import lines
from tests.support.proxies import nginx_serving
from tests.support.running_app import PROJECT, bare_environment, running
from tests.support.servers import free_port, serve

PAGES = {each.name: each.read_text("utf-8") for each in (PROJECT / "docs").glob("deploying*.md")}
SHELL = [
    line.strip()
    for page in PAGES.values()
    for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    for line in block.replace("\\\n", "").splitlines()
]
ACCOUNT = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "anything",
    "TWILIO_FROM_NUMBER": "+17248675309",
    "PUBLIC_URL": "https://calls.example.com",
}


def test_every_link_leads_somewhere() -> None:
    for name, page in PAGES.items():
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page):
            file = PROJECT / "docs" / (target or name)
            assert file.exists(), (name, target)
            if anchor:
                headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
                assert anchor in {each.lower().replace(" ", "-") for each in headings}, anchor


def test_the_first_page_is_short_and_leads_to_the_others() -> None:
    first = PAGES["deploying.md"]
    assert len(first.splitlines()) < 40
    assert [name for name in PAGES if name != "deploying.md" and name not in first] == []


@pytest.mark.slow
def test_the_worker(project: Path) -> None:
    unit = (PROJECT / "deploy/callboard-worker.service").read_text(encoding="utf-8")
    [command] = re.findall(r"^ExecStart=/opt/callboard/\.venv/bin/python (.*)$", unit, re.MULTILINE)
    assert f".venv/bin/python {command}" in SHELL
    history = {"DATABASE_URL": f"sqlite:///{project / 'history-of-the-unit.sqlite'}"}
    worker = subprocess.Popen(
        [sys.executable, *command.split()],
        cwd=project,
        env=bare_environment(PYTHONUNBUFFERED="1", **ACCOUNT, **history),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert worker.stdout is not None
        assert "Delivering." in worker.stdout.readline()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    finally:
        worker.kill()
        worker.communicate()


@pytest.mark.slow
def test_uvicorn(project: Path) -> None:
    """The dashboard's command; the units, the image and the other pages have the same arguments."""
    [command] = [each for each in SHELL if "uvicorn app:app" in each and "8000" in each]
    arguments = command.removeprefix(".venv/bin/uvicorn ")
    unit = (PROJECT / "deploy/callboard.service").read_text(encoding="utf-8")
    assert f"ExecStart=/opt/callboard/.venv/bin/uvicorn {arguments}\n" in unit
    port = free_port()
    own = arguments.replace("8000", str(port)).split()
    url = f"http://127.0.0.1:{port}/healthz"
    history = {"DATABASE_URL": f"sqlite:///{project / 'history-of-uvicorn.sqlite'}"}
    with running([sys.executable, "-m", "uvicorn", *own], url, project, **history):
        assert httpx.get(url, timeout=30).json() == {"status": "ok"}


@pytest.mark.slow
def test_a_visitor_stays_with_one_process(tmp_path: Path) -> None:
    [block] = re.findall(r"```nginx\n(.*?)```", PAGES["deploying_several.md"], re.DOTALL)

    def answering(name: str) -> Starlette:
        return Starlette(routes=[Route("/", lambda _: PlainTextResponse(name))])

    server = """
      server { listen 127.0.0.1:PORT; location /callboard/ { proxy_pass http://callboard/; } }
    """
    with serve(answering("one")) as one, serve(answering("two")) as two:
        ports = {"8001": one.rpartition(":")[2], "8002": two.rpartition(":")[2]}
        for shown, port in ports.items():
            assert shown in block
            block = block.replace(shown, port)
        with nginx_serving(block + server, one, tmp_path) as url:
            assert len({httpx.get(url).text for _ in range(10)}) == 1


@pytest.mark.parametrize("line", [each for each in SHELL if "-m alerts" in each])
def test_commands_are_known(line: str) -> None:
    assert parser().parse_args(shlex.split(line.partition("-m alerts ")[2]))


def test_every_figure_is_described() -> None:
    figures = Figures({}, {}, {}, {}, {}, {}, {}, 0, 0.0)
    told = {line.split()[2] for line in "".join(lines(figures)).splitlines() if "# TYPE" in line}
    page = PAGES["deploying_monitoring.md"]
    assert told == set(re.findall(r"^\| `(callboard_\w+)", page, re.MULTILINE))
