"""`GET /activity.csv`: every alert that the page's filters let through, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from access.actor import NotAllowed
from alerts import Alert, DatabaseError, Desk
from alerts.filters import Filters
from alerts.message.compose import said
from alerts.time_zones import find_zone, in_time_zone
from dashboard.activity.address import read_address
from dashboard.alert_status import glance
from dashboard.visitor import actor_in

if TYPE_CHECKING:
    from alerts.history import History

ROWS_AT_ONCE = 200
HEADS = (
    "Id", "Sent at", "Channel", "To", "Name", "Words", "How it went", "Sent by", "SID", "From",
    "Broadcast",
)  # fmt: skip
# A spreadsheet takes what begins like this for a formula.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def export_route(desk: Desk) -> BaseRoute:
    """Return the route. It takes the query of the page's address, and `zone` for clock times."""

    async def export(request: Request) -> Response:
        zone = request.query_params.get("zone", "")
        zone = zone if find_zone(zone) else ""
        filters = read_address(request.url.query).filters(desk.services.regions, zone)
        filters = replace(filters, singly=True)
        try:
            history = await desk.acting_as(actor_in(request)).history()
        except NotAllowed as problem:
            return PlainTextResponse(str(problem), 403)
        except DatabaseError as problem:
            return PlainTextResponse(str(problem), 503)
        name = f"alerts-{in_time_zone(datetime.now(UTC), zone):%Y-%m-%d}.csv"
        return StreamingResponse(
            _lines(history, filters, zone),
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
            },
        )

    return Route("/activity.csv", export, methods=["GET"])


async def _lines(history: History, filters: Filters, zone: str) -> AsyncGenerator[str]:
    """Yield the file in parts, so that neither memory nor the loop has to hold all of it."""
    # Excel takes a file for UTF-8 only with this mark in front.
    yield "\ufeff" + _csv([HEADS])
    before = None
    while True:
        page = await history.search(filters, before=before, limit=ROWS_AT_ONCE)
        if page.rows:
            yield _csv([_cells(row.alert, zone) for row in page.rows if row.alert])
        if not page.has_older:
            return
        before = page.rows[-1].position


def _cells(alert: Alert, zone: str) -> Sequence[str]:
    return (
        alert.id,
        f"{in_time_zone(alert.events[0].at, zone):%Y-%m-%d %H:%M:%S}",
        alert.channel,
        alert.to,
        alert.request.name,
        said(alert),
        glance(alert, zone).words,
        alert.request.user,
        alert.sid or "",
        alert.from_,
        alert.request.broadcast,
    )


def _csv(rows: Sequence[Sequence[str]]) -> str:
    lines = io.StringIO()
    csv.writer(lines).writerows([[safe(cell) for cell in row] for row in rows])
    return lines.getvalue()


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe in front."""
    return f"'{cell}" if cell.startswith(FORMULAS) else cell
