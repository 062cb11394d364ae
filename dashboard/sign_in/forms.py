"""The requests of the sign-in page: the page, its files, signing in and out, a session's token."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)

from access.sign_in import Refused, SignIn, address_of
from access.users import UsersError
from alerts import DatabaseError
from alerts.log_lines import LimitedLog
from dashboard.assets import WWW
from dashboard.sign_in.cookies import forget_cookie, set_cookie
from dashboard.sign_in.identity import Denied, Identify
from dashboard.sign_in.open_sessions import OpenSessions
from dashboard.sign_in.page import ASSETS, SignInPage
from dashboard.sign_in.session_tokens import SessionTokens
from dashboard.sign_in.way_back import from_sign_in, safe_way_back

log = LimitedLog(__name__)

MOST_FORM_BYTES = 20_000
NOT_NOW = Refused("Nobody can sign in now, because of trouble here. Try again in a minute.", "")
SENT_ELSEWHERE = "Sign in on this app's own page."


def asset(path: str) -> Response:
    """Return one of the page's files, by its path below the app."""
    name = path.removeprefix("/sign-in/")
    if name not in ASSETS:
        return PlainTextResponse("Not Found", 404)
    return FileResponse(WWW / name, headers={"Cache-Control": "public, max-age=86400"})


class SignInForms:
    """Answers the requests to sign in and out."""

    def __init__(
        self,
        sign_in: SignIn,
        page: SignInPage,
        identify: Identify,
        sessions: OpenSessions,
        tokens: SessionTokens,
    ) -> None:
        self._sign_in = sign_in
        self._page = page
        self._identify = identify
        self._sessions = sessions
        self._tokens = tokens
        self._answers = {
            ("GET", "/sign-in"): self._show,
            ("HEAD", "/sign-in"): self._show,
            ("POST", "/sign-in"): self._sign_in_by_form,
            ("POST", "/sign-out"): self._sign_out,
            ("POST", "/session-token"): self._issue_token,
        }

    async def answer(self, request: Request, path: str) -> Response | None:
        """Return the answer to a request; None if it isn't one of these."""
        found = self._answers.get((request.method, path))
        if found is None:
            return None
        if request.method == "POST" and _is_of_another_site(request.headers):
            return PlainTextResponse(SENT_ELSEWHERE, 403)
        answer = await found(request)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    async def _show(self, request: Request) -> Response:
        back = safe_way_back(request.query_params.get("next", ""))
        visitor = await self._identify(request.scope, request.receive)
        if not isinstance(visitor, Denied):
            return RedirectResponse(from_sign_in(back), 303)
        return HTMLResponse(self._page.html(back=back))

    async def _sign_in_by_form(self, request: Request) -> Response:
        form = await _read_form(request)
        if form is None:
            return PlainTextResponse("This isn't a sign-in form.", 400)
        name, stays = form.get("name", "").strip(), form.get("stay") == "yes"
        back = safe_way_back(form.get("next", ""))
        client = request.client
        try:
            found = await self._sign_in.attempt(
                name,
                form.get("password", ""),
                stays=stays,
                address=address_of(client.host if client else None),
            )
        except (DatabaseError, TimeoutError, UsersError) as problem:
            log.warning(f"Nobody can sign in: {problem or 'the database does not answer.'}")
            found = NOT_NOW
        if isinstance(found, Refused):
            html = self._page.html(name=name[:200], back=back, stays=stays, refused=found)
            status = 503 if found is NOT_NOW else 429 if found.wait_seconds else 403
            answer: Response = HTMLResponse(html, status)
            if found.wait_seconds:
                answer.headers["Retry-After"] = str(found.wait_seconds)
            return answer
        # End the sign-in that this browser had before.
        await self._end(request)
        answer = RedirectResponse(from_sign_in(back), 303)
        set_cookie(answer, found.token, request.scope, stays=stays)
        return answer

    async def _sign_out(self, request: Request) -> Response:
        answer: Response = RedirectResponse("sign-in", 303)
        if not await self._end(request):
            return PlainTextResponse(
                "You are still signed in: the database can't be reached. Try again.", 503
            )
        forget_cookie(answer, request.scope)
        return answer

    async def _end(self, request: Request) -> bool:
        """End the sign-in of a request if there is one; return False if that can't be done."""
        visitor = await self._identify(request.scope, request.receive)
        if isinstance(visitor, Denied):
            return visitor.status != 503
        if visitor.signed_in is not None:
            try:
                await self._sign_in.end(visitor.signed_in)
            except (DatabaseError, TimeoutError) as problem:
                log.warning(f"Can't end a sign-in: {problem}")
                return False
            self._sessions.end(visitor.signed_in)
        return True

    async def _issue_token(self, request: Request) -> Response:
        visitor = await self._identify(request.scope, request.receive)
        if isinstance(visitor, Denied) or visitor.signed_in is None:
            return PlainTextResponse("Sign in first.", 401)
        return PlainTextResponse(self._tokens.issue(visitor.signed_in))


def _is_of_another_site(headers: Headers) -> bool:
    """Return whether a form was sent by a page of another site, or of another app on this host.

    Origins are checked for all requests (own_pages.py); browsers say it in this header, too.
    https://www.w3.org/TR/fetch-metadata/
    """
    return headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}


async def _read_form(request: Request) -> dict[str, str] | None:
    """Return the fields of a form; None if it isn't one, is too large, or breaks off."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return None
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_FORM_BYTES:
                return None
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=10)
    except (ValueError, ClientDisconnect):
        return None
    return {name: values[-1] for name, values in fields.items()}
