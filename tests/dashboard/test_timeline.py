"""The line of dots of alerts made by hand: which dots there are, how they look, what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from alerts import Alert, AlertRequest, Status
from alerts.alert import Problem
from dashboard.timeline import announcement_of, steps_ahead, steps_of, story, tone
from tests.support.alerts_by_hand import CALL, TEXT, alert_after_events, steps

S = Status
ON_THE_WAY = (S.SENDING, S.PLACED, S.RINGING)
WISH = {"note": "Canceled by ann", "source": "sender", "canceling": True}


def line(alert: Alert) -> list[str]:
    """Each dot as "state: words"."""
    return [f"{step.state}: {step.words}" for step in steps_of(alert)]


def of(request: AlertRequest, *happened: dict[str, Any]) -> list[str]:
    return line(alert_after_events(request, *happened))


def test_before_anything_is_sent_all_is_ahead():
    words = [step.words for step in steps_ahead("call", acknowledge=True)]
    assert words[-2:] == ["Answered", "They press 1"]
    assert {step.state for step in steps_ahead("text", acknowledge=False)} == {"future"}


def test_a_call_that_rings():
    assert of(CALL, *steps(*ON_THE_WAY)) == [
        "past: Saved",
        "past: Stored in data/twiml",
        "past: Accepted by Twilio",
        "present: Ringing +1 412-857-4309",
        "future: Answered",
        "future: Call ended",
    ]


def test_each_step_has_the_time_of_its_event():
    alert = alert_after_events(CALL, *steps(*ON_THE_WAY))
    assert [step.at for step in steps_of(alert)] == [each.at for each in alert.events] + [None] * 2


def test_times_are_on_the_readers_clock():
    alert = alert_after_events(CALL, *steps(*ON_THE_WAY))
    at = alert.events[0].at
    assert f"{at.astimezone(ZoneInfo('Asia/Tokyo')):%H:%M:%S}" in str(story(alert, "Asia/Tokyo"))


def test_a_step_that_nobody_told_is_filled_in():
    assert of(CALL, *steps(S.SENDING, S.PLACED, S.COMPLETED))[3:] == [
        "past: Ringing",
        "past: Answered",
        "reached: Call ended",
    ]


def test_what_comes_late_or_twice_is_no_step():
    in_order = of(CALL, *steps(*ON_THE_WAY, S.ANSWERED))
    assert of(CALL, *steps(*ON_THE_WAY, S.ANSWERED, S.RINGING, S.ANSWERED)) == in_order
    over = of(CALL, *steps(*ON_THE_WAY, S.UNANSWERED))
    late = {"note": "Twilio can't be reached: trying again"}
    assert of(CALL, *steps(*ON_THE_WAY, S.UNANSWERED, S.RINGING), late) == over


def test_what_twilio_tells_of_another_call_is_no_step():
    strange = {"note": "Answered, in another call or text (CA9)", "source": "callback"}
    assert of(CALL, *steps(*ON_THE_WAY), strange) == of(CALL, *steps(*ON_THE_WAY))


def test_ringing_that_overtakes_the_answer_to_our_request():
    dots = of(CALL, *steps(S.SENDING), *steps(S.RINGING, sid="CA1"), *steps(S.PLACED))
    assert dots[2:4] == ["past: Accepted by Twilio", "present: Ringing +1 412-857-4309"]


def test_a_key_press_is_the_end_of_a_call_that_asked_for_one():
    request = replace(CALL, acknowledge=True)
    answered = steps(*ON_THE_WAY, S.ANSWERED)
    assert of(request, *answered)[-1] == "future: They press 1"
    other_key = {"note": "Pressed 7 (not 1)", "source": "recipient"}
    assert of(request, *answered, other_key)[-2:] == [
        "present: Pressed 7 (not 1)",
        "future: They press 1",
    ]
    pressed = [*answered, other_key, *steps(S.ACKNOWLEDGED, S.COMPLETED)]
    assert of(request, *pressed)[-2:] == ["past: Pressed 7 (not 1)", "reached: Pressed 1"]


def test_the_story_of_the_readers_own_call_speaks_to_them():
    request = replace(CALL, acknowledge=True)
    words = [each.words for each in steps_ahead("call", acknowledge=True, to_reader=True)]
    assert words[-1] == "You press 1"
    answered = steps(*ON_THE_WAY, S.ANSWERED)
    other_key = {"note": "Pressed 7 (not 1)", "source": "recipient"}

    def own(*happened: dict[str, Any]) -> str:
        alert = alert_after_events(request, *happened)
        said = announcement_of(alert, to_reader=True)
        return str(story(alert, "UTC", to_reader=True)) + said

    under_way = own(*answered, other_key)
    assert "You pressed 7 (not 1)" in under_way
    assert "You press 1" in under_way
    assert "You pressed 1" in own(*answered, *steps(S.ACKNOWLEDGED, S.COMPLETED))
    missed = own(*answered, *steps(S.COMPLETED))
    assert "You didn't press 1" in missed
    assert missed.count("You answered the call, but didn't press 1 to confirm it.") == 2
    for said in (under_way, missed):
        assert "They" not in said
        assert "obody" not in said


def test_over_without_the_key_press_is_not_green():
    alert = alert_after_events(
        replace(CALL, acknowledge=True), *steps(*ON_THE_WAY, S.ANSWERED, S.COMPLETED)
    )
    assert line(alert)[-1] == "waiting: Nobody pressed 1"
    assert tone(alert) == "waiting"


def test_what_is_waited_for_is_the_present_step_and_then_a_past_one():
    morning = {"note": "Quiet hours there: waits until 07:00"}
    assert of(CALL, morning)[:3] == [
        "past: Saved",
        "waiting: Quiet hours there: waits until 07:00",
        "future: Stored where Twilio reads it",
    ]
    assert of(CALL, morning, *steps(S.SENDING))[1:3] == [
        "past: Quiet hours there: waits until 07:00",
        "present: Stored in data/twiml",
    ]


def test_trouble_with_twilio_is_amber_until_it_passes():
    trouble = {"note": "Twilio didn't confirm it: looking it up"}
    assert of(CALL, *steps(S.SENDING), trouble)[2] == f"waiting: {trouble['note']}"
    found = of(CALL, *steps(S.SENDING), trouble, *steps(S.PLACED))
    assert found[2:4] == [f"past: {trouble['note']}", "present: Accepted by Twilio"]


def test_what_keeps_it_from_going_on_is_explained_until_it_passes():
    refused = Problem(20003, "Authenticate", "Check the auth token.")
    trouble: dict[str, Any] = {"note": "The call couldn't be ended", "error": refused}
    stuck = alert_after_events(CALL, *steps(*ON_THE_WAY), WISH, trouble)
    shown = str(story(stuck, "UTC"))
    assert 'class="explanation waiting"' in shown
    assert "Check the auth token." in shown
    assert "Twilio error 20003: Authenticate" in shown
    assert announcement_of(stuck) == "The call couldn't be ended. Check the auth token."
    over = alert_after_events(CALL, *steps(*ON_THE_WAY), WISH, trouble, *steps(S.CANCELED))
    assert "explanation" not in str(story(over, "UTC"))


def test_a_failed_try_isnt_explained_while_the_next_one_waits():
    request = replace(CALL, tries=2)
    failed: dict[str, Any] = {"status": S.FAILED, "note": "Call failed", "sid": "CA1"}
    failed |= {"error": Problem(None, "It couldn't be connected.", "Check the number.")}
    alert = alert_after_events(request, *steps(*ON_THE_WAY), failed)
    assert (alert.status, alert.try_number) == ("queued", 2)
    assert "explanation" not in str(story(alert, "UTC"))


def test_a_machine_is_told_apart():
    request = replace(CALL, voicemail="Call back.")
    heard = {"note": "A machine answered", "source": "callback", "answered_by": "machine_start"}
    answered = [*steps(*ON_THE_WAY, S.ANSWERED), heard]
    assert of(request, *answered)[-2:] == [
        "present: A machine answered",
        "future: Call ended",
    ]
    ended = of(request, *answered, *steps(S.COMPLETED))
    assert ended[-1] == "waiting: Voicemail took the call"


def test_the_next_try_waits_then_begins_again():
    request = replace(CALL, tries=3)
    first = steps(*ON_THE_WAY, S.UNANSWERED)
    assert of(request, *first)[:4] == [
        "past: Saved",
        "missed: Try 1 to +1 412-857-4309: Nobody answered",
        "present: Try 2 of 3",
        "future: Stored where Twilio reads it",
    ]
    waiting = {"note": "Try 2 comes at 14:32", "try_number": 2}
    assert of(request, *first, waiting)[2] == "waiting: Try 2 comes at 14:32"
    second = steps(*ON_THE_WAY, try_number=2)
    assert of(request, *first, waiting, *second)[2:6] == [
        "past: Try 2 of 3",
        "past: Stored in data/twiml",
        "past: Accepted by Twilio",
        "present: Ringing +1 412-857-4309",
    ]


def test_the_last_try_that_reaches_nobody_is_the_end():
    both = [*steps(*ON_THE_WAY, S.UNANSWERED), *steps(*ON_THE_WAY, S.UNANSWERED, try_number=2)]
    dots = of(replace(CALL, tries=2), *both)
    assert dots[-1] == "failed: Nobody answered"


def test_another_person_and_a_text_are_named():
    request = replace(CALL, then_text=True, then_to=("+14125550106",))
    first = steps(*ON_THE_WAY, S.UNANSWERED)
    assert of(request, *first)[2:] == [
        "present: Try 2 of 4: a text",
        "future: On its way to Twilio",
        "future: Accepted by Twilio",
        "future: Delivered",
    ]
    failed = steps(S.SENDING, S.FAILED, try_number=2)
    assert of(request, *first, *failed)[1:4] == [
        "missed: Try 1 to +1 412-857-4309: Nobody answered",
        "missed: Try 2 to +1 412-857-4309: Twilio refused it",
        "present: Try 3 of 4: +1 412-555-0106",
    ]


def test_many_tries_are_counted():
    happened = [
        event
        for number in range(1, 8)
        for event in steps(*ON_THE_WAY, S.UNANSWERED, try_number=number)
    ]
    assert of(replace(CALL, tries=9), *happened)[1:4] == [
        "missed: 3 earlier tries reached nobody",
        "missed: Try 4 to +1 412-857-4309: Nobody answered",
        "missed: Try 5 to +1 412-857-4309: Nobody answered",
    ]


def test_a_late_key_press_ends_it_although_the_next_try_waits():
    request = replace(CALL, acknowledge=True, tries=2)
    first = steps(*ON_THE_WAY, S.ANSWERED, S.COMPLETED)
    assert of(request, *first, *steps(S.ACKNOWLEDGED)) == [
        "past: Saved",
        "missed: Try 1 to +1 412-857-4309: Nobody pressed 1",
        "reached: Pressed 1",
    ]


def test_canceled_before_it_began():
    assert of(CALL, WISH) == ["past: Saved", "waiting: Canceled by ann"]


@pytest.mark.parametrize("waiting", [[], [{"note": "Try 2 comes at 14:32", "try_number": 2}]])
def test_canceled_between_two_tries(waiting: list[dict[str, Any]]):
    happened = [*steps(*ON_THE_WAY, S.UNANSWERED), *waiting, WISH]
    assert of(replace(CALL, tries=3), *happened)[1:] == [
        "missed: Try 1 to +1 412-857-4309: Nobody answered",
        "waiting: Canceled by ann",
    ]


def test_canceled_while_it_rings():
    ringing = [*steps(*ON_THE_WAY), WISH]
    assert of(CALL, *ringing)[4] == "waiting: Canceled by ann"
    over = of(CALL, *ringing, *steps(S.CANCELED))
    assert over[4:] == ["past: Canceled by ann", "waiting: Ended"]


def test_canceled_on_its_way_to_twilio():
    over = of(CALL, *steps(S.SENDING), WISH, *steps(S.CANCELED))
    assert over[-2:] == ["past: Canceled by ann", "waiting: Nothing was sent"]


def test_unknown_stays_amber():
    assert of(TEXT, *steps(S.SENDING, S.UNKNOWN))[-1] == ("waiting: Not known whether it was sent")


def test_a_delivered_text():
    assert of(TEXT, *steps(S.SENDING, S.PLACED, S.DELIVERED))[-1] == "reached: Delivered"


ASKING = replace(TEXT, acknowledge=True)
ARRIVED = steps(S.SENDING, S.PLACED, S.DELIVERED, sid="SM1", source="callback")


def test_a_text_that_waits_for_its_reply():
    assert of(ASKING, *ARRIVED)[-2:] == ["waiting: Delivered", "future: They reply 1"]


def test_replies_are_in_the_story_also_after_the_end():
    who = {"note": "Replied “Who?”", "source": "recipient"}
    confirmed = {"note": "Replied “1”", "status": S.ACKNOWLEDGED, "source": "recipient"}
    assert of(ASKING, *ARRIVED, who, confirmed)[3:] == [
        "past: Delivered",
        "past: Replied “Who?”",
        "reached: Replied “1”",
    ]
    thanks = {"note": "Replied “Thanks”", "source": "recipient"}
    assert of(TEXT, *ARRIVED, thanks)[-1] == "reached: Replied “Thanks”"
    late = {"note": "Replied “ok”", "status": S.ACKNOWLEDGED, "source": "recipient"}
    assert of(TEXT, *ARRIVED, late)[-1] == "reached: Replied “ok”"


def test_nobody_replied():
    alert = alert_after_events(ASKING, *ARRIVED, {"note": "Nobody replied", "status": S.DELIVERED})
    assert line(alert)[-1] == "waiting: Delivered"
    assert "nobody replied 1" in str(story(alert, "UTC"))


def test_a_call_that_was_over_at_once():
    long = replace(CALL, message="Fermentation tank four has been too warm since nine o'clock.")
    end = {"note": "Call ended", "status": S.COMPLETED, "duration": 1}
    alert = alert_after_events(long, *steps(*ON_THE_WAY, S.ANSWERED), end)
    assert line(alert)[-1] == "failed: Hung up at once"
    assert "could have been heard" in str(story(alert, "UTC"))
    again = alert_after_events(replace(long, tries=2), *steps(*ON_THE_WAY, S.ANSWERED), end)
    assert "missed: Try 1 to +1 412-857-4309: Hung up at once" in line(again)
