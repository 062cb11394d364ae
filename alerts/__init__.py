"""Phone and text people through Twilio, and know what became of every alert.

    async with Desk.from_settings(Settings()) as desk:
        alert = await desk.send(AlertRequest("call", to="(412) 857-4309", message="Batch 7 failed"))

`UnusableInput` says what is wrong with a request, `DatabaseError` with the database. A failure
after that is in the alert: `Alert.error`. `python -m alerts` does the same from a shell.
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
