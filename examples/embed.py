"""The Send page inside somebody else's dashboard: `shiny run examples/embed.py`."""

from open_desk import open_desk
from shiny import App, Inputs, Outputs, Session, render, ui

import webhooks
from dashboard import send
from dashboard.lifespan import with_desk

TASTINGS = {"1406": "clean", "1407": "diacetyl", "1408": "clean"}

app_ui = ui.page_navbar(
    ui.nav_panel(
        "Tastings", ui.input_select("batch", "Batch", list(TASTINGS)), ui.output_text("finding")
    ),
    ui.nav_panel("Call the brewer", send.ui("brewer")),
    title="Tasting room",
    lang="en",
)
desk = open_desk()


def server(input: Inputs, output: Outputs, session: Session) -> None:
    @render.text
    def finding() -> str:
        return f"Batch {input.batch()}: {TASTINGS[input.batch()]}"

    send.server("brewer", desk)


app = App(app_ui, server)
router = app.starlette_app.router
router.routes[0:0] = webhooks.routes(desk)  # documents kept here and key presses, for Twilio
router.lifespan_context = with_desk(desk, router.lifespan_context)  # delivers without visitors too
