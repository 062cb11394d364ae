"""Writing down what became of a request to Twilio, together with what that means for its alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa

from alerts import submissions
from alerts.alert import Event, Problem, Source
from alerts.status import Status
from alerts.steps.courier import Courier
from alerts.submissions import Outcome, Submission
from alerts.tables import Row
from twilio_client import TwilioError

LOOK_YOURSELF = (
    "It may have been sent: look at the recent calls and messages in Twilio's console before you "
    "send it again."
)


async def placed(
    courier: Courier, request: Submission, sid: str, note: str, source: Source = "callboard"
) -> None:
    """Twilio has it, under this SID. Raises IntegrityError if that is some other request's."""
    event = Event(
        datetime.now(UTC),
        Status.PLACED,
        note,
        source=source,
        try_number=request.try_number,
        sid=sid,
    )
    await _normalized(courier, request, event, Outcome.PLACED, sid)


async def refused(courier: Courier, request: Submission, note: str, problem: TwilioError) -> None:
    """Twilio won't have it, now or ever."""
    await _normalized(
        courier, request, _about(request, Status.FAILED, note, problem), Outcome.REFUSED
    )


async def given_up(courier: Courier, request: Submission, why: Problem) -> None:
    """Nobody will ever learn whether Twilio has it."""
    event = _about(request, Status.UNKNOWN, "Nobody can tell whether Twilio has it", None)
    event = replace(event, error=replace(why, hint=LOOK_YOURSELF))
    await _normalized(courier, request, event, Outcome.UNKNOWN)


async def released(
    courier: Courier, request: Submission, outcome: Outcome, note: str, problem: TwilioError | None
) -> None:
    """Twilio surely did nothing: the request may be made again."""
    await courier.history.write(
        lambda connection: submissions.settle(connection, request.id, outcome)
    )
    await troubled(courier, request, note, problem)


async def troubled(
    courier: Courier, request: Submission, note: str, problem: TwilioError | None
) -> None:
    """Let people see what is going on; the same trouble once."""
    alert = await courier.alert(request.alert_id)
    notes = {event.note for event in alert.events if event.try_number == request.try_number}
    if note not in notes:
        await courier.history.record(request.alert_id, _about(request, None, note, problem))


async def _normalized(
    courier: Courier, request: Submission, event: Event, outcome: Outcome, sid: str | None = None
) -> None:
    def write(connection: sa.Connection, _: Row) -> bool:
        submissions.settle(connection, request.id, outcome, sid)
        return True

    await courier.history.record(request.alert_id, event, write)


def _about(
    request: Submission, status: Status | None, note: str, problem: TwilioError | None
) -> Event:
    return Event(
        datetime.now(UTC),
        status,
        note,
        try_number=request.try_number,
        error=Problem.of(problem) if problem else None,
    )
