"""A Shiny app with only the handset and a button, whose call asks the visitor to press a key."""

from __future__ import annotations

import sys
from pathlib import Path

from shiny import App, Inputs, Outputs, Session, reactive, render, ui

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from alerts import Alert, Desk, Status
from dashboard import phone
from settings import Settings
from tests.support.alerts_by_hand import CALL, alert_after_events, steps
from twiml import Gather, Response, Say

DOCUMENT = Response(Gather(Say("Press 1."), num_digits=1, timeout=30), Say("Nobody pressed."))
NUMBER = "+14128574309"

services = Desk.from_settings(Settings(_env_file=None)).services
assert services.simulator is not None
simulator = services.simulator


def server(input: Inputs, output: Outputs, session: Session) -> None:
    sent: reactive.Value[Alert | None] = reactive.Value(None)
    phone.server("phone", simulator, lambda: [alert] if (alert := sent()) else [])

    @reactive.extended_task
    async def call() -> str:
        placed = await services.twilio.create_call(
            to=NUMBER, from_=services.from_number, twiml=DOCUMENT.to_xml()
        )
        return placed.sid

    @reactive.effect
    @reactive.event(input.call)
    def press() -> None:
        call()

    @reactive.effect
    def hand_over() -> None:
        placed = steps(Status.PLACED, sid=call.result())
        sent.set(alert_after_events(CALL, *placed))

    @render.text
    def pressed() -> str:
        reactive.invalidate_later(0.2)
        lines = simulator.exchange.calls[call.result()].transcript
        return "".join(line.text for line in lines if line.kind == "digits")


app = App(
    ui.page_fluid(
        ui.input_action_button("call", "Call me"),
        ui.output_text("pressed"),
        phone.ui("phone"),
        lang="en",
    ),
    server,
)
