"""The faults on order, and which request they befall."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase

from simulator.errors import ApiError
from simulator.fault_order import FaultOrder
from simulator.models.sids import new_sid

MOST_ORDERS = 100


@dataclass
class _Standing:
    """An order and what is `left` of it; None: no end."""

    order: FaultOrder
    left: int | None
    happened: int = 0
    id: str = field(default_factory=lambda: new_sid("fault-"))

    def __post_init__(self) -> None:
        self._random = random.Random(self.order.seed)  # noqa: S311 - repeatable on purpose

    def befalls(self, method: str, path: str) -> bool:
        fits = self.order.method in {None, method} and fnmatchcase(path, self.order.path)
        # Drawn only for requests that fit, so that other traffic doesn't change the sequence.
        return fits and self._random.random() < self.order.rate

    def to_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            **asdict(self.order),
            "left": self.left,
            "happened": self.happened,
        }


class Faults:
    """All orders that aren't used up; the oldest that befalls a request wins."""

    def __init__(self) -> None:
        self._standing: list[_Standing] = []

    def add(self, order: FaultOrder) -> dict[str, object]:
        """Let an order stand; its JSON. Raises ApiError if there are MOST_ORDERS already."""
        if len(self._standing) >= MOST_ORDERS:
            raise ApiError(20001, f"{MOST_ORDERS} faults are on order. Clear them first.")
        added = _Standing(order, order.times)
        self._standing.append(added)
        return added.to_json()

    def to_json(self) -> list[dict[str, object]]:
        """Every order that still stands, oldest first."""
        return [standing.to_json() for standing in self._standing]

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._standing.clear()

    def take(self, method: str, path: str) -> FaultOrder | None:
        """The fault that befalls this request, which uses it up by one; None if all goes well."""
        for standing in self._standing:
            if not standing.befalls(method, path):
                continue
            standing.happened += 1
            if standing.left is not None:
                standing.left -= 1
                if standing.left == 0:
                    self._standing.remove(standing)
            return standing.order
        return None
