"""A call that was over before its message could have been heard once reached no one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerts import Alert, AlertRequest, Event, Status
from alerts.alert import tries_of
from alerts.state import apply
from tests.support.callback_app import callback_app, form
from tests.support.databases import sqlite_in
from tests.support.desks import CALL, followed, simulated_desk

IN_A_HURRY, ATTENTIVE = "+14125550104", "+14125550106"
MESSAGE = "Fermentation tank four is too warm since nine this morning. Please call Maya."
NOW = datetime(2026, 11, 23, 9, 42, tzinfo=UTC)
LONG = replace(CALL, message=MESSAGE)


def ended(request: AlertRequest, duration: int | None, answered_by: str | None = None) -> Alert:
    """The alert after its call was answered and ended."""
    new = Alert(
        id="1",
        request=request,
        from_="",
        not_before=NOW,
        since=NOW,
        events=(),
        tries=tries_of(request),
    )
    answered = apply(new, Event(NOW, Status.ANSWERED, "Answered", "callback", sid="CA1"))
    end = Event(
        NOW + timedelta(seconds=9), Status.COMPLETED, "Call ended", "poll", duration=duration
    )
    return apply(answered, replace(end, answered_by=answered_by))


@pytest.mark.parametrize(
    ("request_", "duration", "status"),
    [
        (LONG, 0, "hung_up"),
        (LONG, 2, "hung_up"),
        (LONG, 4, "completed"),
        (LONG, None, "completed"),
        (CALL, 0, "completed"),  # "Hello" may be heard in half a second
        (replace(LONG, repeat=0), 2, "hung_up"),
        (replace(LONG, message="{{ long }}", variables={"long": MESSAGE}), 2, "hung_up"),
        (replace(LONG, message="{{ long }}", variables={"long": "Hello"}), 2, "completed"),
        (replace(LONG, message="{% if now == 'never' %}x{% endif %}"), 0, "completed"),
    ],
)
def test_only_a_call_that_must_be_too_short(request_, duration, status):
    assert ended(request_, duration).status == status


def test_a_machine_is_still_voicemail_and_the_end_waits_for_the_verdict():
    request = replace(LONG, voicemail="Call us.")
    assert ended(request, 1, answered_by="machine_end_beep").status is Status.VOICEMAIL
    assert ended(request, 1).status is Status.ANSWERED
    assert ended(request, 1, answered_by="").status is Status.HUNG_UP
    assert ended(request, 1, answered_by="human").status is Status.HUNG_UP


def test_the_story_says_so_and_nothing_changes_it():
    alert = ended(LONG, 1)
    assert (alert.events[-1].note, alert.events[-1].status) == ("Hung up at once", "hung_up")
    assert not alert.reached
    again = apply(alert, Event(NOW, Status.COMPLETED, "Call ended", "callback", duration=60))
    assert again.status is Status.HUNG_UP
    assert not again.events[-1].news


def test_a_key_press_counts_however_short_the_call_was():
    request = replace(LONG, acknowledge=True, tries=2)
    again = ended(request, 1)
    assert (again.status, again.try_number) == ("queued", 2)
    press = Event(NOW, Status.ACKNOWLEDGED, "Pressed 1", "recipient")
    assert apply(again, press).status is Status.ACKNOWLEDGED


def test_what_we_end_ourselves_is_canceled():
    alert = Alert(
        id="1", request=LONG, from_="", not_before=NOW, since=NOW, events=(), tries=tries_of(LONG)
    )
    alert = apply(alert, Event(NOW, Status.ANSWERED, "Answered", "callback", sid="CA1"))
    alert = apply(alert, Event(NOW, None, "Canceled", "sender", canceling=True))
    end = Event(NOW, Status.COMPLETED, "Call ended", "callback", duration=1)
    assert apply(alert, end).status is Status.CANCELED


async def test_twilio_reports_the_duration_in_its_callback(tmp_path):
    async with callback_app(sqlite_in(tmp_path)) as app:
        await app.add("one", LONG)
        await app.begin()
        await app.status(form("in-progress"))
        await app.status(form("completed", CallDuration="1"))
        alert = await app.alert()
    assert (alert.status, alert.events[-1].duration) == ("hung_up", 1)


@pytest.mark.slow
@pytest.mark.parametrize("callbacks", [True, False])
async def test_a_person_in_a_hurry_is_called_again(tmp_path, callbacks):
    # Not faster: what this machine takes would count as seconds of the call.
    async with simulated_desk(tmp_path, callbacks=callbacks, speed=4) as desk:
        request = replace(LONG, to=IN_A_HURRY, tries=2, minutes_between_tries=0)
        alert = await followed(desk, request)
        assert (alert.status, alert.try_number) == ("hung_up", 2)
        ends = [each.status for each in alert.events if each.status and each.status.final]
        assert ends[:1] == ["hung_up"]
        assert (await followed(desk, replace(LONG, to=ATTENTIVE, repeat=1))).status == "completed"
