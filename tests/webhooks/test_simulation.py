"""Callbacks of the simulator in this process, without a network."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from alerts import Alert, AlertRequest, Status
from alerts.alert import NewAlert
from alerts.history import History
from alerts.message.call_twiml import write_document
from alerts.simulation import simulated_services
from alerts.steps.placing import CALL_EVENTS
from database.database import Database
from settings import Settings
from tests.support.callback_app import CallbackDesk
from tests.support.databases import sqlite_in
from tests.support.environment import clean_environment

ATTENTIVE, MACHINE, ANYBODY = "+14125550106", "+14125550103", "+14125550199"
CALL = AlertRequest("call", ATTENTIVE, "Batch 7 failed", acknowledge=True)


@pytest.fixture
async def desk(tmp_path):
    async def history() -> History:
        return opened.open_history

    with clean_environment():
        services = simulated_services(Settings(_env_file=None), history)
    assert services.simulator is not None
    services.simulator.exchange.clock.set_speed(100)
    database = Database(sqlite_in(tmp_path))
    await database.open()
    opened = CallbackDesk(
        replace(services, database_url=SecretStr("unused")),
        History(database, services.twilio.account_sid),
        database,
    )
    yield opened
    await opened.open_history.close()
    await database.close()
    await services.close()


async def called(desk: CallbackDesk, request: AlertRequest, alert_id: str = "Batch 7 & 8") -> Alert:
    """Place the call as Callboard does; its status comes from callbacks alone."""
    callbacks = desk.services.callbacks
    assert callbacks is not None
    await desk.open_history.add([NewAlert(alert_id, request, desk.services.from_number)])
    document = write_document(request, request.message, callbacks.key_press(alert_id, 1)).to_xml()
    instructions = await desk.services.storage.publish("call", document)
    status = callbacks.status(alert_id, 1)
    await desk.services.twilio.create_call(
        to=request.to,
        from_=desk.services.from_number,
        url=instructions.url,
        status_callback=status,
        status_callback_event=CALL_EVENTS,
        machine_detection="DetectMessageEnd" if request.voicemail else None,
        async_amd=bool(request.voicemail),
        async_amd_status_callback=status if request.voicemail else None,
    )
    return await desk.open_history.until(alert_id, lambda alert: alert.status.final, 10)


async def test_a_person_presses_one(desk: CallbackDesk):
    alert = await called(desk, CALL)
    assert alert.status is Status.ACKNOWLEDGED
    assert [event.status for event in alert.events] == [
        Status.QUEUED, Status.PLACED, Status.RINGING, Status.ANSWERED, Status.ACKNOWLEDGED,
    ]  # fmt: skip
    assert desk.services.simulator is not None
    call = desk.services.simulator.exchange.calls[alert.sid or ""]
    said = [line.text for line in call.transcript if line.kind == "say"]
    assert said[-1] == "Thank you. Goodbye."


async def test_no_key_is_pressed(desk: CallbackDesk):
    alert = await called(desk, replace(CALL, to=ANYBODY))
    assert (alert.status, alert.reached) == (Status.COMPLETED, False)


async def test_a_machine_answers(desk: CallbackDesk):
    request = replace(CALL, to=MACHINE, voicemail="Call us back", acknowledge=False, repeat=9)
    alert = await called(desk, request)
    assert (alert.status, alert.answered_by) == (Status.VOICEMAIL, "machine_end_beep")
    assert "A machine answered" in [event.note for event in alert.events]


async def test_a_text(desk: CallbackDesk):
    callbacks = desk.services.callbacks
    assert callbacks is not None
    request = AlertRequest("text", ANYBODY, "Batch 7 failed")
    await desk.open_history.add([NewAlert("text", request, desk.services.from_number)])
    await desk.services.twilio.create_message(
        to=ANYBODY,
        body=request.message,
        from_=desk.services.from_number,
        status_callback=callbacks.status("text", 1),
    )
    alert = await desk.open_history.until("text", lambda alert: alert.status.final, 10)
    assert alert.status is Status.DELIVERED


async def test_callbacks_are_off_where_documents_live_elsewhere():
    with clean_environment():
        settings = Settings(_env_file=None, storage="inline")

    async def history() -> History:
        raise AssertionError

    services = simulated_services(settings, history)
    assert services.callbacks is None
    await services.close()


async def test_nothing_is_reported_without_a_history():
    with clean_environment():
        services = simulated_services(Settings(_env_file=None))
    assert services.callbacks is None
    await services.close()
