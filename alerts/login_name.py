"""Who runs Callboard, as far as the machine knows."""

from __future__ import annotations

import getpass


def login_name() -> str:
    """The login name, or "callboard" in a container whose user has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "callboard"
