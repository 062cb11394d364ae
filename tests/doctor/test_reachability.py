"""PUBLIC_URL: the app, another program, a login page or a proxy that answers there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from alerts import Desk
from alerts.callbacks import CallbackReceiver, callback_routes
from alerts.services import CallbackAddresses, signature_check
from doctor import Line
from doctor.public_addresses import open_paths
from doctor.reachability import ReachabilityChecks
from tests.support.desks import simulated_desk
from tests.support.doctor_lines import lines_of, settings_with
from tests.support.environment import TOKEN
from tests.support.servers import free_port, serve

# A Twilio on this machine can reach what is on this machine.
NEAR = {"TWILIO_BASE_URL": "http://127.0.0.1:9"}


async def asked(folder, url: str | None, values: dict[str, str] | None = None) -> Line:
    public = {"PUBLIC_URL": url} if url else {}
    async with simulated_desk(folder) as desk:
        settings = settings_with(NEAR | public | (values or {}))
        [line] = await lines_of(ReachabilityChecks(settings, desk.services), "callbacks")
    assert TOKEN not in repr(line)
    return line


async def test_without_public_url_a_laptop_needs_a_tunnel(tmp_path):
    line = await asked(tmp_path, None)
    assert line.verdict == "to do"
    tunnels = [each.text.split()[0] for each in line.fixes]
    assert tunnels == ["cloudflared", "ngrok", "tailscale", "ssh"]
    assert all("PUBLIC_URL=https://" in each.text for each in line.fixes)


async def test_an_address_that_only_this_machine_knows(tmp_path):
    world = {"TWILIO_BASE_URL": "https://api.twilio.com"}
    line = await asked(tmp_path, "http://localhost:8000", world)
    assert line.verdict == "broken"
    assert "each machine's own name for itself" in line.seen
    assert line.fixes[0].text.startswith("cloudflared")


async def test_a_simulation_needs_nothing(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        checks = ReachabilityChecks(settings_with(simulated=True), desk.services)
        [line] = await lines_of(checks, "callbacks")
    assert line.verdict == "fine"


async def test_nothing_there(tmp_path):
    line = await asked(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert line.words == "Nothing answers at PUBLIC_URL, so a press of 1 doesn't arrive."
    assert "the connection was refused" in line.seen


WELL = JSONResponse({"status": "ok"})
LOGIN = RedirectResponse("https://login.example.com/?token=hush-hush")
REFUSED = Response("", 403)


@pytest.mark.parametrize(
    ("health", "status", "words", "seen"),
    [
        (LOGIN, REFUSED, "a login page", "HTTP 307 from"),
        (Response("", 401), REFUSED, "a login page", "HTTP 401"),
        (REFUSED, REFUSED, "a login page", "HTTP 403"),
        (Response("", 404), REFUSED, "leads somewhere else", "HTTP 404"),
        (Response("", 502), REFUSED, "doesn't reach this app", "HTTP 502"),
        (Response("", 503), REFUSED, "doesn't reach this app", "HTTP 503"),
        (Response("Hi"), REFUSED, "Something other than Callboard", "Check the address"),
        (JSONResponse(["ok"]), REFUSED, "Something other than Callboard", "Check the address"),
        (JSONResponse({"status": "settings"}, 503), REFUSED, "isn't well", "says settings"),
        (WELL, LOGIN, "a login page", "to https://login.example.com/."),
        (WELL, Response("", 401), "a login page", "HTTP 401"),
        (WELL, Response("", 404), "leads somewhere else", "HTTP 404"),
        (WELL, Response("", 405), "leads somewhere else", "HTTP 405"),
        (WELL, Response("", 204), "doesn't arrive as it is", "HTTP 204"),
        (WELL, Response("", 500), "doesn't arrive as it is", "HTTP 500"),
        (WELL, Response("", 504), "doesn't reach this app", "HTTP 504"),
        # It refuses everything, also what is signed.
        (WELL, REFUSED, "refuses what Twilio signs", "another token or another PUBLIC_URL"),
    ],
)
async def test_what_is_in_the_way(
    tmp_path: Path, health: Response, status: Response, words: str, seen: str
):
    async def get(_: Request) -> Response:
        return health

    async def post(_: Request) -> Response:
        return status

    routes = [Route("/sub/healthz", get), Route("/sub/twilio/status", post, methods=["POST"])]
    with serve(Starlette(routes=routes)) as url:
        line = await asked(tmp_path, f"{url}/sub")
    assert line.verdict == "broken"
    assert words in line.words
    assert "a press of 1 doesn't arrive" in line.words
    assert seen in line.seen
    assert line.fixes
    assert "hush-hush" not in repr(line)


async def test_an_address_that_has_moved(tmp_path):
    async def moved(request: Request) -> Response:
        return RedirectResponse("https://calls.example.com" + request.url.path, 301)

    with serve(Starlette(routes=[Route("/sub/healthz", moved)])) as url:
        line = await asked(tmp_path, f"{url}/sub")
    assert "only redirects" in line.words
    assert line.fixes[0].text == "PUBLIC_URL=https://calls.example.com/sub"


@pytest.mark.parametrize(
    ("token", "base", "verdict"),
    [
        (TOKEN, None, "fine"),
        ("another-token", None, "broken"),
        (TOKEN, "https://somewhere.else", "broken"),
    ],
)
async def test_the_app_itself(tmp_path, token, base, verdict):
    """Callboard's own routes, behind a sub-path as a proxy has it."""

    async def health(_: Request) -> Response:
        return WELL

    async with simulated_desk(tmp_path) as desk:
        there = Desk(desk.services, "observer")

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            async with there:
                yield

        inner = Starlette(routes=[Route("/healthz", health)])
        with serve(Starlette(routes=[Mount("/sub", inner)], lifespan=lifespan)) as url:
            receiver = CallbackReceiver(
                desk.services.twilio.account_sid,
                CallbackAddresses(base or f"{url}/sub"),
                signature_check(SecretStr(token)),
            )
            inner.router.routes += callback_routes(receiver, there.history)
            settings = settings_with(NEAR | {"PUBLIC_URL": f"{url}/sub"})
            [line] = await lines_of(ReachabilityChecks(settings, desk.services), "callbacks")
    assert line.verdict == verdict
    if verdict == "fine":
        assert line.words.endswith("it takes what Twilio signs, and refuses everything else.")
    else:
        assert "refuses what Twilio signs" in line.words


@pytest.mark.parametrize(
    ("server", "titles"),
    [
        ("nginx/1.26.3", ["In nginx"]),
        ("Caddy", ["In Caddy, before the part that asks for a login"]),
        ("", ["In nginx", "In Caddy, before the part that asks for a login"]),
    ],
)
def test_the_proxy_that_answered_decides_the_fix(server, titles):
    assert [each.title for each in open_paths("https://a.example/callboard", server)] == titles


def test_what_lets_twilio_past_a_login():
    nginx, caddy = open_paths("https://a.example/callboard", "")
    assert "location /callboard/twilio/ {\n    auth_request off;" in nginx.text
    assert "proxy_pass http://127.0.0.1:8000/twilio/;" in nginx.text
    assert "location = /callboard/healthz {" in nginx.text
    assert caddy.text.startswith(
        "@twilio path /callboard/twilio/* /callboard/twiml/* /callboard/healthz\n"
    )
    assert "uri strip_prefix /callboard" in caddy.text
    assert "strip_prefix" not in open_paths("https://a.example", "Caddy")[0].text
