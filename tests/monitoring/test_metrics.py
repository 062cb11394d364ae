"""`GET /metrics`: who may read it, and what it tells, on both databases."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from starlette.applications import Starlette

import monitoring
from alerts import Desk
from alerts.tables import alerts
from database.database import Database
from monitoring import figures, metrics
from rules.saved_rules import UNCHECKED
from rules.tables import rule_state, rules
from tests.support.desks import (
    ANYBODY,
    CALL,
    followed,
    quiet_now,
    simulated_desk,
    worker_of,
)
from tests.support.direct_sql import execute
from tests.support.waiting import until

TOKEN = SecretStr("a-token-of-the-test")
RIGHT = {"Authorization": f"Bearer {TOKEN.get_secret_value()}"}
# https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
SAMPLE = re.compile(r'callboard_[a-z_]+(?:\{(?:[a-z_]+="[a-z_]*",?)+\})? (-?[0-9.]+(?:e\+[0-9]+)?)')


@asynccontextmanager
async def web(
    desk: Desk, token: SecretStr | None, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=monitoring.routes(desk, token, **options))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def samples(client: httpx.AsyncClient) -> dict[str, float]:
    answer = await client.get("/metrics", headers=RIGHT)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in answer.text.splitlines() if not line.startswith("# ")]
    assert [line for line in lines if not SAMPLE.fullmatch(line)] == []
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


async def add_rule(desk: Desk, name: str, state: str | None, **values: Any) -> None:
    url = desk.services.database_url
    row = {"id": name, "name": name, "name_key": name, "definition": {}, "revision": 1}
    changed = {"created_at": 0.0, "changed_at": 0.0, "changed_by": ""}
    await execute(url, sa.insert(rules).values(**row, **changed))
    if state:
        there = {"account_sid": desk.services.twilio.account_sid, "state_at": 0.0, "state_by": ""}
        found = {"rule_id": name, "state": state, **there, **UNCHECKED, **values}
        await execute(url, sa.insert(rule_state).values(found))


async def test_what_it_tells(database_url: str, tmp_path: Path):
    async with (
        simulated_desk(tmp_path, database_url=SecretStr(database_url)) as desk,
        web(desk, TOKEN) as client,
    ):
        await followed(desk, CALL)
        await desk.send(replace(CALL, quiet_hours=quiet_now(ANYBODY)))
        await add_rule(desk, "draft", None)
        await add_rule(desk, "fine", "on", next_check_at=4e9)
        await add_rule(desk, "broken", "on", failures=2, next_check_at=1e9)
        await add_rule(desk, "off", "paused", failures=9)
        # The alert says that it waits before its claim is released.
        await until(lambda: worker_of(desk).under_way == 0)
        found = await samples(client)
        assert found['callboard_alerts_open{channel="call",status="queued"}'] == 1
        assert found['callboard_alerts_open{channel="text",status="ringing"}'] == 0
        assert found['callboard_alerts_waiting{for="time"}'] == 1
        assert found['callboard_alerts_waiting{for="worker"}'] == 0
        assert found['callboard_alerts_last_day{channel="call",stage="reached"}'] == 1
        assert found['callboard_alerts_last_day{channel="call",stage="queued"}'] == 1
        assert found['callboard_submissions_last_hour{channel="call",outcome="placed"}'] == 1
        assert found['callboard_submissions_last_hour{channel="text",outcome="never_sent"}'] == 0
        assert found['callboard_workers{mode="app"}'] == 1
        assert found['callboard_workers{mode="worker"}'] == 0
        assert found['callboard_rules{state="on"}'] == 2
        assert found['callboard_rules{state="draft"}'] == 1
        assert found["callboard_rules_failing"] == 1
        assert found["callboard_rules_overdue_seconds"] > 1e8


async def test_an_alert_that_nobody_delivers(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk, web(desk, TOKEN) as client:
        alert = await desk.send(replace(CALL, quiet_hours=quiet_now(ANYBODY)))
        url = desk.services.database_url
        await worker_of(desk).close()
        due = sa.update(alerts).values(due_at=sa.literal(1e9), claimed_by=None)
        await execute(url, due.where(alerts.c.id == alert.id))
        found = await samples(client)
        assert found['callboard_alerts_waiting{for="worker"}'] == 1
        assert found['callboard_oldest_waiting_seconds{for="worker"}'] > 1e8
        assert found['callboard_workers{mode="app"}'] == 0
        health = await client.get("/healthz")
        # Its pages and callbacks work, so a load balancer mustn't take it away.
        assert (health.status_code, health.json()) == (200, {"status": "worker"})


async def test_all_that_ask_within_a_second_share_one_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    reads, read = 0, figures.read_figures

    def counted(connection: sa.Connection, account_sid: str) -> figures.Figures:
        nonlocal reads
        reads += 1
        return read(connection, account_sid)

    monkeypatch.setattr(figures, "read_figures", counted)
    monkeypatch.setattr(metrics, "SHARED_SECONDS", 60.0)  # a second is short on a busy machine
    async with simulated_desk(tmp_path) as desk, web(desk, TOKEN) as client:
        await asyncio.gather(*(samples(client) for _ in range(20)))
        await samples(client)
        assert reads == 1
        monkeypatch.setattr(metrics, "SHARED_SECONDS", 0.0)
        async with web(desk, TOKEN) as other:
            await samples(other)
            await samples(other)
        assert reads == 3


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Basic YTpi",
        "bearer x",
        "Token x",
        "Bearer Ünï",
    ],
)
async def test_a_wrong_token(tmp_path: Path, header: str):
    async with (
        simulated_desk(tmp_path) as desk,
        web(desk, TOKEN, is_local=lambda _: True) as client,
    ):
        headers = {b"Authorization": header.encode()} if header else {}
        answer = await client.get("/metrics", headers=headers)
        assert (answer.status_code, answer.text) == (401, "Unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert not desk.delivers  # it hasn't even been opened


async def test_without_a_token_only_on_this_machine(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        async with web(desk, None) as client:
            assert (await client.get("/metrics", headers=RIGHT)).status_code == 404
        async with web(desk, None, is_local=lambda _: True) as client:
            assert (await client.get("/metrics")).status_code == 200


async def test_a_database_that_cannot_be_opened(tmp_path: Path):
    nowhere = SecretStr("sqlite:////proc/nowhere/x.sqlite")
    async with simulated_desk(tmp_path, database_url=nowhere) as desk, web(desk, TOKEN) as client:
        answer = await client.get("/metrics", headers=RIGHT)
        assert (answer.status_code, answer.text) == (503, "The database can't be read.")


async def test_no_figure_reads_all_alerts(database_url: str):
    """However long the history is, each count reads a part of an index."""
    if database_url.startswith("postgresql"):
        pytest.skip("PostgreSQL plans by the number of rows")
    database = Database(database_url)
    await database.open()
    statements: list[str] = []

    def look(connection: sa.Connection) -> list[str]:
        def note(_: Any, cursor: Any, statement: str, parameters: Any, *rest: object) -> None:
            statements.append(statement)
            plan = connection.connection.cursor()
            plan.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(str(row[3]) for row in plan.fetchall())

        plans: list[str] = []
        sa.event.listen(connection, "after_cursor_execute", note)
        figures.read_figures(connection, "AC")
        return plans

    plans = await database.read(look)
    await database.close()
    assert len(statements) > 3
    assert [each for each in plans if each.startswith("SCAN") and "alerts" in each] == []
    assert [each for each in plans if each.startswith("SCAN submissions")] == []
