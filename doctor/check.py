"""A check: what it asks, what it found, and the exact fix; and making many of them side by side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

log = logging.getLogger(__name__)

LIMIT_SECONDS = 30.0

# "unknown": it can't be found out from here, or there was no answer. Only "broken" makes the doctor
# fail.
Verdict = Literal["fine", "to do", "broken", "unknown"]


class Group(StrEnum):
    """What a check is about, in the order in which people set things up."""

    FIRST_STEPS = "From here to a real call"
    TWILIO = "Twilio"
    DOCUMENTS = "Where documents live"
    LETTING_IN = "Letting Twilio in"
    DATABASE = "Database and worker"
    PEOPLE_AND_RULES = "People and rules"
    ACCESS = "Access"


@dataclass(frozen=True, slots=True)
class Fix:
    """A text to copy: lines for `.env`, a command, a part of a configuration, or an address.

    `title` says where it goes, if there are several to choose from.
    """

    text: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What one check found.

    `words` say what is in place or, if it isn't, what that breaks for people. `seen` says what was
    found, and what to do.
    """

    verdict: Verdict
    words: str
    seen: str = ""
    fixes: tuple[Fix, ...] = ()


Lines = Sequence[Line]


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `ask` makes it and returns its lines, none if it doesn't apply.

    `name` is for programs, `title` for people while it runs. After `seconds` it is abandoned.
    """

    name: str
    group: Group
    title: str
    ask: Callable[[], Awaitable[Lines]]
    seconds: float = LIMIT_SECONDS


async def examine(checks: Sequence[Check]) -> AsyncGenerator[tuple[Check, Lines]]:
    """Make all checks side by side; yield each with its lines as soon as they are known."""
    begun = [asyncio.create_task(_found(each), name=f"check {each.name}") for each in checks]
    try:
        for found in asyncio.as_completed(begun):
            yield await found
    finally:
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)


async def _found(check: Check) -> tuple[Check, Lines]:
    try:
        async with asyncio.timeout(check.seconds):
            return check, await check.ask()
    except TimeoutError:
        words = f"{check.title}: no answer within {check.seconds:g} s."
        return check, [Line("unknown", words, "Something is slow or hangs: check again.")]
    except Exception:
        log.exception("The check %s failed", check.name)
        words = f"{check.title}: this couldn't be checked."
        return check, [Line("unknown", words, "Callboard failed. Its log says why.")]
