"""How long a delivery waits before it repeats a request to Twilio, and when it stops trying."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waits and limits, all in seconds.

    A request can be on its way for `request_seconds`. If its answer is lost, Twilio may take
    `listing_seconds` to list the call or text; if the list can't be read for `lookup_seconds`, the
    outcome counts as unknown. A request that wasn't processed is repeated for `retry_seconds`.
    """

    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 60.0
    # The client waits at most half of this for a connection and half for the answer.
    request_seconds: float = 60.0
    listing_seconds: float = 10.0
    lookup_seconds: float = 15 * 60.0
    retry_seconds: float = 24 * 3600.0

    def wait(self, failures: int, asked: float | None = None) -> float:
        """Seconds to wait after a failure that came after `failures` others.

        `asked` is how long Twilio asked to wait, if it did. There is jitter: requests that failed
        together shouldn't be repeated together.
        """
        grown = self.first_wait_seconds * 2.0 ** min(failures, 20)
        wait = max(asked or 0, min(grown, self.longest_wait_seconds))
        return wait * random.uniform(1, 1.3)  # noqa: S311
