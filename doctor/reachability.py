"""Letting Twilio in: whether its requests to PUBLIC_URL reach this app, and are accepted.

The check runs on this machine, so a proxy or firewall that refuses only others shows up only in a
real call.
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import httpx

from alerts.services import STATUS_PATH, Services
from doctor.check import Check, Fix, Group, Line, Lines
from doctor.documents import why_hidden
from doctor.public_addresses import (
    ANSWER_TIMEOUT_SECONDS,
    PORT,
    TUNNELS,
    no_answer,
    open_paths,
)
from settings import Settings
from twilio_client import network_transport, sign

HEALTH_PATH = "/healthz"
NO_PRESS = "a press of 1 doesn't arrive"
SIGNATURE_HEADER = "X-Twilio-Signature"
# Callboard never makes such an id, so the app finds no alert and saves nothing.
UNKNOWN_ALERT = "the-doctors-no-alert"


class ReachabilityChecks:
    """The check of PUBLIC_URL."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._services = services

    def checks(self) -> list[Check]:
        """Return the check."""
        return [Check("callbacks", Group.LETTING_IN, "PUBLIC_URL", self.callbacks, 45.0)]

    async def callbacks(self) -> Lines:
        """Ask at PUBLIC_URL as Twilio would."""
        if self._settings.simulated:
            return [Line("fine", "In a simulation nothing has to come in from outside.")]
        url = self._settings.public_url
        if not url:
            words = "Twilio can't reach this app, so nobody can press 1."
            seen = (
                "PUBLIC_URL isn't set. Where this app has an address on the internet, set it to "
                "that. Elsewhere, open a tunnel and use its address:"
            )
            return [Line("to do", words, seen, TUNNELS)]
        hidden = why_hidden(self._settings, url)
        if hidden:
            words = f"Twilio can't reach PUBLIC_URL, so {NO_PRESS}."
            return [Line("broken", words, f"{url}: {hidden}.", TUNNELS)]
        problem = await self._problem(url)
        if problem:
            return [problem]
        words = f"{url} is this app; it takes what Twilio signs, and refuses everything else."
        if not self._settings.twilio_auth_token:
            # Without the auth token, signatures can neither be made nor checked.
            words = f"{url} is this app, and refuses what isn't signed."
        return [Line("fine", words)]

    async def _problem(self, url: str) -> Line | None:
        health, status = f"{url}{HEALTH_PATH}", f"{url}{STATUS_PATH}"
        try:
            async with httpx.AsyncClient(
                transport=network_transport(), timeout=ANSWER_TIMEOUT_SECONDS
            ) as twilio:
                if problem := _why_unwell(await twilio.get(health), health, url):
                    return problem
                if problem := _why_open(await twilio.post(status, data={"By": "doctor"}), url):
                    return problem
                return await self._why_refused(twilio, status, url)
        except httpx.HTTPError as error:
            words = f"Nothing answers at PUBLIC_URL, so {NO_PRESS}."
            seen = no_answer(url, error)
            return Line("broken", words, seen, (Fix(f"curl -i {health}", "To see what is there"),))

    async def _why_refused(self, twilio: httpx.AsyncClient, status: str, url: str) -> Line | None:
        """Post a status about no alert, signed as Twilio would; return what is wrong, or None."""
        token = self._settings.twilio_auth_token
        if token is None:
            return None
        address = f"{status}?{urlencode({'alert': UNKNOWN_ALERT, 'try': '1'})}"
        form = {
            "AccountSid": self._services.twilio.account_sid,
            "CallSid": "CA" + "0" * 32,
            "CallStatus": "completed",
        }
        signature = sign(token.get_secret_value(), address, form)
        answer = await twilio.post(address, data=form, headers={SIGNATURE_HEADER: signature})
        if answer.status_code != httpx.codes.FORBIDDEN:
            return None
        words = f"The app at PUBLIC_URL refuses what Twilio signs, so {NO_PRESS}."
        seen = (
            f"It answered a request that was signed with TWILIO_AUTH_TOKEN for {status} with HTTP "
            "403: the app there has another token or another PUBLIC_URL, or it was started before "
            "they were set."
        )
        return Line("broken", words, seen, (Fix(f"PUBLIC_URL={url}", "In .env of that app"),))


