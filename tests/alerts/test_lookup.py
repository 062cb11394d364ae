"""Finding the call or text that an unanswered request made, whatever Twilio's clock says."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from alerts.steps.reconciling import look_up
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.desks import ANYBODY, SERVICE_SID, twilio_client
from tests.support.scripted_twilio import Answer, scripted_twilio
from tests.support.servers import serve
from twilio_client import TwilioUncertain

ELSEWHERE = "+14125550123"
OTHER_SERVICE = "MG" + "f" * 32


async def none_taken(sids):
    return []


async def find(twilio, channel="call", **options):
    """Look up; the SID that is found, with a question mark if it isn't certain, or None."""
    wanted = {
        "channel": channel,
        "to": ANYBODY,
        "from_": SIMULATOR_FROM_NUMBER,
        "text": "Hello",
        "since": datetime.now(UTC) - timedelta(seconds=20),
        "taken": none_taken,
    }
    made = await look_up(twilio, **(wanted | options))
    return made and (made.sid if made.is_certain else f"{made.sid}?")


@asynccontextmanager
async def simulated_twilio():
    app = create_app(account_sid=SIMULATOR_ACCOUNT_SID, auth_token=SIMULATOR_AUTH_TOKEN)
    with serve(app) as url:
        async with twilio_client(url) as twilio:
            yield twilio


async def call(twilio, to=ANYBODY):
    placed = await twilio.create_call(to=to, from_=SIMULATOR_FROM_NUMBER, twiml="<Response/>")
    return placed.sid


async def text(twilio, body="Hello", **sender):
    sender = sender or {"from_": SIMULATOR_FROM_NUMBER}
    return (await twilio.create_message(to=ANYBODY, body=body, **sender)).sid


async def test_the_call_is_found_while_it_is_queued():
    async with simulated_twilio() as twilio:
        await call(twilio, to=ELSEWHERE)
        assert await find(twilio) is None
        sid = await call(twilio)
        assert await find(twilio) == sid
        assert await find(twilio, from_="+14125550111") is None
        assert await find(twilio, since=datetime.now(UTC) + timedelta(minutes=3)) is None


async def test_of_several_one_that_is_not_taken():
    async with simulated_twilio() as twilio:
        sids = [await call(twilio) for _ in range(60)]
        asked = []

        async def taken(candidates):
            asked.extend(candidates)
            return set(sids[:2])

        assert await find(twilio) == sids[0]
        assert await find(twilio, taken=taken) == sids[2]
        assert sorted(asked) == sorted(sids)

        async def all_taken(candidates):
            return candidates

        assert await find(twilio, taken=all_taken) is None


async def test_a_text_has_the_same_words():
    async with simulated_twilio() as twilio:
        other = await text(twilio, "Hallo")
        assert await find(twilio, "text") == f"{other}?"
        sid = await text(twilio, "Hello \n")
        assert await find(twilio, "text") == sid


@pytest.mark.parametrize(
    ("written", "body"),
    [
        ("Don\u2019t drink \u201cBatch\u201d 7", 'Don\'t drink "Batch" 7'),
        ("Valve\u00a07 \u2013 shut it\u2026", "Valve  7 - shut it..."),
        ("\u200bValve \uff17", "Valve 7"),
        ("\u00bc cup \u2022 \u00bd\ttea", "1/4 cup - 1/2       tea"),
    ],
)
async def test_smart_encoding_leaves_the_words_the_same(written, body):
    """https://www.twilio.com/docs/messaging/services/smart-encoding-char-list"""
    answer = listed("messages", timedelta(), body=body)
    assert await find_in(answer, channel="text", text=written) == "SM0"


async def test_texts_with_other_words_match_only_if_made_since():
    since = datetime.now(UTC)
    redacted = listed("messages", timedelta(seconds=-1), body="")
    assert await find_in(redacted, channel="text", since=since) == "SM0?"
    before = listed("messages", timedelta(seconds=30), body="")
    assert await find_in(before, channel="text", since=since) is None
    same_words_before = listed("messages", timedelta(seconds=30))
    assert await find_in(same_words_before, channel="text", since=since) == "SM0"


