"""Names of the processes that deliver."""

from __future__ import annotations

import re


def checked(executor_id: str) -> str:
    """The id itself; ValueError for anything but letters, digits, `-` and `.`."""
    if not re.fullmatch(r"[A-Za-z0-9.-]+", executor_id):
        raise ValueError(f"{executor_id!r} is no executor id: use letters, digits, - and .")
    return executor_id
