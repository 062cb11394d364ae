"""The tutorial's app, its three steps by name: `shiny run examples/tutorial_app.py`."""

import asyncio
from datetime import date, datetime

from open_desk import open_desk
from shiny import App, Inputs, Outputs, Session, reactive, render, ui

from alerts import UnusableInput
from alerts.phone_numbers import read_number
from dashboard import mount
from storage import StorageError
from twilio_client import TwilioError
from twiml import Response, Say

desk = open_desk()
services = desk.services  # Twilio, storage and caller ID, as .env says

app_ui = ui.page_fluid(
    ui.h1("Test call"),
    ui.p("This is a simulation: nobody's phone rings.") if services.simulator else None,
    ui.input_text("phone_number", "Phone number", placeholder="+14128574309"),
    ui.input_task_button("send_test_call", "Send test call", label_busy="Calling…"),
    ui.output_text("outcome"),
    lang="en",
)


def server(input: Inputs, output: Outputs, session: Session) -> None:
    @ui.bind_task_button(button_id="send_test_call")
    @reactive.extended_task
    async def call(typed: str) -> str:
        try:
            number = read_number(typed, services.regions)
            message = f"Greetings, it is currently {datetime.now():%H:%M}."
            xml = Response(Say(message, voice="alice", language="en-GB", loop=3)).to_xml()  # build
            stored = await services.storage.publish(f"{date.today()}-tutorial", xml)  # store
            placed = await services.twilio.create_call(  # call
                to=number.e164,
                from_=services.from_number,
                url=stored.url,
                twiml=stored.twiml,
                send_digits=number.send_digits,
            )
            return f"Accepted by Twilio: {placed.sid}"
        except (UnusableInput, StorageError, TwilioError) as problem:
            return str(problem)
        finally:
            await asyncio.sleep(1)  # stays busy until the second click of a double click

    @reactive.effect
    @reactive.event(input.send_test_call)
    def press() -> None:
        if call.status() != "running":  # Shiny would call again afterwards
            call(input.phone_number())

    @render.text
    def outcome() -> str:
        return call.result()


app = App(app_ui, server)
mount(app, desk)  # lets Twilio read documents kept here
