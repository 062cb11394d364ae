"""Recordings of calls, made by the Record verb."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from simulator.models.sids import account_path


@dataclass(frozen=True)
class Recording:
    """A recording of `duration` seconds that began at `start_time` in a call.

    Only its length is kept: callees make no sound, so its audio is silence.
    """

    sid: str
    account_sid: str
    call_sid: str
    start_time: datetime
    date_created: datetime
    duration: int

    @property
    def is_over(self) -> bool:
        """Whether it is finished, as calls and texts are when they are over: always."""
        return True

    @property
    def path(self) -> str:
        """The recording's path in the REST API, without `.json`; there is its audio."""
        return f"{account_path(self.account_sid)}/Recordings/{self.sid}"
