"""A simulator over HTTP with Twilio's own package as its client, for tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN, SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.servers import serve

FAST = 200
TO = "+14125550199"


class _Rewriting(TwilioHttpClient):  # type: ignore[misc]  # the package has no types
    """Twilio's HTTP client, with another host in place of api.twilio.com."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        url = url.replace("https://api.twilio.com", self._base_url)
        return super().request(method, url, *args, **options)


@dataclass(frozen=True)
class Line:
    """What a test needs of one simulator: its address, Twilio's client, and shortcuts."""

    base_url: str
    twilio: Client
    http: httpx.Client

    def path(self, resource: str) -> str:
        return f"/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}/{resource}.json"

    def place(self, to: str = TO, twiml: str | None = "<Response/>", **options: Any) -> str:
        """Create a call; its SID."""
        if "url" not in options:
            options["twiml"] = twiml
        options.setdefault("from_", SIMULATOR_FROM_NUMBER)
        return str(self.twilio.calls.create(to=to, **options).sid)

    def finished(self, sid: str) -> dict[str, Any]:
        """The call's JSON once it is over."""
        over = {"completed", "busy", "failed", "no-answer", "canceled"}
        return self.wait_for(f"Calls/{sid}", lambda call: call["status"] in over)

    def heard(self, sid: str) -> dict[str, Any]:
        """What the simulator's controls tell of a call once it is over."""
        self.finished(sid)
        return self.inside(sid)

    def inside(self, sid: str) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"/simulator/calls/{sid}").json()
        return found

    def now(self) -> datetime:
        """The date and time by the simulator's clock."""
        return datetime.fromisoformat(self.http.get("/simulator/clock").json()["now"])

    def wait_for(self, resource: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.http.get(self.path(resource)).json()
            if is_so(found):
                return found
            time.sleep(0.01)
        raise AssertionError(f"it never came to that: {found}")


@contextmanager
def simulator_line(**options: Any) -> Iterator[Line]:
    """A running simulator that is fast unless told otherwise."""
    app = create_app(**{"speed": FAST} | options)
    credentials = (SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN)
    # A kept connection would wait 40 ms for each answer: the test server's sockets delay them.
    limits = httpx.Limits(max_keepalive_connections=0)
    with serve(app) as url, httpx.Client(base_url=url, auth=credentials, limits=limits) as http:
        yield Line(url, Client(*credentials, http_client=_Rewriting(url)), http)


def said(heard: dict[str, Any]) -> list[str]:
    """The texts spoken in a call."""
    return [line["text"] for line in heard["transcript"] if line["kind"] == "say"]


def codes(heard: dict[str, Any]) -> list[int | None]:
    """The codes of the errors and warnings in a call."""
    return [trouble["code"] for trouble in heard["errors"]]
