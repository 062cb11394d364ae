"""An app with wrong settings says so in the page, in one sentence."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.support.running_app import running_app


def test_half_set_credentials_are_one_sentence_in_the_page(project: Path):
    with running_app(project, TWILIO_ACCOUNT_SID="AC" + "1" * 32) as url:
        page = httpx.get(url)
        health = httpx.get(f"{url}healthz")
    assert page.status_code == 200
    assert "TWILIO_ACCOUNT_SID is set but TWILIO_AUTH_TOKEN is not" in page.text
    assert health.status_code == 503
    assert "Traceback" not in (project / "server.log").read_text()


def test_an_unknown_name_in_the_env_file_is_named(project: Path):
    env_file = project / ".env"
    env_file.write_text("TWILIO_AUTH_TOKN=secret-secret\n")
    try:
        with running_app(project) as url:
            page = httpx.get(url).text
    finally:
        env_file.unlink()
    assert "TWILIO_AUTH_TOKN in .env is not a setting of Callboard" in page
    assert "did you mean TWILIO_AUTH_TOKEN" in page
    assert "secret-secret" not in page + (project / "server.log").read_text()
