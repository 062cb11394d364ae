"""The few stages that people sort alerts by. Each alert's is in its row, for lists that filter."""

from __future__ import annotations

from enum import StrEnum

from alerts.alert import Alert
from alerts.status import Status


class Stage(StrEnum):
    """How far an alert has come. QUEUED ones wait if they are due later, else they are under way.

    NOT_REACHED includes what was answered but not confirmed, and voicemail: see `Alert.reached`.
    """

    QUEUED = "queued"
    UNDER_WAY = "under way"
    CONFIRMED = "confirmed"
    REACHED = "reached"
    NOT_REACHED = "not reached"
    UNKNOWN = "unknown"
    CANCELED = "canceled"


def stage_of(alert: Alert) -> Stage:
    """Return the alert's stage."""
    match alert.status:
        case Status.QUEUED:
            return Stage.QUEUED
        case Status.ACKNOWLEDGED:
            return Stage.CONFIRMED
        case Status.UNKNOWN:
            return Stage.UNKNOWN
        case Status.CANCELED:
            return Stage.CANCELED
    if not alert.status.final:
        return Stage.UNDER_WAY
    return Stage.REACHED if alert.reached else Stage.NOT_REACHED
