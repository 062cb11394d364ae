"""An app with only the routes for Twilio and monitors, for use if the pages are behind a login.

`uvicorn callbacks_app:app`. It records key presses, statuses and replies in the database of the
dashboard, whose processes go on from there. It has no pages and delivers nothing.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route

import monitoring
import webhooks
from alerts import DatabaseError, Desk
from monitoring.health import ill_health
from settings import Settings, SettingsError

log = logging.getLogger(__name__)

SECONDS_BETWEEN_OPENINGS = 10.0


def create_app(settings: Settings) -> Starlette:
    """Return the app. Raises `SettingsError` if Twilio can't report to it with these settings."""
    if settings.simulated:
        raise SettingsError(
            "TWILIO_ACCOUNT_SID is not set, and the simulator reports to the dashboard itself: "
            "callbacks_app.py is for a Twilio account."
        )
    if settings.public_url is None:
        raise SettingsError(
            "PUBLIC_URL is missing: set it to the address at which Twilio reaches this app, here "
            "and in the dashboard."
        )
    desk = Desk.from_settings(settings, mode="observer")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        opening = asyncio.create_task(_open(desk), name="opening the desk")
        try:
            yield
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            await desk.close()

    routes = [*webhooks.routes(desk), *monitoring.routes(desk, settings.metrics_token)]
    app = Starlette(routes=routes, lifespan=lifespan)
    # A path with an extra slash is a 404. Starlette would redirect to the host that the request
    # names.
    app.router.redirect_slashes = False
    app.add_middleware(webhooks.TimelyBodies)
    return app


async def _open(desk: Desk) -> None:
    """Open the desk before Twilio's first request, which can't wait for long."""
    while True:
        try:
            await desk.open()
            return
        except DatabaseError as problem:
            log.warning("%s Trying again every %.0f s.", problem, SECONDS_BETWEEN_OPENINGS)
        await asyncio.sleep(SECONDS_BETWEEN_OPENINGS)


def _from_environment() -> Starlette:
    webhooks.keep_queries_out_of_logs()
    try:
        return create_app(Settings())
    except SettingsError as problem:
        print(f"Callboard can't start: {problem}", file=sys.stderr)
        return Starlette(routes=[Route("/healthz", ill_health)])


app = _from_environment()
