"""`GET /activity.csv` and `/audit.csv`: all that the filters of the page let through."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from access.actor import NotAllowed, Permission
from access.audit_entry import Action, AuditEntry, Kind
from alerts import Alert, DatabaseError, Desk
from alerts.message.compose import said
from alerts.time_zones import find_zone, in_time_zone
from dashboard.alert_status import glance
from dashboard.visitor import actor_in

if TYPE_CHECKING:
    from access.audit import Audit, AuditFilters
    from alerts.filters import Filters
    from alerts.history import History
    from dashboard.activity.address import Address

ROWS_AT_ONCE = 200
HEADS = (
    "Id", "Sent at", "Channel", "To", "Name", "Words", "How it went", "Sent by", "SID", "From",
    "Broadcast",
)  # fmt: skip
AUDIT_HEADS = ("Id", "At", "Who", "Where", "About", "What", "Details", "Id of the thing")
# Spreadsheets take cells that begin like this for formulas.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")

# Returns the lines of a file for a visitor's desk, the page's address and the time zone.
Lines = Callable[[Desk, "Address", str], Awaitable[AsyncGenerator[str]]]


def export_routes(desk: Desk) -> list[BaseRoute]:
    """Return the routes. They take the query of the page's address, and `zone` for clock times."""
    return [_route(desk, "activity", "alerts", _alerts), _route(desk, "audit", "audit", _entries)]


def _route(desk: Desk, path: str, name: str, lines: Lines) -> BaseRoute:
    async def export(request: Request) -> Response:
        # Imported here because the first page doesn't wait for it.
        from dashboard.activity.address import read_address  # noqa: PLC0415

        zone = request.query_params.get("zone", "")
        zone = zone if find_zone(zone) else ""
        visitors_desk = desk.acting_as(actor_in(request))
        try:
            content = await lines(visitors_desk, read_address(request.url.query), zone)
        except NotAllowed as problem:
            return PlainTextResponse(str(problem), 403)
        except DatabaseError as problem:
            return PlainTextResponse(str(problem), 503)
        file_name = f"{name}-{in_time_zone(datetime.now(UTC), zone):%Y-%m-%d}.csv"
        return StreamingResponse(
            content,
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{file_name}"',
                "Cache-Control": "no-store",
            },
        )

    return Route(f"/{path}.csv", export, methods=["GET"])


async def _alerts(desk: Desk, address: Address, zone: str) -> AsyncGenerator[str]:
    history = await desk.history()
    await (await desk.audit()).record(Action.EXPORTED, Kind.ALERTS, "alerts")
    filters = replace(address.filters(desk.services.regions, zone), singly=True)
    return _lines_of_alerts(history, filters, zone)


async def _entries(desk: Desk, address: Address, zone: str) -> AsyncGenerator[str]:
    desk.actor.require(Permission.ADMINISTER, "export who did what")
    audit = await desk.audit()
    await audit.record(Action.EXPORTED, Kind.ALERTS, "the audit trail")
    return _lines_of_entries(audit, address.audit_filters(zone), zone)


# Both yield the file in parts, so that neither memory nor the loop has to hold all of it. Excel
# takes a file for UTF-8 only with a byte order mark in front.


async def _lines_of_alerts(history: History, filters: Filters, zone: str) -> AsyncGenerator[str]:
    yield "\ufeff" + _csv([HEADS])
    before = None
    while True:
        page = await history.search(filters, before=before, limit=ROWS_AT_ONCE)
        if page.rows:
            yield _csv([_cells(row.alert, zone) for row in page.rows if row.alert])
        if not page.has_older:
            return
        before = page.rows[-1].position


async def _lines_of_entries(audit: Audit, filters: AuditFilters, zone: str) -> AsyncGenerator[str]:
    yield "\ufeff" + _csv([AUDIT_HEADS])
    before = ""
    while True:
        page = await audit.page(filters, before=before, limit=ROWS_AT_ONCE)
        if page.entries:
            yield _csv([_entry_cells(each, zone) for each in page.entries])
        if not page.has_older:
            return
        before = page.entries[-1].id


def _cells(alert: Alert, zone: str) -> Sequence[str]:
    return (
        alert.id,
        _clock(alert.events[0].at, zone),
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


def _entry_cells(entry: AuditEntry, zone: str) -> Sequence[str]:
    return (
        entry.id,
        _clock(entry.at, zone),
        entry.actor,
        entry.place,
        entry.kind.value,
        entry.words,
        entry.more_words,
        entry.about_id,
    )


def _clock(moment: datetime, zone: str) -> str:
    return f"{in_time_zone(moment, zone):%Y-%m-%d %H:%M:%S}"


def _csv(rows: Sequence[Sequence[str]]) -> str:
    lines = io.StringIO()
    csv.writer(lines).writerows([[safe(cell) for cell in row] for row in rows])
    return lines.getvalue()


def safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe in front."""
    return f"'{cell}" if cell.startswith(FORMULAS) else cell
