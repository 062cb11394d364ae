"""How long delivering waits before it tries again, and when it gives up."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """All in seconds.

    A request can be on its way for `request_seconds`. After one without an answer, Twilio may take
    `listing_seconds` to list what it made of it, and its list may be out of reach for
    `lookup_seconds` before the request's fate counts as unknown. A request that wasn't processed is
    made again for `retry_seconds`.
    """

    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 60.0
    # Half of it for a connection, half of it for the answer: the client waits no longer.
    request_seconds: float = 60.0
    listing_seconds: float = 10.0
    lookup_seconds: float = 15 * 60.0
    retry_seconds: float = 24 * 3600.0

    def wait(self, failures: int, asked: float | None = None) -> float:
        """Seconds to wait after so many `failures` before this one; Twilio may have asked for more.

        With jitter: what failed together shouldn't come back together.
        """
        grown = self.first_wait_seconds * 2.0 ** min(failures, 20)
        wait = max(asked or 0, min(grown, self.longest_wait_seconds))
        return wait * random.uniform(1, 1.3)  # noqa: S311
