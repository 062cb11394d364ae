"""The dashboard: `shiny run app.py`. Settings in, pages and routes out."""

from __future__ import annotations

import sys

from htmltools import tags
from shiny import App, Inputs, Outputs, Session
from starlette.routing import Route

import webhooks
from alerts import Desk
from dashboard import phone, send, shell
from dashboard.lifespan import with_desk
from settings import Settings, SettingsError


def create_app(desk: Desk) -> App:
    """The app on a desk of your own, which is closed with it."""
    simulator = desk.services.simulator
    page = shell.page(
        shell.panel("Send", send.ui("send"), value="send"),
        handset=phone.ui("phone") if simulator else None,
    )

    def warm_up() -> None:
        desk.warm_up()

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        # The first page comes before all that has to be imported for sending.
        session.on_flushed(warm_up, once=True)
        alert = send.server("send", desk)
        if simulator:
            phone.server("phone", simulator.state.exchange, alert)

    dashboard = App(page, server)
    dashboard.sanitize_errors = True
    router = dashboard.starlette_app.router
    # In front: appended routes are shadowed by Shiny's final mount. Wrapping the app in another
    # Starlette would silently drop its lifespan.
    router.routes[0:0] = webhooks.routes(desk)
    router.lifespan_context = with_desk(desk, router.lifespan_context)
    return dashboard


def explain(problem: SettingsError) -> App:
    """An app that only says what keeps the dashboard from starting."""
    page = shell.plain_page(
        "Callboard can't start yet",
        tags.p(str(problem), class_="lead", role="alert"),
        tags.p("Put it right in .env beside app.py, or in the environment, and start again."),
    )
    explanation = App(page, None)
    explanation.starlette_app.router.routes[0:0] = [Route("/healthz", webhooks.ill_health)]
    return explanation


def _from_environment() -> App:
    try:
        return create_app(Desk.from_settings(Settings()))
    except SettingsError as problem:
        print(f"Callboard can't start: {problem}", file=sys.stderr)
        return explain(problem)


app = _from_environment()
