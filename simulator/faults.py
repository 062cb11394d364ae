"""Faults on purpose: what goes wrong, for which requests to the REST API, and how often."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from simulator.errors import ApiError
from simulator.models.sids import new_sid

FaultKind = Literal["429", "500-before", "500-after", "drop-before", "drop-after", "slow", "outage"]
"""What can go wrong: 429, too many requests · 500-before, an error and nothing accepted ·
500-after, the same although the request was accepted · drop-before and drop-after, the connection
closed without a response · slow, the response takes a while · outage, 503 until it is cleared.
"""

MOST_FAULTS = 100


@dataclass(frozen=True)
class Fault:
    """What is to go wrong with requests of `method` (None: any) whose path matches `path`.

    In the pattern `path`, `*` stands for anything. The fault happens to the next `times` such
    requests (None: all, until it is cleared), each with the probability `rate`; the same `seed`
    makes the same choices again. `retry_after` is the seconds a 429 or an outage asks to wait,
    `seconds` the real ones that a slow response takes.
    """

    kind: FaultKind
    method: str | None = None
    path: str = "*"
    times: int | None = None
    rate: float = 1.0
    seed: int = 0
    retry_after: int | None = None
    seconds: float = 5.0


@dataclass
class _ActiveFault:
    """A fault and how many times it is still to happen (`left`; None: no end)."""

    fault: Fault
    left: int | None
    happened: int = 0
    id: str = field(default_factory=lambda: new_sid("fault-"))

    def __post_init__(self) -> None:
        self._random = random.Random(self.fault.seed)  # noqa: S311 - repeatable on purpose

    def applies_to(self, method: str, path: str) -> bool:
        matches = self.fault.method in {None, method} and fnmatchcase(path, self.fault.path)
        # Drawn only for requests that match, so that other traffic doesn't change the sequence.
        return matches and self._random.random() < self.fault.rate

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            **asdict(self.fault),
            "left": self.left,
            "happened": self.happened,
        }


class Faults:
    """The faults that aren't used up; the oldest one that applies to a request happens."""

    def __init__(self) -> None:
        self._active: list[_ActiveFault] = []

    def add(self, fault: Fault) -> dict[str, object]:
        """Add a fault and return its JSON. Raises ApiError if there are MOST_FAULTS already."""
        if len(self._active) >= MOST_FAULTS:
            raise ApiError(20001, f"There are {MOST_FAULTS} faults already. Clear them first.")
        added = _ActiveFault(fault, fault.times)
        self._active.append(added)
        return added.to_json()

    def to_json(self) -> list[dict[str, object]]:
        """Every fault that is still to happen, oldest first."""
        return [active.to_json() for active in self._active]

    def clear(self) -> None:
        """Remove every fault."""
        self._active.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that happens to this request, and count it; None if all goes well."""
        for active in self._active:
            if not active.applies_to(method, path):
                continue
            active.happened += 1
            if active.left is not None:
                active.left -= 1
                if active.left == 0:
                    self._active.remove(active)
            return active.fault
        return None
