"""Under Shiny Server, which passes on the Host of a page's request, but no Origin of a session."""

from __future__ import annotations

import html
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.environment import ACCOUNT, TOKEN, write_env
from tests.support.handshakes import opens
from tests.support.shiny_server.launching import (
    ADAPTER,
    FROM_SHINY_SERVER,
    SECRET,
    shiny_server,
    site_dir,
    user_of_apps,
)
from tests.support.waiting import becomes_healthy

pytestmark = pytest.mark.slow

USER = user_of_apps()
# Other tests keep the machine busy.
SLOWLY = httpx.Client(timeout=60)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The app's folder, which it can't write to."""
    with site_dir() as made:
        yield made


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """A folder that belongs to the user who runs apps, as /var/lib/callboard does."""
    with tempfile.TemporaryDirectory(prefix="state-") as name:
        shutil.chown(name, USER)
        yield Path(name)


@pytest.fixture(scope="module")
def app(folder: Path, state: Path) -> Iterator[str]:
    """The app, set up as docs/deploying_shiny_server.md says: without a LANG the file is UTF-8."""
    settings = {
        **ACCOUNT,
        "ALLOW_ANONYMOUS": "1",
        "DATA_DIR": str(state),
        "SOURCE_NOTE": "Gärung",
    }
    env_file = write_to(folder, settings)
    with shiny_server(folder, USER, state) as url:
        yield url
    env_file.unlink()


def write_to(folder: Path, settings: dict[str, str]) -> Path:
    folder.chmod(0o755)
    env_file = write_env(folder, settings)
    folder.chmod(0o555)
    return env_file


def test_a_session_through_shiny_server(app: str):
    assert opens(app, headers=FROM_SHINY_SERVER)
    assert opens(app, headers={**FROM_SHINY_SERVER, "X-Forwarded-For": "10.0.0.7"})


def test_a_session_past_it(app: str):
    assert not opens(app)
    assert not opens(app, headers={"shiny-shared-secret": "guessed"})
    assert not opens(app, origin="https://evil.example", headers=FROM_SHINY_SERVER)


@pytest.mark.parametrize("host", ["calls.example.com", "calls.example.com:3838"])
def test_the_page(app: str, host: str):
    answer = SLOWLY.get(app, headers={**FROM_SHINY_SERVER, "Host": host})
    assert answer.status_code == 200
    # Shiny Server writes its own script into the page.
    assert "preShinyInit" in answer.text
    assert "script-src 'self' 'unsafe-inline';" in answer.headers["Content-Security-Policy"]


def test_the_history_belongs_to_the_user_who_runs_apps(app: str, state: Path):
    assert becomes_healthy(lambda: SLOWLY.get(f"{app}healthz", headers=FROM_SHINY_SERVER))
    assert (state / "callboard.sqlite").owner() == USER


def test_metrics_are_for_nobody_without_a_token(app: str):
    """Everybody's requests come from this machine here."""
    assert SLOWLY.get(f"{app}metrics", headers=FROM_SHINY_SERVER).status_code == 404


@pytest.mark.skipif(USER == "root", reason="root may write to every folder")
def test_a_folder_of_roots_is_named(folder: Path, state: Path, app: str):
    """Without DATA_DIR the history would be in the app's own folder."""
    env_file = folder / ".env"
    before = env_file.read_text(encoding="utf-8")
    write_to(folder, ACCOUNT)
    try:
        with shiny_server(folder, USER, state) as url:
            page = SLOWLY.get(url, headers=FROM_SHINY_SERVER).text
            health = SLOWLY.get(f"{url}healthz", headers=FROM_SHINY_SERVER)
    finally:
        env_file.write_text(before, encoding="utf-8")
    assert f"DATA_DIR is {folder / 'data'}, which can't be used" in html.unescape(page)
    assert f"that {USER} may write to" in page
    assert TOKEN not in page
    assert (health.status_code, health.json()) == (503, {"status": "settings"})


def test_what_its_script_imports_is_installed():
    """The script runs in the app's environment, and Shiny Server installs nothing there."""
    pins = (Path(__file__).resolve().parents[2] / "requirements.txt").read_text(encoding="utf-8")
    installed = {line.partition("==")[0] for line in pins.splitlines()}
    assert {"uvicorn", "starlette", "asgiref", "shiny"} <= installed
    assert SECRET not in ADAPTER.read_text(encoding="utf-8")
