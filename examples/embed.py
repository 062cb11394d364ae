"""The Send page inside another dashboard: `shiny run examples/embed.py`."""

from open_desk import open_desk
from shiny import App, Inputs, Outputs, Session, render, ui

from dashboard import mount, send

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
# Lets Twilio read documents and report key presses, and delivers without visitors too.
mount(app, desk)
