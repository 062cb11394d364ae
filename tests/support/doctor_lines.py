"""What checks of the doctor find, by the name of the check."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

from doctor import Check, Line, examine
from settings import Settings
from tests.support.environment import ACCOUNT, clean_environment


class Part(Protocol):
    def checks(self) -> Sequence[Check]: ...


def settings_with(values: Mapping[str, str] | None = None, *, simulated: bool = False) -> Settings:
    """The settings of an account, or of a simulation, and these values."""
    with clean_environment():
        os.environ.update(({} if simulated else ACCOUNT) | dict(values or {}))
        return Settings(_env_file=None)


async def found_by(checks: Sequence[Check]) -> dict[str, list[Line]]:
    """Make all checks; the lines of each."""
    async with aclosing(examine(checks)) as results:
        return {check.name: list(lines) async for check, lines in results}


async def lines_of(part: Part, name: str) -> list[Line]:
    """The lines of one check."""
    return (await found_by([each for each in part.checks() if each.name == name]))[name]


def verdicts(lines: Sequence[Line]) -> list[str]:
    return [each.verdict for each in lines]
