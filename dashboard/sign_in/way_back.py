"""The way back to the page that a visitor wanted before being asked to sign in."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette._utils import get_route_path
from starlette.types import Scope

# Pages of this app are right below its root: no folder, no "..", no host, no backslash.
OWN_PAGE = re.compile(r"(?!\.)[\w.-]*(\?[!#-\[\]-~]*)?", re.ASCII)
MOST_CHARACTERS = 2000


def to_sign_in(scope: Scope) -> str:
    """Return the sign-in page's address, relative to a request's, with the way back to that."""
    path = get_route_path(scope)
    query = scope.get("query_string", b"").decode("latin-1")
    wanted = path.removeprefix("/") + (f"?{query}" if query else "")
    up = "../" * (path.count("/") - 1)
    back = safe_way_back(wanted)
    return f"{up}sign-in" + (f"?next={quote(back, safe='')}" if back else "")


def safe_way_back(wanted: str) -> str:
    """Return `wanted` if it is a page of this app with its query, else "": the first page."""
    is_own = len(wanted) <= MOST_CHARACTERS and OWN_PAGE.fullmatch(wanted)
    return wanted if is_own and not wanted.startswith("sign-") else ""


def from_sign_in(wanted: str) -> str:
    """Return where to go from the sign-in page; never to another host."""
    # What begins with "./" can't be read as a scheme or a host.
    return f"./{safe_way_back(wanted)}"
