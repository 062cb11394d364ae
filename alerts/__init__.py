"""What an alert is: numbers, messages, delivering, following, remembering.

`Desk` is the door; `python -m alerts` is the same from a shell. Knows nothing of Shiny.
"""

from alerts.alert import Alert, AlertRequest, Channel, Event, Problem
from alerts.desk import Desk
from alerts.errors import UnusableInput
from alerts.status import Status
from database import DatabaseError

__all__ = [
    "Alert",
    "AlertRequest",
    "Channel",
    "DatabaseError",
    "Desk",
    "Event",
    "Problem",
    "Status",
    "UnusableInput",
]
