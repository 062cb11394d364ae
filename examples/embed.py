"""The Send page inside another dashboard: `shiny run examples/embed.py`."""

from open_desk import open_desk
from shiny import App, Inputs, Outputs, Session, reactive, render, ui

from dashboard import mount, send
from dashboard.visitor import actor_of

TASTINGS = {"1406": "clean", "1407": "diacetyl", "1408": "clean"}

app_ui = ui.page_navbar(
    ui.nav_panel(
        "Tastings",
        ui.input_select("batch", "Batch", list(TASTINGS), selected="1407"),
        ui.output_text("finding"),
        ui.output_text("told"),
    ),
    ui.nav_panel("Call the brewer", send.ui("brewer", to="412-555-0106")),
    title="Tasting room",
    lang="en",
)
desk = open_desk()


def server(input: Inputs, output: Outputs, session: Session) -> None:
    @render.text
    def finding() -> str:
        return f"Batch {input.batch()}: {TASTINGS[input.batch()]}"

    # What the module returns is a reactive value: the alert that it shows, or None.
    # Calls are placed in the visitor's name.
    alert = send.server("brewer", desk.acting_as(actor_of(session)))

    @reactive.effect
    def hand_over_the_batch() -> None:
        batch = input.batch()
        send.fill_in("brewer", message=f"Batch {batch} was found to be {TASTINGS[batch]}.")

    @render.text
    def told() -> str:
        sent = alert()
        return "The brewer has been told." if sent and sent.reached else ""


app = App(app_ui, server)
# Lets Twilio read documents and report key presses, and delivers without visitors too.
mount(app, desk)
