"""`GET /metrics`: figures in Prometheus' text format, for those who have METRICS_TOKEN.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from alerts import DatabaseError, Desk

if TYPE_CHECKING:
    from monitoring.figures import Figures

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DATABASE_TIMEOUT_SECONDS = 4.0
# All requests within this time get the same figures.
SHARED_SECONDS = 1.0

Labels = Mapping[str, str]


class Metrics:
    """The figures of the desk's account, read from the database and so the same in every process.

    Answers 401 to a wrong token. Without a `token` it answers 404, unless `is_local`.
    """

    def __init__(
        self, desk: Desk, token: SecretStr | None, is_local: Callable[[Scope], bool]
    ) -> None:
        self._desk = desk
        self._token = token
        self._is_local = is_local
        self._reading: asyncio.Task[str | None] | None = None
        self._fresh_until = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await (self._refusal(scope) or await self._answer())(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if self._token is None:
            return None if self._is_local(scope) else PlainTextResponse("Not Found", 404)
        # Bytes, because compare_digest takes only ASCII as text.
        given = Headers(scope=scope).get("authorization", "").encode()
        wanted = f"Bearer {self._token.get_secret_value()}".encode()
        if hmac.compare_digest(given, wanted):
            return None
        return PlainTextResponse("Unauthorized", 401, {"WWW-Authenticate": "Bearer"})

    async def _answer(self) -> Response:
        now = time.monotonic()
        is_fresh = self._reading and (not self._reading.done() or now < self._fresh_until)
        if self._reading is None or not is_fresh:
            self._fresh_until = now + SHARED_SECONDS
            self._reading = asyncio.create_task(self._read())
        text = await asyncio.shield(self._reading)
        if text is None:
            return PlainTextResponse("The database can't be read.", 503)
        return Response(text, media_type=CONTENT_TYPE)

    async def _read(self) -> str | None:
        # Imported here because it needs SQLAlchemy.
        from monitoring.figures import read_figures  # noqa: PLC0415

        account_sid = self._desk.services.twilio.account_sid
        try:
            database = await self._desk.database()
            async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
                figures = await database.read(
                    lambda connection: read_figures(connection, account_sid)
                )
        except (DatabaseError, TimeoutError) as problem:
            log.warning("No metrics: %s", str(problem) or "the database doesn't answer.")
            return None
        return "".join(lines(figures))


def lines(figures: Figures) -> Iterator[str]:
    """Yield the lines of all figures. Labels are words of ours, so none needs escaping."""
    yield from _gauge(
        "callboard_alerts_open",
        "Alerts that haven't ended, by what they are doing.",
        [
            ({"channel": channel, "status": status}, count)
            for (channel, status), count in figures.open.items()
        ],
    )
    yield from _gauge(
        "callboard_alerts_waiting",
        "Alerts that wait for a worker to claim them, for their turn, or until a time.",
        [({"for": reason}, count) for reason, count in figures.waiting.items()],
    )
    yield from _gauge(
        "callboard_oldest_waiting_seconds",
        "How long the oldest alert that could be sent has waited.",
        [({"for": reason}, seconds) for reason, seconds in figures.oldest_seconds.items()],
    )
    yield from _gauge(
        "callboard_alerts_last_day",
        "Alerts saved in the last 24 hours, by how far they have come.",
        [
            ({"channel": channel, "stage": stage}, count)
            for (channel, stage), count in figures.last_day.items()
        ],
    )
    yield from _gauge(
        "callboard_submissions_last_hour",
        "Requests to Twilio in the last hour, by outcome.",
        [
            ({"channel": channel, "outcome": outcome}, count)
            for (channel, outcome), count in figures.submissions.items()
        ],
    )
    yield from _gauge(
        "callboard_workers",
        "Processes that deliver: workers, and apps that deliver themselves.",
        [({"mode": mode}, count) for mode, count in figures.workers.items()],
    )
    yield from _gauge(
        "callboard_rules",
        "Rules, by their state.",
        [({"state": state}, count) for state, count in figures.rules.items()],
    )
    yield from _gauge(
        "callboard_rules_failing",
        "Rules that are on, and whose last check failed.",
        [({}, figures.rules_failing)],
    )
    yield from _gauge(
        "callboard_rules_overdue_seconds",
        "How long the oldest check of a rule has been due.",
        [({}, figures.rules_overdue_seconds)],
    )


def _gauge(name: str, about: str, samples: list[tuple[Labels, float]]) -> Iterator[str]:
    yield f"# HELP {name} {about}\n# TYPE {name} gauge\n"
    for labels, value in samples:
        inside = ",".join(f'{label}="{word}"' for label, word in labels.items())
        yield f"{name}{{{inside}}} {value:.10g}\n" if inside else f"{name} {value:.10g}\n"
