"""Ending a try that Callboard itself failed in."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

from alerts import submissions
from alerts.alert import Event, Problem
from alerts.status import Status
from alerts.steps.courier import Courier
from alerts.submissions import Outcome
from alerts.tables import Row

BROKEN = Problem(None, "Callboard itself failed while sending this.", "See its log.")


async def abandon_try(courier: Courier, alert_id: str, try_number: int) -> bool:
    """End the try as unknown, and let its number go; true if the alert has another try.

    `try_number` is 0 where not even that is known: then it is the one that stands.
    """
    before = await courier.alert(alert_id)
    number = try_number or before.try_number

    def give_up(connection: sa.Connection, _: Row) -> bool:
        account_sid = courier.history.account_sid
        submissions.settle_try(connection, account_sid, alert_id, number, Outcome.UNKNOWN)
        return True

    event = Event(datetime.now(UTC), Status.UNKNOWN, "Interrupted", try_number=number, error=BROKEN)
    alert = await courier.history.record(alert_id, event, give_up) or before
    return not alert.status.final and alert.try_number > number
