"""How long delivering waits, in seconds."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again, and when to give up.

    `requesting` is how long a request can be on its way; `settling` how long after one without an
    answer Twilio may still come to list what it made of it; `looking_up` how long its list may
    stay out of reach before the request's fate counts as unknown; `trying` how long a request that
    surely wasn't processed is made again.
    """

    first_wait: float = 0.5
    longest_wait: float = 60.0
    # Half of it for a connection, half of it for the answer: the client waits no longer.
    requesting: float = 60.0
    settling: float = 10.0
    looking_up: float = 15 * 60.0
    trying: float = 24 * 3600.0

    def wait(self, count: int, asked: float | None = None) -> float:
        """How long to wait after failure `count` (from 0); Twilio may have asked for more.

        With jitter: what failed together shouldn't come back together.
        """
        grown = min(self.first_wait * 2.0 ** min(count, 20), self.longest_wait)
        return max(asked or 0, grown) * random.uniform(1, 1.3)  # noqa: S311
