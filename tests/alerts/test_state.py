"""An alert's state is right even if events come late, twice and in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import AlertRequest, Event, Status
from alerts.alert import Alert, AlertState, tries_of
from alerts.state import apply, state_of
from alerts.status import ON_THE_WAY
from tests.support.made_up_alerts import (
    BEGAN,
    CALL,
    MACHINES,
    TryOutcome,
    cancel_wish,
    events_of,
    key_press,
    made_up_alerts,
    slipped_in,
)

chances = st.randoms(use_true_random=False)


def fresh(request: AlertRequest) -> Alert:
    return Alert(
        id="1",
        request=request,
        from_="+14155550100",
        not_before=BEGAN,
        since=BEGAN,
        events=(),
        tries=tries_of(request),
    )


def state(alert: AlertState) -> AlertState:
    return AlertState(**state_of(alert))


def states(request: AlertRequest, events: Sequence[Event]) -> list[AlertState]:
    """The alert at first, and after each event."""
    alert = fresh(request)
    reached = [state(alert)]
    for event in events:
        before, alert = alert, apply(alert, event)
        assert alert.events[:-1] == before.events
        assert alert.events[-1].news == (state(alert) != state(before))
        reached.append(state(alert))
    return reached


def check_steps(steps: Sequence[AlertState]) -> None:
    """Assert what must hold from each event to the next."""
    for before, now in pairwise(steps):
        if before.status.final:
            assert now == before
        assert now.try_number >= before.try_number
        assert now.canceling >= before.canceling
        assert now.asks_reply >= before.asks_reply
        assert now.since >= before.since
        if now.try_number == before.try_number:
            assert before.sid in (None, now.sid)
            assert before.answered_by in (None, "", now.answered_by)
            if not now.status.final:
                assert ON_THE_WAY.index(now.status) >= ON_THE_WAY.index(before.status)
        else:
            assert now == AlertState(
                since=now.since, try_number=now.try_number, asks_reply=now.asks_reply
            )


@settings(max_examples=300)
@given(made_up_alerts())
def test_an_alert_ends_as_it_truly_did(made_up):
    request, events, end = made_up
    steps = states(request, events)
    check_steps(steps)
    assert steps[-1].status is end


@settings(max_examples=150)
@given(made_up_alerts(), chances, st.integers(1, 3))
def test_an_acknowledgement_wins_wherever_it_comes(made_up, chance, number):
    request, events, _ = made_up
    number = min(number, len(tries_of(request)))
    events = slipped_in(events, [key_press(number)], chance)
    steps = states(request, events)
    check_steps(steps)
    pressed = next(n for n, each in enumerate(events) if each.source == "recipient")
    if not steps[pressed].status.final:
        assert steps[-1].status is Status.ACKNOWLEDGED
        assert steps[-1].error is None


@settings(max_examples=150)
@given(made_up_alerts(), chances, st.integers(1, 2))
def test_after_a_cancel_wish_nothing_more_is_begun(made_up, chance, wishes):
    request, events, _ = made_up
    events = slipped_in(events, [cancel_wish()] * wishes, chance)
    steps = states(request, events)
    check_steps(steps)
    wished = next(n for n, each in enumerate(events) if each.canceling)
    if not steps[wished].status.final:
        assert steps[-1].try_number == steps[wished].try_number
        assert steps[-1].canceling
        assert steps[-1].status in {Status.CANCELED, Status.DELIVERED, Status.UNKNOWN}
    if steps[wished].status is Status.QUEUED:
        assert steps[wished + 1].status is Status.CANCELED


@settings(max_examples=300)
@given(made_up_alerts(), chances)
def test_news_of_the_same_call_twice_is_none(made_up, chance):
    request, events, _ = made_up
    now = fresh(request)
    for event in events:
        now = apply(now, event)
        assert state(apply(now, event)) == state(now)


@pytest.mark.parametrize("verdict", MACHINES)
@pytest.mark.parametrize("in_time", [True, False])
def test_a_machine_does_not_count_as_reached(verdict, in_time):
    request = replace(CALL, voicemail="Call us back", tries=2)
    outcome = TryOutcome(Status.COMPLETED, verdict=verdict, verdict_in_time=in_time)
    ended = states(request, events_of(request, 1, outcome, "call"))[-1]
    assert (ended.status, ended.try_number) == (Status.QUEUED, 2)


def test_the_end_waits_for_who_answered():
    request = replace(CALL, voicemail="Call us back")
    outcome = TryOutcome(Status.COMPLETED, verdict="machine_end_beep", verdict_in_time=False)
    *begun, verdict, ended, look = events_of(request, 1, outcome, "call")
    assert (verdict.answered_by, ended.status) == ("machine_end_beep", Status.COMPLETED)
    told = [*begun, ended, verdict]
    assert states(request, told)[-1].status is Status.ANSWERED
    assert states(request, [*told, look])[-1].status is Status.VOICEMAIL


def test_a_key_press_from_an_earlier_call_ends_the_next_try():
    request = replace(CALL, acknowledge=True, tries=2)
    events = events_of(request, 1, TryOutcome(Status.COMPLETED), "call")
    steps = states(request, [*events, key_press(1)])
    assert [(each.status, each.try_number) for each in steps[-2:]] == [
        (Status.QUEUED, 2),
        (Status.ACKNOWLEDGED, 2),
    ]


def test_an_unknown_outcome_is_not_tried_again_with_the_same_number():
    request = replace(CALL, tries=3)
    unknown = events_of(request, 1, TryOutcome(Status.UNKNOWN), "call")
    assert states(request, unknown)[-1].status is Status.UNKNOWN
    more = replace(request, then_to=("+14128574310",))
    assert states(more, unknown)[-1].try_number == 4


def test_a_number_that_twilio_refuses_is_left_out():
    request = replace(CALL, tries=3, then_text=True, then_to=("+14128574310",))
    refused = events_of(request, 1, TryOutcome(Status.FAILED, refused=True), "call")
    assert states(request, refused)[-1].try_number == 4
    assert tries_of(request)[3].channel == "text"
    failed = events_of(request, 1, TryOutcome(Status.FAILED), "call")
    assert states(request, failed)[-1].try_number == 2


def test_a_text_that_arrives_twice_waits_for_its_reply_no_longer():
    request = AlertRequest("text", CALL.to, CALL.message, acknowledge=True)
    events = events_of(request, 1, TryOutcome(Status.DELIVERED), "text")
    alert = fresh(request)
    for event in events:
        alert = apply(alert, event)
    assert alert.reply_until
    later = replace(events[-1], at=events[-1].at + timedelta(hours=1))
    assert state(apply(alert, later)) == state(alert)
    nobody = replace(later, source="callboard")
    assert apply(alert, nobody).status is Status.DELIVERED
