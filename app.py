"""The dashboard: `shiny run app.py`. Settings in, pages and routes out."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from htmltools import tags
from shiny import App, Inputs, Outputs, Session
from starlette.routing import Route
from starlette.types import Lifespan

from alerts import Alert, DatabaseError, Desk
from dashboard import activity, emergency, mount, people, rules, send, setup, shell
from dashboard.background import in_background
from dashboard.notices import LiveNotices
from dashboard.page_messages import CheckedMessages
from dashboard.protocols import remember_protocols
from dashboard.quick_sessions import QuickApp
from dashboard.security_headers import SecurityHeaders, html_of
from dashboard.sign_in import Access
from dashboard.tracing import skip_tracing_if_not_installed
from dashboard.visitor import actor_of
from monitoring.health import ill_health
from rules.opening import OpenRules
from settings import Settings, SettingsError

log = logging.getLogger(__name__)

SECONDS_BETWEEN_ATTEMPTS = 5.0
# With 100 pages open, a full search for garbage makes every visitor wait 0.4 s and finds next to
# nothing. Python would make one after 10 smaller ones: every ten seconds, if they all type. Fewer
# searches cost some 20 MB, of pages that were closed since the last. Opening a page calls for more
# of them than anything else, so this is set before the first one.
FULL_COLLECTION_AFTER = 50


def create_app(
    desk: Desk,
    open_rules: OpenRules | None = None,
    *,
    settings: Settings | None = None,
    access: Access | None = None,
) -> App:
    """Return the app on a desk of your own, which is closed with it.

    Without `open_rules` it has no rules, without the desk's `settings` no Setup page, and without
    `access` anyone who reaches it may use it.
    """
    simulator = desk.services.simulator
    if simulator:
        # Imported here because it loads the simulator, which isn't needed with an account.
        from dashboard import phone  # noqa: PLC0415
    rules_page = [shell.panel(rules.tab_title("rules"), rules.ui("rules"), value="rules")]
    setup_ui = setup.ui("setup", simulated=simulator is not None)
    setup_page = [shell.panel("Setup", setup_ui, value="setup")]
    checking = setup.Checking(settings, desk, open_rules) if settings else None
    page = shell.page(
        shell.panel(
            send.tab_title("send"),
            send.ui("send", message=send.SAMPLE_MESSAGE if simulator else ""),
            value="send",
        ),
        shell.panel("Activity", activity.ui("activity"), value="activity"),
        shell.panel("People", people.ui("people"), value="people"),
        *(rules_page if open_rules else ()),
        *(setup_page if settings else ()),
        handset=phone.ui("phone") if simulator else None,
        above=emergency.banner_ui("emergency"),
        below=emergency.button_ui("emergency"),
        access=access,
    )

    def warm_up() -> None:
        # A session may begin while the server stops.
        with suppress(DatabaseError):
            desk.warm_up()

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        # Serve the first page before importing all that sending needs.
        session.on_flushed(warm_up, once=True)
        # After a laptop slept, or the server was restarted, the page goes on where it was.
        session.allow_reconnect("force")
        shell.server(session)
        actor = actor_of(session)
        visitors_desk = desk.acting_as(actor)
        notices = LiveNotices(visitors_desk, session)
        emergency.server("emergency", visitors_desk, notices)
        shown = send.server("send", visitors_desk, notices)
        activity.server("activity", visitors_desk)
        people.server("people", visitors_desk)
        if open_rules:
            rules.server("rules", visitors_desk, open_rules.acting_as(actor))
        tried = setup.server("setup", visitors_desk, checking) if checking else None
        if simulator:
            of_rules = rules.AlertsOfRules(visitors_desk, session)

            def ringing() -> tuple[Alert, ...]:
                return (*shown.all(), *(tried.all() if tried else ()), *of_rules())

            phone.server("phone", simulator, ringing)

    dashboard = QuickApp(page, server)
    dashboard.sanitize_errors = True
    file_inputs = {"people-file", "send-file", "rules-file"}
    dashboard.starlette_app.add_middleware(CheckedMessages, file_inputs=file_inputs)
    mount(dashboard, desk, open_rules, access)
    # Added last and so outermost, because the sign-in page needs the headers too.
    dashboard.starlette_app.add_middleware(SecurityHeaders, html=html_of(dashboard))
    return dashboard


def explain(problem: SettingsError) -> App:
    """Return an app that only says what keeps the dashboard from starting."""
    page = shell.plain_page(
        "Callboard can't start yet",
        tags.p(str(problem), class_="lead", role="alert"),
        tags.p("Fix it in .env beside app.py, or in the environment, and start again."),
    )
    explanation = App(page, None)
    explanation.starlette_app.add_middleware(SecurityHeaders, html=html_of(explanation))
    explanation.starlette_app.router.routes[0:0] = [Route("/healthz", ill_health)]
    return explanation


def _from_environment() -> App:
    # These change the whole process, which runs nothing but this app: an app of your own uses the
    # parts in dashboard/ and doesn't import this file.
    skip_tracing_if_not_installed()
    remember_protocols()
    gc.set_threshold(*gc.get_threshold()[:2], FULL_COLLECTION_AFTER)
    try:
        settings = Settings()
        desk = Desk.from_settings(settings)
    except SettingsError as problem:
        print(f"Callboard can't start: {problem}", file=sys.stderr)
        return explain(problem)
    access = Access.from_settings(settings, desk)
    dashboard = create_app(desk, OpenRules(settings, desk), settings=settings, access=access)
    router = dashboard.starlette_app.router
    router.lifespan_context = once_open(
        desk, lambda: _record_settings_and_freeze(desk, settings), router.lifespan_context
    )
    return dashboard


def once_open(
    desk: Desk, work: Callable[[], Awaitable[None]], lifespan: Lifespan[Any]
) -> Lifespan[Any]:
    """Return the server's `lifespan`, extended to do `work` once the desk is open."""

    @asynccontextmanager
    async def both(app: Any) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            working = in_background(_work_once_open(desk, work), "the work once it is open")
            try:
                yield state
            finally:
                working.cancel()

    return both


async def _work_once_open(desk: Desk, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_ATTEMPTS)
        with suppress(DatabaseError):  # with_desk logs it
            await desk.open()
            break
    await work()


async def _record_settings_and_freeze(desk: Desk, settings: Settings) -> None:
    """Note which settings have changed since the last start, and freeze what was imported.

    With many pages open, Python searches for garbage every few seconds. A search through all
    imported modules, which are never garbage, makes every visitor wait 50 ms more. `gc.freeze`
    spares every object that is alive, so this is for a process that runs nothing but this app.
    """
    # Imported here because it needs SQLAlchemy, which the first page doesn't wait for.
    from access.changed_settings import record_changed_settings  # noqa: PLC0415

    try:
        await record_changed_settings(await desk.database(), settings, "app", desk.actor)
    except Exception:
        log.exception("Which settings have changed couldn't be recorded")
    gc.collect()
    gc.freeze()


app = _from_environment()
