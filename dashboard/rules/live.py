"""What the list of rules shows, read once for all visitors.

In a file of its own because every page counts the rules that wait, also before the Rules page is
looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from access.actor import Permission
from dashboard.shared_reading import SharedReading
from rules.checker import RuleChecker
from rules.desk import RuleDesk
from rules.overview import RuleOverview

# One for all RuleDesks that share their checks.
_READINGS: WeakKeyDictionary[RuleChecker, SharedReading[Sequence[RuleOverview]]] = (
    WeakKeyDictionary()
)


async def read_overview(rules: RuleDesk, most_seconds: float = 0) -> Sequence[RuleOverview]:
    """Return the overview of all rules, at most `most_seconds` old. Raises `NotAllowed`."""
    rules.actor.require(Permission.LOOK)
    reading = _READINGS.setdefault(rules.checker, SharedReading())
    return await reading.read(rules.overview, most_seconds)
