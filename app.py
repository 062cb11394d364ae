"""The dashboard: `shiny run app.py`. Settings in, pages and routes out."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from htmltools import tags
from shiny import App, Inputs, Outputs, Session
from starlette.routing import Route
from starlette.types import Lifespan

import webhooks
from alerts import Alert, DatabaseError, Desk
from dashboard import activity, mount, people, phone, rules, send, setup, shell
from dashboard.empty_updates import WithoutEmptyUpdates
from dashboard.page_messages import CheckedMessages
from dashboard.security_headers import SecurityHeaders, html_of
from rules.opening import OpenRules
from settings import Settings, SettingsError

SECONDS_BETWEEN_FREEZING_ATTEMPTS = 5.0


def create_app(
    desk: Desk, open_rules: OpenRules | None = None, *, settings: Settings | None = None
) -> App:
    """Return the app on a desk of your own, which is closed with it.

    Without `open_rules` it has no rules; without the `settings` of the desk, no Setup page.
    """
    simulator = desk.services.simulator
    rules_page = [shell.panel(rules.tab_title("rules"), rules.ui("rules"), value="rules")]
    setup_ui = setup.ui("setup", simulated=simulator is not None)
    setup_page = [shell.panel("Setup", setup_ui, value="setup")]
    checking = setup.Checking(settings, desk, open_rules) if settings else None
    page = shell.page(
        shell.panel(
            "Send", send.ui("send", message=send.SAMPLE_MESSAGE if simulator else ""), value="send"
        ),
        shell.panel("Activity", activity.ui("activity"), value="activity"),
        shell.panel("People", people.ui("people"), value="people"),
        *(rules_page if open_rules else ()),
        *(setup_page if settings else ()),
        handset=phone.ui("phone") if simulator else None,
    )

    def warm_up() -> None:
        desk.warm_up()

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        # Serve the first page before importing all that sending needs.
        session.on_flushed(warm_up, once=True)
        # A laptop that slept, or a server that was started again: the page goes on where it was.
        session.allow_reconnect("force")
        shown = send.server("send", desk)
        activity.server("activity", desk)
        people.server("people", desk)
        if open_rules:
            rules.server("rules", desk, open_rules)
        tried = setup.server("setup", desk, checking) if checking else None
        if simulator:
            of_rules = rules.AlertsOfRules(desk, session)

            def ringing() -> tuple[Alert, ...]:
                return (*shown.all(), *(tried.all() if tried else ()), *of_rules())

            phone.server("phone", simulator.state.exchange, ringing)

    dashboard = App(page, server)
    dashboard.sanitize_errors = True
    dashboard.starlette_app.add_middleware(WithoutEmptyUpdates)
    file_inputs = {"people-file", "send-file", "rules-file"}
    dashboard.starlette_app.add_middleware(CheckedMessages, file_inputs=file_inputs)
    dashboard.starlette_app.add_middleware(SecurityHeaders, html=html_of(dashboard))
    mount(dashboard, desk, open_rules)
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
    explanation.starlette_app.router.routes[0:0] = [Route("/healthz", webhooks.ill_health)]
    return explanation


def _from_environment() -> App:
    try:
        settings = Settings()
        desk = Desk.from_settings(settings)
    except SettingsError as problem:
        print(f"Callboard can't start: {problem}", file=sys.stderr)
        return explain(problem)
    dashboard = create_app(desk, OpenRules(settings, desk), settings=settings)
    _forget_opentelemetry_if_missing()
    router = dashboard.starlette_app.router
    router.lifespan_context = with_freezing(desk, router.lifespan_context)
    return dashboard


def _forget_opentelemetry_if_missing() -> None:
    """Let Python remember that OpenTelemetry's SDK isn't installed.

    Shiny tries to import it several times in every flush, in case it has been set up meanwhile, and
    each search through the file system takes longer than most of our own work there.
    https://docs.python.org/3/reference/import.html#the-module-cache
    """
    name = "opentelemetry.sdk"
    if importlib.util.find_spec(name) is None:
        sys.modules.setdefault(f"{name}.trace", None)  # type: ignore[arg-type]


def with_freezing(desk: Desk, lifespan: Lifespan[Any]) -> Lifespan[Any]:
    """Return the server's `lifespan`, which also takes imported modules out of garbage collection.

    For a process that runs nothing but this app: `gc.freeze` spares every object that is alive.
    """

    @asynccontextmanager
    async def both(app: Any) -> AsyncIterator[Any]:
        async with lifespan(app) as state:
            freezing = asyncio.create_task(_freeze_once_open(desk), name="freezing modules")
            try:
                yield state
            finally:
                freezing.cancel()

    return both


async def _freeze_once_open(desk: Desk) -> None:
    """Freeze what was imported, once the desk is open and has imported the rest.

    With many pages open, Python searches for garbage every few seconds. A search through all
    imported modules, which are never garbage, makes every visitor wait 50 ms more.
    """
    while True:
        await asyncio.sleep(SECONDS_BETWEEN_FREEZING_ATTEMPTS)
        with suppress(DatabaseError):  # with_desk logs it
            await desk.open()
            break
    gc.collect()
    gc.freeze()


app = _from_environment()
