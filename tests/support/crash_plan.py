"""The plan of a crash test, drawn from a seed: its alerts, its faults, and when processes die."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import Literal

from alerts import AlertRequest

# Most of the time goes to starting processes, so few of them find as much. `make soak` has more.
ALERTS = int(os.environ.get("ALERTS", "60"))
# Some alerts share a number. Ordinary numbers answer; the others are busy, hang up, and the like.
ORDINARY_NUMBERS = [f"+141255502{number:02}" for number in range(55)]
DIFFICULT_NUMBERS = [f"+1412555010{number}" for number in (1, 4, 5, 7)] + ["+14125550111"]

Moment = Literal[
    "after a while",
    "before a commit",
    "after a commit",
    "before a request",
    "after a request",
    "closed",
]
MOMENTS: tuple[Moment, ...] = (
    "after a while",
    "after a while",
    "after a while",
    "before a commit",
    "after a commit",
    "before a request",
    "after a request",
    "closed",
)


@dataclass(frozen=True)
class Death:
    """When a process ends: by SIGKILL, or in an orderly way if `moment` is "closed".

    `count` is the number of seconds, commits or requests for calls and texts. One that only `hangs`
    may go on later.
    """

    moment: Moment
    count: float
    hangs: bool = False


@dataclass(frozen=True)
class Plan:
    """A crash test. The first `alone` alerts are sent one by one, the others together.

    `faults` are orders for the simulator.
    """

    seed: int
    requests: tuple[AlertRequest, ...]
    alone: int
    deaths: tuple[Death, ...]
    faults: tuple[dict[str, object], ...]


def plan_from(seed: int, *, faulty: bool) -> Plan:
    """Return the plan of a seed, with faults of the simulator or without."""
    draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
    return Plan(
        seed=seed,
        requests=tuple(_request(number, draw) for number in range(ALERTS)),
        alone=draw.choice([0, 0, 25, 50]),
        deaths=tuple(_death(draw) for _ in range(draw.randint(2, 4))),
        faults=tuple(_faults(draw)) if faulty else (),
    )


def _request(number: int, draw: random.Random) -> AlertRequest:
    return AlertRequest(
        channel=draw.choice(["call", "text"]),
        to=draw.choice([*ORDINARY_NUMBERS, *DIFFICULT_NUMBERS]),
        # The simulator's log tells alerts apart by their words; some have the same on purpose.
        message="Shut the valve." if draw.random() < 0.2 else f"This is alert {number}.",
        repeat=1,
        id=f"alert-{number}",
    )


def _death(draw: random.Random) -> Death:
    moment = draw.choice(MOMENTS)
    match moment:
        case "after a while" | "closed":
            return Death(moment, draw.uniform(0.2, 2.0))
        case "before a commit" | "after a commit":
            return Death(moment, draw.randint(1, ALERTS // 5))
        case _:
            return Death(moment, draw.randint(1, ALERTS * 2 // 5))


def _faults(draw: random.Random) -> list[dict[str, object]]:
    """Some faults of each kind, for POST (requests for calls and texts) and for GET."""
    kinds = ("429", "500-before", "500-after", "drop-before", "drop-after")
    return [
        {
            "kind": kind,
            "method": method,
            "rate": rate * draw.random(),
            "seed": draw.randrange(2**32),
        }
        for kind in kinds
        for method, rate in (("POST", 0.15), ("GET", 0.05))
    ]
