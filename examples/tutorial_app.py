"""The tutorial's app again: a number, a button, and its three steps by name.

`shiny run examples/tutorial_app.py`: with no Twilio account set, the simulator answers.
"""

import sys
from datetime import datetime
from pathlib import Path

from shiny import App, Inputs, Outputs, Session, reactive, render, ui

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the packages beside this folder

from alerts import Desk, UnusableInput
from alerts.numbers import read_number
from settings import Settings
from storage import StorageError
from twilio_client import TwilioError
from twiml import Response, Say

means = Desk.from_settings(Settings()).means  # Twilio, storage and caller ID, as .env says

app_ui = ui.page_fluid(
    ui.h1("Test call"),
    ui.input_text("phone_number", "Phone number", placeholder="+14128574309"),
    ui.input_task_button("send_test_call", "Send test call", label_busy="Calling…"),
    ui.output_text_verbatim("outcome"),
    lang="en",
)


def server(input: Inputs, output: Outputs, session: Session) -> None:
    @ui.bind_task_button(button_id="send_test_call")
    @reactive.extended_task
    async def call(typed: str) -> str:
        number = read_number(typed, means.regions).e164
        message = f"Greetings, it is currently {datetime.now():%H:%M}."
        xml = Response(Say(message, voice="alice", language="en-GB", loop=3)).to_xml()  # 1 build
        stored = await means.storage.publish(f"{datetime.now():%Y-%m-%d}-tutorial", xml)  # 2 store
        placed = await means.twilio.create_call(  # 3 call
            to=number, from_=means.from_number, url=stored.url, twiml=stored.twiml
        )
        return f"Twilio has it: {placed.sid}"

    @reactive.effect
    @reactive.event(input.send_test_call)
    def press() -> None:
        call(input.phone_number())

    @render.text
    def outcome() -> str:
        try:
            return call.result()
        except (UnusableInput, StorageError, TwilioError) as problem:
            return str(problem)


app = App(app_ui, server)