async def test_a_text_of_a_messaging_service():
    async with simulated_twilio() as twilio:
        await text(twilio)
        await text(twilio, messaging_service_sid=OTHER_SERVICE)
        sid = await text(twilio, messaging_service_sid=SERVICE_SID)
        assert await find(twilio, "text", from_=SERVICE_SID) == sid


def listed(key, *rows, clock=timedelta(), **fields):
    """An answer of a Twilio whose clock is off, with rows of these ages (None: no date yet)."""
    now = datetime.now(UTC) + clock
    resources = [
        {
            "sid": f"{'CA' if key == 'calls' else 'SM'}{number}",
            "to": ANYBODY,
            "from": SIMULATOR_FROM_NUMBER,
            "direction": "outbound-api",
            "body": "Hello",
            "date_created": None if age is None else format_datetime(now - age),
            **fields,
        }
        for number, age in enumerate(rows)
    ]
    date = {"Date": format_datetime(now, usegmt=True)}
    return Answer(200, {key: resources, "next_page_uri": None}, headers=date)


async def find_in(answer, **options):
    async with (
        scripted_twilio(looking=[answer]) as server,
        twilio_client(server.url) as twilio,
    ):
        return await find(twilio, **options)


@pytest.mark.parametrize("minutes", [0, 10, -10])
async def test_twilios_clock_is_the_only_one(minutes):
    """The clock of the process that looks up doesn't matter: another may have made the request."""
    clock = timedelta(minutes=minutes)
    begun = datetime.now(UTC) + clock
    ours = listed("calls", timedelta(), timedelta(minutes=1), clock=clock)
    assert await find_in(ours, since=begun) == "CA0"
    another = listed("calls", timedelta(minutes=3), clock=clock)
    assert await find_in(another, since=begun) is None


@pytest.mark.parametrize("seconds", [-100, 100])
async def test_a_clock_that_was_wrong_and_not_yet_known_to_be(seconds):
    begun = datetime.now(UTC) + timedelta(seconds=seconds)
    assert await find_in(listed("calls", timedelta()), since=begun) == "CA0"


@pytest.mark.parametrize(("ages", "nearest"), [((-40, -20, 10, 60), "CA1"), ((10, 60), "CA0")])
async def test_what_was_made_before_is_only_taken_if_nothing_was_made_since(ages, nearest):
    rows = listed("calls", *(timedelta(seconds=seconds) for seconds in ages))
    assert await find_in(rows, since=datetime.now(UTC)) == nearest


async def test_what_has_no_date_yet_is_new():
    """Twilio's calls have no date while they are queued."""
    unsorted = listed("calls", timedelta(minutes=5), None, timedelta(hours=2))
    assert await find_in(unsorted) == "CA1"


async def test_older_rows_end_the_search_but_not_at_once():
    order = listed("calls", timedelta(minutes=5), timedelta(seconds=1))
    assert await find_in(order) == "CA1"
    order = listed("calls", timedelta(hours=2), timedelta(seconds=1))
    assert await find_in(order) is None


async def test_a_call_that_came_in_is_not_ours():
    assert await find_in(listed("calls", timedelta(), direction="inbound")) is None
    assert await find_in(listed("calls", timedelta(), direction="outbound-dial")) is None
    assert await find_in(listed("calls", timedelta(), direction=None)) == "CA0"


async def test_the_advertisement_of_a_trial_account_is_not_part_of_the_words():
    body = "Sent from your Twilio trial account - Hello"
    assert await find_in(listed("messages", timedelta(), body=body), channel="text") == "SM0"
    assert await find_in(listed("messages", timedelta(), body=None), channel="text") == "SM0?"


async def test_an_answer_that_fails_is_raised():
    with pytest.raises(TwilioUncertain):
        await find_in(Answer(500))


async def test_at_the_same_time():
    """Two searches for two numbers do not mix."""
    async with simulated_twilio() as twilio:
        mine, yours = await call(twilio), await call(twilio, ELSEWHERE)
        found = await asyncio.gather(find(twilio), find(twilio, to=ELSEWHERE))
        assert list(found) == [mine, yours]