def _why_unwell(answer: httpx.Response, asked: str, url: str) -> Line | None:
    if problem := _why_not_let_through(answer, asked, url):
        return problem
    word = _status_word(answer)
    if word is None:
        words = f"Something other than Callboard answers at PUBLIC_URL, so {NO_PRESS}."
        return Line("broken", words, f"Seen at {asked}. Check the address.", (_look_at(asked),))
    if answer.status_code != httpx.codes.OK:
        words = f"The app at PUBLIC_URL isn't well, so {NO_PRESS}."
        seen = f"{asked} says {word} (HTTP {answer.status_code}): open its page, or see its log."
        return Line("broken", words, seen, (_look_at(asked),))
    return None


def _why_open(answer: httpx.Response, url: str) -> Line | None:
    if answer.status_code == httpx.codes.FORBIDDEN:
        return None
    asked = f"{url}{STATUS_PATH}"
    if problem := _why_not_let_through(answer, asked, url):
        return problem
    words = f"What Twilio sends doesn't arrive as it is, so {NO_PRESS}."
    seen = (
        f"A request that Twilio didn't sign got HTTP {answer.status_code} from {asked} instead of "
        "403: check that the proxy passes it to this app as it is."
    )
    return Line("broken", words, seen, open_paths(url, answer.headers.get("server", "")))


def _why_not_let_through(answer: httpx.Response, asked: str, url: str) -> Line | None:
    """Say how a proxy in front of the app gets in the way of Twilio's requests, if it does."""
    status, server = answer.status_code, answer.headers.get("server", "")
    login = f"Twilio is sent to a login page, so {NO_PRESS}."
    if answer.is_redirect:
        # Leave out the query, which may hold a token for signing in.
        where = str(answer.headers.get("location", "")).partition("?")[0]
        if final := _moved_to(asked, where):
            words = f"PUBLIC_URL only redirects, which Twilio doesn't follow, so {NO_PRESS}."
            moved = final.removesuffix(asked.removeprefix(url))
            fix = Fix(f"PUBLIC_URL={moved}", "In .env")
            return Line("broken", words, f"It got HTTP {status} from {asked} to {where}.", (fix,))
        seen = f"It got HTTP {status} from {asked} to {where}. Let it through without a login:"
        return Line("broken", login, seen, open_paths(url, server))
    if status in {401, 403, 407}:
        seen = f"{asked} asks for a login (HTTP {status}). Let Twilio through without one:"
        return Line("broken", login, seen, open_paths(url, server))
    if status in {404, 405}:
        words = f"PUBLIC_URL leads somewhere else, so {NO_PRESS}."
        seen = (
            f"{asked} isn't there (HTTP {status}): PUBLIC_URL must be the app's whole address, "
            "with its sub-path, and the proxy must pass it on."
        )
        return Line("broken", words, seen, open_paths(url, server))
    if status in {502, 504} or (status == 503 and _status_word(answer) is None):
        words = f"The proxy at PUBLIC_URL doesn't reach this app, so {NO_PRESS}."
        seen = f"{asked} got HTTP {status}: check that the app runs, and on which port."
        return Line("broken", words, seen, (Fix(f"curl -i http://127.0.0.1:{PORT}{HEALTH_PATH}"),))
    return None


def _moved_to(asked: str, where: str) -> str | None:
    """Return the new address if a redirect leads to the same path elsewhere, such as to https."""
    before, after = urlsplit(asked), urlsplit(where)
    is_same = after.hostname and after.path == before.path and where != asked
    return where if is_same else None


def _look_at(asked: str) -> Fix:
    return Fix(f"curl -i {asked}", "To see what is there")


def _status_word(answer: httpx.Response) -> str | None:
    """Return the status word of our own `/healthz`, None if another program answered."""
    try:
        content = answer.json()
    except ValueError:
        return None
    word = content.get("status") if isinstance(content, dict) else None
    return word if isinstance(word, str) else None
