"""An order for faults: what goes wrong, for which requests, and how often."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal, get_args

from simulator.errors import ApiError

FaultKind = Literal["429", "500-before", "500-after", "drop-before", "drop-after", "slow", "outage"]
"""What can go wrong: 429, too many requests · 500-before, an error and nothing accepted ·
500-after, the same although the request was accepted · drop-before and drop-after, the connection
closed without an answer · slow, the answer takes a while · outage, 503 until the order is cleared.
"""

LONGEST_SECONDS = 3600
MOST_TIMES = 1_000_000


@dataclass(frozen=True)
class FaultOrder:
    """Faults of one kind for requests of `method` (None: any) whose path fits the pattern `path`.

    In the pattern `*` stands for anything. They befall the next `times` such requests (None: all,
    until the order is cleared), each with the probability `rate`; `seed` makes the choice
    repeatable. `retry_after` is the seconds a 429 or an outage asks to wait, `seconds` the real
    ones that a slow answer takes.
    """

    kind: FaultKind
    method: str | None = None
    path: str = "*"
    times: int | None = None
    rate: float = 1.0
    seed: int = 0
    retry_after: int | None = None
    seconds: float = 5.0


def read_order(body: dict[str, object]) -> FaultOrder:
    """The order in a JSON object. Raises ApiError for one that can't be carried out.

    Without `times` a fault happens once; with a `rate`, and in an outage, until it is cleared.
    """
    unknown = body.keys() - {field.name for field in fields(FaultOrder)}
    if unknown:
        raise _unusable(f"A fault has no {sorted(unknown)[0]!r}.")
    kind = next((kind for kind in get_args(FaultKind) if kind == body.get("kind")), None)
    if kind is None:
        raise _unusable(f"The kind of a fault is one of {', '.join(get_args(FaultKind))}.")
    method, path = body.get("method"), body.get("path", "*")
    if not (method is None or isinstance(method, str)) or not isinstance(path, str):
        raise _unusable("The method and the path of a fault are text.")
    once = 1 if kind != "outage" and "rate" not in body else None
    return FaultOrder(
        kind=kind,
        method=method.upper() if method else None,
        path=path,
        times=_whole(body, "times", once, least=1, most=MOST_TIMES),
        rate=_number(body, "rate", 1, most=1),
        seed=_whole(body, "seed", 0, least=-(2**63), most=2**63) or 0,
        retry_after=_whole(body, "retry_after", None, least=0, most=LONGEST_SECONDS),
        seconds=_number(body, "seconds", 5, most=LONGEST_SECONDS),
    )


def _whole(
    body: dict[str, object], name: str, default: int | None, least: int, most: int
) -> int | None:
    value = body.get(name, default)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _unusable(f"{name} must be a whole number from {least} to {most}.")
    return value


def _number(body: dict[str, object], name: str, default: float, most: float) -> float:
    value = body.get(name, default)
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not (math.isfinite(value) and 0 <= value <= most)
    ):
        raise _unusable(f"{name} must be a number from 0 to {most:g}.")
    return float(value)


def _unusable(message: str) -> ApiError:
    return ApiError(20001, message)
