"""Made-up alerts, and the events that report on them: shuffled, twice, and late.

A Hypothesis strategy: it draws what really becomes of an alert, then events in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import strategies as st

from alerts import AlertRequest, Event, Status
from alerts.alert import Source, Try, tries_of

BEGAN = datetime(2026, 11, 23, 9, 42, tzinfo=UTC)
CALL = AlertRequest("call", "+14128574309", "Batch 7 failed the assay: call Maya at once")
# Of calls; the last one is long enough to have heard the message once.
DURATIONS = (0, 1, 60)
MACHINES = ("machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "fax")
VERDICTS = ("human", "unknown", *MACHINES)
CALL_ENDS = (Status.COMPLETED, Status.UNANSWERED, Status.FAILED, Status.CANCELED, Status.UNKNOWN)
TEXT_ENDS = (Status.DELIVERED, Status.FAILED, Status.CANCELED, Status.UNKNOWN)


@dataclass(frozen=True)
class TryOutcome:
    """What really became of one try.

    How it ended, whether Twilio refused it, what answering-machine detection found (`verdict`) and
    whether that was before the end, and how many seconds a call lasted.
    """

    end: Status
    refused: bool = False
    verdict: str | None = None
    verdict_in_time: bool = True
    duration: int | None = None

    def ends_as(self, request: AlertRequest) -> Status:
        """The status that the history should have for the try."""
        found = self.verdict if request.voicemail else None
        if self.end is Status.COMPLETED and found in MACHINES:
            return Status.VOICEMAIL
        is_short = self.duration is not None and self.duration < DURATIONS[-1]
        return Status.HUNG_UP if self.end is Status.COMPLETED and is_short else self.end


requests = st.builds(
    AlertRequest,
    st.sampled_from(["call", "call", "text"]),
    st.just(CALL.to),
    st.just(CALL.message),
    acknowledge=st.booleans(),
    voicemail=st.sampled_from(["", "Call us back"]),
    tries=st.integers(1, 3),
    then_text=st.booleans(),
    then_to=st.sampled_from([(), ("+14128574310",)]),
).map(lambda r: r if r.channel == "call" else replace(r, voicemail=""))

call_outcomes = st.builds(
    TryOutcome,
    st.sampled_from(CALL_ENDS),
    verdict=st.sampled_from([None, *VERDICTS]),
    verdict_in_time=st.booleans(),
    duration=st.sampled_from([None, *DURATIONS]),
)
text_outcomes = st.builds(TryOutcome, st.sampled_from(TEXT_ENDS))
REFUSED = TryOutcome(Status.FAILED, refused=True)


@st.composite
def made_up_alerts(draw: st.DrawFn) -> tuple[AlertRequest, list[Event], Status]:
    """A request, all events that are reported, and the status that the alert must end with."""
    request = draw(requests)
    chance = draw(st.randoms(use_true_random=False))
    tries = tries_of(request)
    told: list[Event] = []
    late: list[Event] = []
    number: int | None = 1
    while number is not None:
        channel = tries[number - 1].channel
        outcome = draw(st.just(REFUSED) | (call_outcomes if channel == "call" else text_outcomes))
        news = events_of(request, number, outcome, channel)
        final = news.pop()
        mixed = [*news, *late, *chance.choices([*news, final], k=draw(st.integers(0, 3)))]
        chance.shuffle(mixed)
        told += [_event(number, Status.SENDING), *mixed, final]
        late = chance.choices([*news, final], k=draw(st.integers(0, 3)))
        end, last = outcome.ends_as(request), number
        number = _next(request, tries, number, outcome)
        if number is None and _waits_for_reply(request, channel, outcome):
            told.append(_event(last, end))
    return request, _timed([*told, *late]), end


def events_of(request: AlertRequest, number: int, outcome: TryOutcome, channel: str) -> list[Event]:
    """The events of a try: its callbacks, and at last a poll."""
    if outcome.refused:
        return [_event(number, Status.FAILED)]
    sid = f"CA{number}"
    found = outcome.verdict if request.voicemail and outcome.end is Status.COMPLETED else None
    in_time = found if outcome.verdict_in_time else None
    steps: list[tuple[Status | None, str | None]] = [(Status.PLACED, None), (Status.PLACED, None)]
    if channel == "call":
        steps.append((Status.RINGING, None))
        if outcome.end is Status.COMPLETED:
            steps.append((Status.ANSWERED, None))
        if found:
            steps.append((None, found))
    if outcome.end is not Status.UNKNOWN:
        steps.append((outcome.end, in_time))
    told = [_event(number, status, sid, answered_by, "callback") for status, answered_by in steps]
    answered_by = (found or "") if channel == "call" else None
    told.append(_event(number, outcome.end, sid, answered_by, "poll"))
    return [_lasting(each, outcome) for each in told]


def _lasting(event: Event, outcome: TryOutcome) -> Event:
    is_end = event.status is Status.COMPLETED
    return replace(event, duration=outcome.duration) if is_end else event


def _waits_for_reply(request: AlertRequest, channel: str, outcome: TryOutcome) -> bool:
    may_have_arrived = outcome.end in {Status.DELIVERED, Status.UNKNOWN}
    return channel == "text" and request.acknowledge and may_have_arrived


def key_press(number: int) -> Event:
    """The recipient presses 1 in the call of a try."""
    return _event(number, Status.ACKNOWLEDGED, f"CA{number}", source="recipient")


def cancel_wish() -> Event:
    """The sender cancels the alert."""
    return replace(_event(1, None, source="sender"), canceling=True)


def slipped_in(events: Sequence[Event], more: Sequence[Event], chance: Random) -> list[Event]:
    """The events with `more` put in at random places."""
    mixed = list(events)
    for each in more:
        mixed.insert(chance.randint(0, len(mixed)), each)
    return _timed(mixed)


def _next(
    request: AlertRequest, tries: Sequence[Try], number: int, outcome: TryOutcome
) -> int | None:
    end = outcome.ends_as(request)
    if end is Status.CANCELED or end.reaches(acknowledge=request.acknowledge):
        return None
    left = range(number + 1, len(tries) + 1)
    if outcome.refused or end is Status.UNKNOWN:
        made = tries[number - 1]
        left_out = (made.channel, made.to)
        return next((n for n in left if (tries[n - 1].channel, tries[n - 1].to) != left_out), None)
    return next(iter(left), None)


def _event(
    number: int,
    status: Status | None,
    sid: str | None = None,
    answered_by: str | None = None,
    source: Source = "callboard",
) -> Event:
    return Event(BEGAN, status, "", source, number, sid=sid, answered_by=answered_by)


def _timed(events: Sequence[Event]) -> list[Event]:
    """The events in this order, a second apart."""
    return [replace(each, at=BEGAN + timedelta(seconds=n)) for n, each in enumerate(events)]
