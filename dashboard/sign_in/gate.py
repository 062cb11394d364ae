"""ASGI middleware that keeps pages, sessions, files and exports from people who may not use them.

It puts the `Actor` of each request and session into `scope["callboard.actor"]`.
"""

from __future__ import annotations

import logging

from starlette._utils import get_route_path
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from access.sign_in import SignIn
from dashboard.hosting import under_shiny_server
from dashboard.sign_in.cookies import tokens_in
from dashboard.sign_in.forms import SignInForms, asset
from dashboard.sign_in.identity import SIGN_IN_FIRST, ByCookie, Denied, Identify, Visitor
from dashboard.sign_in.open_sessions import OpenSessions
from dashboard.sign_in.page import SignInPage, denied_html
from dashboard.sign_in.session_tokens import SessionTokens, begun_again, first_message, refuse
from dashboard.sign_in.way_back import to_sign_in
from dashboard.visitor import ACTOR_KEY

log = logging.getLogger(__name__)

# Twilio, monitors and load balancers can't sign in. /twilio checks Twilio's signature, /twiml has
# names that can't be guessed, and /metrics has a token of its own. The simulator isn't among them:
# its token is no secret, and it tells who was called and what they heard.
PUBLIC_PATHS = {"/healthz", "/metrics"}
PUBLIC_FOLDERS = ("/twilio/", "/twiml/")
POLICY_VIOLATION = 1008


class Gate:
    """Lets through visitors whom `identify` knows, and requests for what is public.

    `sign_in` and `page` are for people who sign in here; None if others vouch for them.
    """

    def __init__(
        self, app: ASGIApp, identify: Identify, page: SignInPage, sign_in: SignIn | None = None
    ) -> None:
        self._app = app
        self._identify = identify
        self._said: set[Denied] = set()
        self._tokens = SessionTokens()
        self._sessions = OpenSessions(sign_in) if sign_in else None
        self._forms = None
        if sign_in and self._sessions:
            self._forms = SignInForms(sign_in, page, identify, self._sessions, self._tokens)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request. https://asgi.readthedocs.io/en/latest/specs/www.html"""
        if scope["type"] == "websocket":
            await self._serve_session(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve_request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = get_route_path(scope)
        if path in PUBLIC_PATHS or path.startswith(PUBLIC_FOLDERS):
            await self._app(scope, receive, send)
            return
        answer: Response | None = None
        if path.startswith("/sign-in/"):
            answer = asset(path)
        elif self._forms:
            answer = await self._forms.answer(Request(scope, receive), path)
        if answer is None:
            visitor = await self._identify(scope, receive)
            if isinstance(visitor, Visitor):
                scope[ACTOR_KEY] = visitor.actor
                await self._app(scope, receive, send)
                return
            self._say_once(visitor)
            answer = _refusal(scope, visitor)
        answer.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        await answer(scope, receive, send)

    async def _serve_session(self, scope: Scope, receive: Receive, send: Send) -> None:
        visitor = await self._identify(scope, receive)
        if visitor == SIGN_IN_FIRST and takes_tokens() and not tokens_in(Headers(scope=scope)):
            first = await first_message(receive, send)
            if first is None:
                return
            token, message = first
            visitor = await self._redeemed(token)
            if not isinstance(visitor, Visitor):
                await refuse(send)
                return
            receive, send = begun_again(message, receive, send)
        if not isinstance(visitor, Visitor):
            self._say_once(visitor)
            # Before the handshake is answered, servers turn this into 403.
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        scope[ACTOR_KEY] = visitor.actor
        if visitor.signed_in and self._sessions:
            await self._sessions.serve(self._app, scope, receive, send, visitor.signed_in)
        else:
            await self._app(scope, receive, send)

    def _say_once(self, denied: Denied) -> None:
        """Log once why no one is let in, unless visitors only have to sign in first."""
        if denied.status == 403 and denied not in self._said:
            self._said.add(denied)
            log.warning("%s. %s", denied.heading, " ".join(denied.sentences))

    async def _redeemed(self, token: str) -> Visitor | Denied:
        """Return whom a one-time token was issued to, if they are still signed in."""
        signed_in = self._tokens.redeem(token)
        if signed_in is None or not isinstance(self._identify, ByCookie):
            return SIGN_IN_FIRST
        return await self._identify.find(signed_in.token)


def takes_tokens() -> bool:
    """Return whether sessions carry no cookies here, so that they may bring a token instead."""
    return under_shiny_server()


def _refusal(scope: Scope, denied: Denied) -> Response:
    """Return a page to people who open one, and a sentence to everything else."""
    headers = Headers(scope=scope)
    accept = headers.get("accept", "")
    is_page = scope["method"] in {"GET", "HEAD"} and (
        get_route_path(scope) == "/" or "text/html" in accept
    )
    answer: Response
    if denied.status == 401 and is_page:
        answer = RedirectResponse(to_sign_in(scope), 303)
    elif is_page:
        up = "../" * (get_route_path(scope).count("/") - 1)
        html = denied_html(denied.heading, denied.sentences, f"{up}sign-in/")
        answer = HTMLResponse(html, denied.status)
    else:
        answer = PlainTextResponse(denied.sentences[0], denied.status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
