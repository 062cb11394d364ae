"""What browsers may do with the pages: run no foreign script, and show them in no foreign frame."""

from __future__ import annotations

import base64
import hashlib
import re

from shiny import App
from shiny._autoreload import autoreload_url
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from access.actor import on_connect
from dashboard.hosting import under_shiny_server

# The scripts in the page itself, but not its blocks of data, which have a type.
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class SecurityHeaders:
    """ASGI middleware that adds the headers to every answer. `html` is the page."""

    def __init__(self, app: ASGIApp, html: str) -> None:
        self._app = app
        headers = {
            "Content-Security-Policy": content_security_policy(html),
            "X-Content-Type-Options": "nosniff",
            # A page's address holds the id of an alert: keep it out of the logs of other sites.
            "Referrer-Policy": "same-origin",
        }
        self._headers = [(k.lower().encode(), v.encode()) for k, v in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. https://asgi.readthedocs.io/en/latest/specs/www.html"""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *self._headers]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def html_of(app: App) -> str:
    """Return the page of an app, which is the same for every visitor."""
    return "" if callable(app.ui) else app.ui["html"]


def content_security_policy(html: str) -> str:
    """Return the policy for a page: nothing from other hosts, no script but its own.

    https://www.w3.org/TR/CSP3/
    """
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' {_inline_scripts(html)}".strip(),
        # Shiny and its components write styles into the page.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        # With `shiny run --reload` the page also listens to the server that reloads it.
        "connect-src": f"'self' {autoreload_url() or ''}".strip(),
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        # Not 'none': Posit Connect shows apps in a frame of its own page.
        "frame-ancestors": "'self'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def _inline_scripts(html: str) -> str:
    """Return the sources that allow only the scripts that Shiny has written into the page."""
    if under_shiny_server() or on_connect():
        # These hosts add scripts of their own to the page, with contents that depend on their
        # settings.
        return "'unsafe-inline'"
    return " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in dict.fromkeys(INLINE_SCRIPT.findall(html))
    )
