"""callbacks_app.py as people run it: Twilio reports to it, and a worker elsewhere goes on."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from alerts import AlertRequest, Desk, Status
from settings import Settings
from simulator import SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.desks import followed
from tests.support.environment import ACCOUNT_SID, TOKEN, clean_environment, write_env
from tests.support.project_folder import REPOSITORY, build_project_folder
from tests.support.running_app import running
from tests.support.servers import free_port, serve

pytestmark = pytest.mark.slow

ATTENTIVE = "+14125550106"  # answers and presses 1
METRICS_TOKEN = "a-token-of-the-test"
# As the page says, with several processes, each of which hears of some of a call.
PAGE = (REPOSITORY / "docs/deploying_several.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\.venv/bin/(uvicorn callbacks_app:app .*)$", PAGE, re.MULTILINE)


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    with clean_environment():
        yield


async def test_a_call_is_acknowledged_through_it(tmp_path: Path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serve(create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN, speed=20)) as twilio:
        # The same settings for both, and documents in the requests: each has a DATA_DIR of its own.
        values = {
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER,
            "TWILIO_BASE_URL": twilio,
            "STORAGE": "inline",
            "PUBLIC_URL": url,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'callboard.sqlite'}",
            "METRICS_TOKEN": METRICS_TOKEN,
        }
        build_project_folder(tmp_path, values)
        settings = Settings(_env_file=tmp_path / ".env")
        command = [sys.executable, "-m", *COMMANDS[0].replace("8000", str(port)).split()]
        with running(command, f"{url}/healthz", tmp_path):
            assert await health(url) == "worker"  # it delivers nothing itself
            async with Desk.from_settings(settings, mode="worker") as worker:
                call = AlertRequest("call", ATTENTIVE, "Batch 7 is off.", acknowledge=True)
                alert = await followed(worker, call)
                assert await health(url) == "ok"
                metrics = await get(f"{url}/metrics", Authorization=f"Bearer {METRICS_TOKEN}")
                assert 'callboard_workers{mode="worker"} 1' in metrics.text
            assert (await get(f"{url}/metrics")).status_code == 401
            assert (await get(url)).status_code == 404  # it has no pages
        log = (tmp_path / "server.log").read_text()
    assert alert.status is Status.ACKNOWLEDGED
    pressed = [each for each in alert.events if each.status is Status.ACKNOWLEDGED]
    assert [each.source for each in pressed] == ["recipient"]
    assert '"POST /twilio/gather HTTP/1.1" 200' in log
    assert "Traceback" not in log
    assert ATTENTIVE[1:] not in log


@pytest.mark.parametrize(
    ("values", "setting"),
    [
        ({}, "TWILIO_ACCOUNT_SID is not set"),
        (
            {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": TOKEN,
             "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER},
            "PUBLIC_URL is missing",
        ),
    ],
)  # fmt: skip
async def test_settings_with_which_twilio_cannot_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, str], setting: str,
    capsys: pytest.CaptureFixture[str],
):  # fmt: skip
    import callbacks_app  # noqa: PLC0415 - it reads the settings

    capsys.readouterr()  # the first import says what is wrong with those of the environment
    env_file = write_env(tmp_path, values)
    monkeypatch.setattr(callbacks_app, "Settings", lambda: Settings(_env_file=env_file))
    app = callbacks_app._from_environment()
    assert capsys.readouterr().err.startswith(f"Callboard can't start: {setting}")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as client:
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"status": "settings"})


async def health(url: str) -> str:
    return str((await get(f"{url}/healthz")).json()["status"])


async def get(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=30) as client:
        return await client.get(url, headers=headers)
