"""The cookie of a sign-in: out of reach of scripts, and sent to this app only.

https://www.rfc-editor.org/rfc/rfc6265
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from access.sign_in import STAY_SECONDS

NAME = "callboard"
# Browsers take a cookie of this name only from a page that came over TLS.
SECURE_NAME = "__Secure-callboard"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# Apps above and below this one on the same host may have cookies of the same name.
MOST_TOKENS = 4


def tokens_in(headers: Headers) -> list[str]:
    """Return the tokens that a browser sends, the one for the longest path first."""
    found: dict[str, list[str]] = {NAME: [], SECURE_NAME: []}
    for header in headers.getlist("cookie"):
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name in found and TOKEN.fullmatch(value):
                found[name].append(value)
    return (found[SECURE_NAME] or found[NAME])[:MOST_TOKENS]


def set_cookie(answer: Response, token: str, scope: Scope, *, stays: bool) -> None:
    """Hand a token to the browser, for 30 days if it `stays`, else until the browser is closed."""
    secure = is_over_tls(scope)
    parts = [f"{SECURE_NAME if secure else NAME}={token}", *_attributes(secure)]
    if stays:
        parts.append(f"Max-Age={STAY_SECONDS}")
    answer.headers.append("set-cookie", "; ".join(parts))


def forget_cookie(answer: Response, scope: Scope) -> None:
    """Make the browser drop the cookie."""
    names = [NAME, SECURE_NAME] if is_over_tls(scope) else [NAME]
    for name in names:
        parts = [f"{name}=", *_attributes(is_over_tls(scope)), "Max-Age=0"]
        answer.headers.append("set-cookie", "; ".join(parts))


def is_over_tls(scope: Scope) -> bool:
    """Return whether the browser has this page over TLS. A form's Origin tells it best."""
    headers = Headers(scope=scope)
    return (
        headers.get("origin", "").startswith("https://")
        or scope.get("scheme") in {"https", "wss"}
        or headers.get("x-forwarded-proto", "").strip() == "https"
    )


def _attributes(secure: bool) -> list[str]:
    """Without a Path, a cookie is for the folder of the address that set it.

    That is the app's sub-path as the browser knows it, which a proxy may keep from the app.
    """
    return ["HttpOnly", "SameSite=Lax", *(["Secure"] if secure else [])]
