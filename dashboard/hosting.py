"""What hosts this app (Posit Connect, Shiny Server or neither), and whom it vouches for."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from starlette.datastructures import Headers

from access.actor import on_connect
from access.names import is_usable

# Shiny Server starts Python apps with this script. It answers 403 to every request without the
# secret that only Shiny Server knows, so requests that reach the app have come through Shiny
# Server. https://github.com/rstudio/shiny-server/blob/main/python/SockJSAdapter.py
SHINY_SERVERS_SCRIPT = "SockJSAdapter.py"
CONNECT_CREDENTIALS = "rstudio-connect-credentials"


@lru_cache(maxsize=1)
def under_shiny_server() -> bool:
    """Return whether Shiny Server runs this process."""
    started = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    return PurePath(started).name == SHINY_SERVERS_SCRIPT


@dataclass(frozen=True, slots=True)
class ConnectUser:
    """A visitor that Posit Connect vouches for, and the groups that they are in."""

    name: str
    groups: tuple[str, ...] = ()


def connect_user(headers: Headers) -> ConnectUser | None:
    """Return the visitor that Posit Connect vouches for, or None.

    Don't use Shiny's `session.user`: it prefers a header that Connect doesn't set, so a visitor can
    send it and pass for another person. https://docs.posit.co/connect/user/shiny-python/
    """
    credentials = headers.getlist(CONNECT_CREDENTIALS) if on_connect() else []
    # If there are two, Connect has sent only one of them, and the visitor the other.
    if len(credentials) != 1:
        return None
    try:
        content = json.loads(credentials[0])
    except (ValueError, RecursionError):
        return None
    user = content.get("user") if isinstance(content, dict) else None
    if not isinstance(user, str) or not is_usable(user):
        return None
    groups = content.get("groups")
    groups = groups if isinstance(groups, list) else []
    return ConnectUser(
        user, tuple(each for each in groups if isinstance(each, str) and is_usable(each))
    )
