"""An app delivers without visitors, from soon after its server starts until it stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from shiny import App

import app
from alerts import DatabaseError, Desk
from app import create_app
from dashboard import lifespan
from rules import opening
from rules.opening import OpenRules
from rules.rule import Rule
from rules.sandbox import Query, QueryError
from settings import Settings, SettingsError
from tests.support.desks import CALL, simulated_desk, twilio_client
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("fresh_lock")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifespan, "SECONDS_BEFORE_OPENING", 0.01)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk whose database isn't there yet."""
    url = SecretStr(f"sqlite:///{tmp_path / 'callboard.sqlite'}")
    async with simulated_desk(tmp_path / "documents", database_url=url) as desk:
        yield desk


def served(shiny_app: App) -> AbstractAsyncContextManager[Any]:
    """What a server does from its start to its end."""
    return shiny_app.starlette_app.router.lifespan_context(shiny_app.starlette_app)


@pytest.mark.slow
async def test_what_was_open_goes_on_without_a_visitor(tmp_path: Path):
    busy = replace(CALL, to="+14125550101", tries=2, minutes_between_tries=0.03)
    async with simulated_desk(tmp_path) as desk:
        sent = await desk.send(busy)
        async with aclosing(desk.watch(sent.id)) as changes:
            async for alert in changes:
                if alert.try_number == 2:
                    break
    simulator = desk.services.simulator
    assert simulator is not None
    calls = simulator.exchange.calls
    assert len(calls) == 1
    twilio = twilio_client(
        "http://simulator.localhost", transport=httpx.ASGITransport(app=simulator)
    )
    async with (
        simulated_desk(tmp_path, twilio=twilio, simulator=simulator) as restarted,
        served(create_app(restarted)),
    ):
        await until(lambda: len(calls) == 2)


async def test_a_database_that_comes_later(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(lifespan, "SECONDS_BETWEEN_OPENINGS", 0.05)
    in_the_way = tmp_path / "callboard.sqlite"
    in_the_way.mkdir()
    async with served(create_app(desk)):
        await until(lambda: len(caplog.messages) >= 2)
        assert caplog.messages[0].startswith("DATABASE_URL")
        with pytest.raises(DatabaseError):
            await desk.send(CALL)
        in_the_way.rmdir()
        assert (await desk.send(CALL)).sid


async def test_the_desk_is_closed_with_the_server_and_so_is_shiny(desk: Desk):
    shiny_app = create_app(desk)
    ended: list[str] = []
    shiny_app.on_shutdown(lambda: ended.append("shiny"))
    async with served(shiny_app):
        await desk.open()
    with pytest.raises(DatabaseError, match="closed"):
        await desk.open()
    assert ended == ["shiny"]


async def test_a_server_that_stops_at_once_opens_nothing(desk: Desk, tmp_path: Path):
    async with served(create_app(desk)):
        pass
    await asyncio.sleep(0.05)
    assert not (tmp_path / "callboard.sqlite").exists()


async def test_app_py_spares_its_modules_from_garbage_collection_once_the_desk_is_open(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    done: list[str] = []

    def freeze() -> None:
        assert (tmp_path / "callboard.sqlite").exists()
        done.append("freeze")

    collector = SimpleNamespace(collect=lambda: done.append("collect"), freeze=freeze)
    monkeypatch.setattr(app, "gc", collector)
    monkeypatch.setattr(app, "SECONDS_BETWEEN_ATTEMPTS", 0.05)
    shiny_app = create_app(desk)
    router = shiny_app.starlette_app.router
    settings = Settings(_env_file=None, data_dir=tmp_path)
    router.lifespan_context = app.once_open(
        desk, lambda: app._record_settings_and_freeze(desk, settings), router.lifespan_context
    )
    async with served(shiny_app):
        await until(lambda: len(done) == 2)
    assert done == ["collect", "freeze"]


async def test_rules_are_checked_until_the_server_stops(desk: Desk, tmp_path: Path):
    (tmp_path / "tastings.csv").write_text("batch,ppb\n1407,210\n")
    (tmp_path / "sources.toml").write_text('[tastings]\nfile = "tastings.csv"\n')
    settings = Settings(_env_file=None, data_dir=tmp_path, sources_file=tmp_path / "sources.toml")
    open_rules = OpenRules(settings, desk)
    rule = Rule(
        name="High", sql="SELECT batch, ppb FROM tastings", key=("batch",), message="High",
        to=CALL.to, every_seconds=1,
    )  # fmt: skip
    async with served(create_app(desk, open_rules)):
        rules = await open_rules()
        saved = await rules.save(rule)
        fingerprint = (await rules.preview(saved)).fingerprint
        await rules.turn_on(saved.id, fingerprint, "none")
        [first] = await rules.overview()
        async with asyncio.timeout(20):
            # The checker tells nobody of a check that finds nothing new.
            while (await rules.overview())[0].last_check == first.last_check:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    with pytest.raises(QueryError, match="closing"):
        await rules._sandbox.run(Query("SELECT 1"))


async def test_wrong_sources_are_logged_and_read_again(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(opening, "SECONDS_BETWEEN_OPENINGS", 0.05)
    file = tmp_path / "sources.toml"
    file.write_text("[tastings]\nfile = 7\n")
    settings = Settings(_env_file=None, data_dir=tmp_path, sources_file=file)
    open_rules = OpenRules(settings, desk)
    async with served(create_app(desk, open_rules)):
        await until(lambda: len(caplog.messages) >= 2)
        assert caplog.messages[0].startswith("Rules aren't checked: ")
        assert "tastings" in caplog.messages[0]
        file.write_text('[tastings]\nfile = "tastings.csv"\n')
        async with asyncio.timeout(20):
            while True:
                with suppress(SettingsError):
                    assert list((await open_rules()).sources()) == ["tastings"]
                    break
                await asyncio.sleep(0.05)
