"""A database far away, where every statement takes long: everything is sent all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import AlertRequest
from alerts.steps import placing
from alerts.submissions import Outcome, Submission, begin, renew, settle_try
from tests.support.desks import posts, simulated_desk
from tests.support.written_history import write, written_history

ACCOUNT = "AC1"
SECONDS_TO_BEGIN = 0.8
TEXTS = [AlertRequest("text", f"+14125552{place:03}", "Hold it.") for place in range(100)]


@contextmanager
def every_statement_takes(seconds: float) -> Iterator[list[str]]:
    """Let each statement wait, as on the way to a distant server; yields them.

    One that saves submissions takes longer than they may wait.
    """
    statements: list[str] = []

    def wait(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)
        is_beginning = statement.startswith("INSERT INTO submissions")
        time.sleep(SECONDS_TO_BEGIN if is_beginning else seconds)

    sa.event.listen(sa.Engine, "before_cursor_execute", wait)
    try:
        yield statements
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", wait)


@pytest.mark.slow
async def test_many_that_have_waited_too_long_are_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """To write them down again one by one would take as long as they may wait."""
    monkeypatch.setattr(
        placing, "RENEW_SUBMISSIONS_OLDER_THAN", timedelta(seconds=SECONDS_TO_BEGIN / 2)
    )
    async with simulated_desk(tmp_path, texts_per_second=1000) as desk:
        await desk.open()
        with every_statement_takes(0.01) as statements:
            sending = asyncio.create_task(desk.send_all(TEXTS))
            async with asyncio.timeout(60):
                while len(posts(desk)) < len(TEXTS):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        await sending
    renewals = [each for each in statements if "UPDATE submissions SET at" in each]
    assert 0 < len(renewals) < len(TEXTS)


async def test_each_of_many_is_renewed_by_itself(database_url: str):
    now = datetime.now(UTC)
    known = [
        Submission(str(n), str(n), 1, ACCOUNT, "text", f"+1412555200{n}", now) for n in range(4)
    ]
    later, latest = now + timedelta(seconds=5), now + timedelta(seconds=6)

    def work(connection: sa.Connection) -> tuple[list[bool], list[bool]]:
        begin(connection, known)
        settle_try(connection, {"account_sid": ACCOUNT, "id": "1"}, 1, Outcome.NEVER_SENT)
        stale = replace(known[2], at=now - timedelta(seconds=1))
        first = [(known[0], later), (known[1], later), (stale, later), (known[0], latest)]
        # The second time as after a commit whose answer was lost.
        return renew(connection, first), renew(connection, [(known[0], later), (known[3], later)])

    async with written_history(database_url, ACCOUNT) as history:
        for each, text in zip(known, TEXTS, strict=False):
            await write(history, each.id, text)
        assert await history.database.write(work) == ([True, False, False, False], [True, True])
