"""The Send page inside somebody else's dashboard: `shiny run examples/embed.py`."""

import sys
from pathlib import Path

from shiny import App, Inputs, Outputs, Session, render, ui

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the packages beside this folder

from alerts import Desk
from dashboard import send
from settings import Settings

TASTINGS = {"1406": "clean", "1407": "diacetyl", "1408": "clean"}

app_ui = ui.page_navbar(
    ui.nav_panel(
        "Tastings", ui.input_select("batch", "Batch", list(TASTINGS)), ui.output_text("finding")
    ),
    ui.nav_panel("Call the brewer", send.ui("brewer")),
    title="Tasting room",
    lang="en",
)
desk = Desk.from_settings(Settings())


def server(input: Inputs, output: Outputs, session: Session) -> None:
    @render.text
    def finding() -> str:
        return f"Batch {input.batch()}: {TASTINGS[input.batch()]}"

    send.server("brewer", desk)


app = App(app_ui, server)
