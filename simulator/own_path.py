"""Where in the simulator a request goes, wherever the simulator itself is mounted."""

from __future__ import annotations

from starlette.types import Scope


def own_path(scope: Scope) -> str:
    """The path of a request without the one that the simulator is mounted under."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def is_control(scope: Scope) -> bool:
    """Whether the request is for the simulator's controls, and not for what Twilio has too."""
    return own_path(scope).startswith("/simulator/")
