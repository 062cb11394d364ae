"""Twilio's errors: their class, their attributes, and the sentence that a person reads."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from starlette.responses import HTMLResponse

from tests.support.recording_server import ACCOUNT_SID, FROM, TO, TOKEN, Recorder, always
from tests.support.servers import serve
from twilio_client import (
    TwilioClient,
    TwilioError,
    TwilioRateLimited,
    TwilioRefused,
    TwilioUncertain,
    hint_for,
)
from twilio_client.hints import HINTS


async def refusal(recorder: Recorder) -> Any:
    """Place a call that the server refuses."""
    with serve(recorder) as address:
        async with TwilioClient(ACCOUNT_SID, TOKEN, base_url=address) as client:
            with pytest.raises(TwilioError) as caught:
                await client.create_call(to=TO, from_=FROM, url="https://example.com/a.xml")
    assert len(recorder.requests) == 1
    return caught.value


async def test_a_refusal_in_twilios_words_and_in_ours():
    error = await refusal(
        always(
            {
                "code": 21211,
                "message": "The 'To' number 5558675310 is not a valid phone number.",
                "more_info": "https://www.twilio.com/docs/errors/21211",
                "status": 400,
            },
            status=400,
        )
    )
    assert type(error) is TwilioRefused
    assert (error.status, error.code) == (400, 21211)
    assert error.message == "The 'To' number 5558675310 is not a valid phone number."
    assert error.more_info == "https://www.twilio.com/docs/errors/21211"
    assert error.hint == hint_for(21211)
    assert str(error) == (
        "Twilio doesn't know this number: check its digits and its country code "
        "(Twilio error 21211)."
    )


async def test_an_unknown_code():
    error = await refusal(always({"code": 21999, "message": "Phones are shut."}, status=400))
    assert str(error) == "Twilio refused this (Twilio error 21999): Phones are shut."
    assert error.hint == (
        "Twilio doesn't accept one of the values: correct it, then send it again."
    )


@pytest.mark.parametrize("payload", [{}, [], "no", {"code": "soon", "message": 7}, None])
async def test_a_refusal_without_reasons(payload):
    error = await refusal(always(payload, status=404))
    assert type(error) is TwilioRefused
    assert str(error) == "Twilio refused this (HTTP 404): Not Found."


async def test_a_code_written_as_text():
    error = await refusal(always({"code": "21610", "message": "x"}, status=400))
    assert error.code == 21610


async def test_a_message_that_runs_on():
    error = await refusal(always({"message": "a\n\n  b" + "c" * 9999}, status=400))
    assert error.message.startswith("a bc")
    assert len(error.message) == 500


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
async def test_trouble_at_twilio_is_uncertain(status):
    error = await refusal(Recorder(lambda _: HTMLResponse("<h1>Bad gateway</h1>", status)))
    assert type(error) is TwilioUncertain
    assert error.status == status
    assert str(error).startswith(f"Twilio may or may not have done this (HTTP {status}): ")
    assert "look in the list of recent calls" in error.hint


@pytest.mark.parametrize("status", [429, 503])
async def test_too_fast_is_recognized_by_status_or_code(status):
    error = await refusal(always({"code": 20429, "message": "Too Many Requests"}, status=status))
    assert type(error) is TwilioRateLimited
    assert error.retry_after is None
    assert str(error).endswith("wait a moment, then send it again (Twilio error 20429).")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("-3", None),
        ("soon", None),
        ("inf", None),
        ("1.5", None),
    ],
)
async def test_how_long_to_wait(header, seconds):
    error = await refusal(always({}, status=429, headers={"Retry-After": header}))
    assert error.retry_after == seconds


@pytest.mark.parametrize(("after", "least", "most"), [(60, 50, 60), (-60, 0, 0)])
async def test_a_time_to_wait_for(after, least, most):
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=after), usegmt=True)
    error = await refusal(always({}, status=429, headers={"Retry-After": moment}))
    assert least <= error.retry_after <= most


def test_an_error_can_be_copied():
    error = TwilioRateLimited("Slow down", status=429, code=20429, retry_after=3.0)
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert vars(twin) == vars(error)
        assert str(twin) == str(error)


@pytest.mark.parametrize("hint", sorted({*HINTS.values(), *map(hint_for, [None] * 9)}))
def test_a_hint_is_one_sentence_that_can_be_read_aloud(hint):
    assert hint[0].isupper()
    assert hint.endswith(".")
    assert hint.count(". ") == 0
    assert len(hint) < 150
    assert "!" not in hint


@pytest.mark.parametrize("status", [None, 200, 302, 400, 401, 403, 404, 429, 500, 503])
def test_every_status_has_a_hint(status):
    assert hint_for(None, status) == hint_for(99999, status)
    assert hint_for(None, status).endswith(".")


def test_the_codes_that_people_meet_have_words_of_their_own():
    met = {21211, 21217, 21219, 21608, 21210, 21212, 21213, 21215, 21408, 21610, 21614, 21606}
    met |= {21617, 21602, 20003, 20005, 20404, 20429, 21205, 21609, 21220, 21218, 13223, 13224}
    met |= set(range(30003, 30009))
    assert met <= set(HINTS)
