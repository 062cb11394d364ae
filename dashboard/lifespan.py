"""The desk inside a Shiny app: its routes mounted, opened with the server and closed with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from shiny import App
from starlette.types import Lifespan

import monitoring
import webhooks
from alerts import DatabaseError, Desk
from dashboard.activity.export import export_routes
from dashboard.background import in_background
from dashboard.own_pages import OwnPagesOnly, is_from_this_machine
from dashboard.sign_in import Access
from rules.opening import OpenRules

log = logging.getLogger(__name__)

# Opening imports for a second or two, so serve the first page before that. Alerts that were under
# way when the server last stopped need no visitor to go on.
SECONDS_BEFORE_OPENING = 2.0
SECONDS_BETWEEN_OPENINGS = 10.0


def mount(
    app: App, desk: Desk, rules: OpenRules | None = None, access: Access | None = None
) -> None:
    """Let `app` deliver for `desk`: add the routes beside the pages, and the desk's lifespan.

    The desk opens soon after the server starts, with or without visitors, and is closed with it. So
    are the `rules`, which are checked while it is open. Pages of other sites can't open a session
    of the app from now on, because it can place calls. With `access` only people with permission
    can use the app; without it, that is up to you.
    """
    router, services = app.starlette_app.router, desk.services
    # If the app can be reached from elsewhere, a proxy that adds no header of its own would look
    # local.
    watched_by = monitoring.nobody if services.page_origins else is_from_this_machine
    # In front: appended routes are shadowed by Shiny's final mount. Wrapping the app in another
    # Starlette would silently drop its lifespan.
    router.routes[0:0] = [
        *webhooks.routes(desk),
        *monitoring.routes(desk, services.metrics_token, watched_by),
        *export_routes(desk),
    ]
    router.lifespan_context = with_desk(desk, router.lifespan_context, rules)
    webhooks.keep_queries_out_of_logs()
    if access is not None:
        access.guard(app)
    app.starlette_app.add_middleware(OwnPagesOnly, origins=desk.services.page_origins)
    # Around everything that reads a body, including the sign-in form.
    app.starlette_app.add_middleware(webhooks.TimelyBodies)


def with_desk(desk: Desk, lifespan: Lifespan[Any], rules: OpenRules | None = None) -> Lifespan[Any]:
    """Return the server's `lifespan` with the desk's, and that of its `rules`, inside it.

    https://www.starlette.io/lifespan/
    """

    @asynccontextmanager
    async def both(app: Any) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            opening = in_background(_open(desk, rules), "opening the desk")
            try:
                yield state
            finally:
                opening.cancel()
                # Let a check end before the database that it writes to is closed.
                await asyncio.gather(opening, return_exceptions=True)
                if rules is not None:
                    await rules.close()
                await desk.close()

    return both


async def _open(desk: Desk, rules: OpenRules | None) -> None:
    """Open the desk, trying again while its database can't be reached: alerts are waiting there.

    Then check the rules until canceled.
    """
    await asyncio.sleep(SECONDS_BEFORE_OPENING)
    while True:
        try:
            await desk.open()
            break
        except DatabaseError as problem:
            log.warning("%s Trying again every %.0f s.", problem, SECONDS_BETWEEN_OPENINGS)
        await asyncio.sleep(SECONDS_BETWEEN_OPENINGS)
    if rules is not None:
        await rules.check()
