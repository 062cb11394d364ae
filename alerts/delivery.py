"""How one alert travels: wait, publish, place, follow.

`Desk.send` has composed the message already and refused what can't be composed. A delivery may be
interrupted at any moment and begin again in another process, so each step looks in the history for
what was done before.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from alerts.alert import Alert, Event, Problem
from alerts.claims import Claims
from alerts.history import History
from alerts.services import Services
from alerts.status import Status
from alerts.steps.following import follow
from alerts.steps.placing import RequestLimits, place
from alerts.steps.polling import StatusPoller
from alerts.steps.waiting import wait_until_due
from database import NewerDatabase

log = logging.getLogger(__name__)

REDELIVERY_WAIT_SECONDS = 60.0
CALLBOARD_FAILED = Problem(None, "Callboard itself failed while sending this.", "See its log.")


async def deliver(
    alert: Alert,
    *,
    services: Services,
    history: History,
    claims: Claims,
    limits: RequestLimits,
    poller: StatusPoller,
) -> None:
    """Make one try after another until the alert has ended or is deferred.

    If Callboard itself fails outside of a try, it begins again in a minute.
    """
    while True:
        try:
            with history.news_of(alert.id, alert):
                # What becomes of a try decides about the next one: see `apply` in state.py.
                while ready := await wait_until_due(history, claims, alert):
                    alert = await _make_try(services, history, limits, poller, ready)
            return
        except NewerDatabase:
            return  # a worker of the newer version goes on with it
        except Exception:
            log.exception("Alert %s couldn't be delivered; trying again in a minute", alert.id)
        await asyncio.sleep(REDELIVERY_WAIT_SECONDS)


async def _make_try(
    services: Services, history: History, limits: RequestLimits, poller: StatusPoller, alert: Alert
) -> Alert:
    """Make the alert's present try, and return the alert after it."""
    try:
        placed = await place(services, history, limits, alert)
        return await follow(services.twilio, history, poller, placed)
    except NewerDatabase:
        raise
    except Exception:
        log.exception("The delivery of alert %s failed", alert.id)
        return await _abandon(history, alert)


async def _abandon(history: History, alert: Alert) -> Alert:
    """End a try in which Callboard itself failed: its outcome is unknown."""
    event = Event(
        datetime.now(UTC),
        Status.UNKNOWN,
        "Interrupted",
        try_number=alert.try_number,
        error=CALLBOARD_FAILED,
    )
    return await history.abandon_try(alert.id, event) or alert
