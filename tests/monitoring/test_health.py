"""`GET /healthz` says whether alerts can be saved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from starlette.applications import Starlette

import monitoring
from database.connecting import engine_for, parsed
from database.database import Database
from tests.support.desks import database_in, desk_at, simulated_desk
from tests.support.postgres import PostgresServer, fresh_database, start, stop


@asynccontextmanager
async def health_of(folder: Path, url: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    database_url = SecretStr(url) if url else database_in(folder)
    async with simulated_desk(folder, database_url=database_url) as desk:
        await desk.open()
        transport = httpx.ASGITransport(Starlette(routes=monitoring.routes(desk, None)))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as web:
            assert await answer(web) == (200, "ok")
            yield web


async def answer(web: httpx.AsyncClient) -> tuple[int, str]:
    found = await web.get("/healthz", timeout=30)
    return found.status_code, found.json()["status"]


def delete(file: Path) -> None:
    file.unlink()


def overwrite(file: Path) -> None:
    for each in file.parent.glob(f"{file.name}*"):
        if each.is_file():
            each.write_bytes(b"Dear diary. " * 10_000)


def drop_a_column(file: Path) -> None:
    with engine_for(parsed(f"sqlite:///{file}"), None).begin() as connection:
        connection.execute(sa.text("ALTER TABLE events DROP COLUMN answered_by"))


@pytest.mark.parametrize("spoil", [delete, overwrite, drop_a_column])
async def test_a_file_that_alerts_can_no_longer_be_saved_in(
    tmp_path: Path, spoil: Callable[[Path], None]
):
    async with health_of(tmp_path) as web:
        spoil(Path(str(parsed(database_in(tmp_path).get_secret_value()).database)))
        assert await answer(web) == (503, "database")


async def test_a_server_that_lets_nothing_be_written(tmp_path: Path, postgres: PostgresServer):
    url = fresh_database(postgres)
    name = url.split("/")[3].split("?")[0]
    async with health_of(tmp_path, url) as web:
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            forbid = f"ALTER DATABASE {name} SET default_transaction_read_only = on"
            connection.execute(forbid.encode())
        assert await answer(web) == (503, "database")


@pytest.mark.slow
async def test_a_server_that_is_away_and_comes_back(tmp_path: Path, restartable: PostgresServer):
    async with health_of(tmp_path, fresh_database(restartable)) as web:
        await asyncio.to_thread(stop, restartable)
        assert await answer(web) == (503, "database")
        await asyncio.to_thread(start, restartable)
        assert await answer(web) == (200, "ok")


async def test_many_questions_at_once_are_one_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    checks, check = 0, Database.check

    async def counted(self: Database) -> None:
        nonlocal checks
        checks += 1
        await check(self)

    monkeypatch.setattr(Database, "check", counted)
    async with health_of(tmp_path) as web:
        checks = 0
        assert set(await asyncio.gather(*(answer(web) for _ in range(20)))) == {(200, "ok")}
        assert checks == 1


async def test_a_database_that_cannot_be_opened():
    nowhere = SecretStr("sqlite:////proc/nowhere/x.sqlite")
    async with desk_at("http://127.0.0.1:1", database_url=nowhere) as desk:
        transport = httpx.ASGITransport(Starlette(routes=monitoring.routes(desk, None)))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as web:
            assert await answer(web) == (503, "database")
