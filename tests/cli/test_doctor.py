"""`python -m alerts doctor`: what it finds, and what it repairs."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from alerts import Desk
from alerts.doctor import examine
from alerts.public_addresses import why_not_this_app, why_out_of_reach
from alerts.simulation import SIMULATED_APP_URL
from settings import Settings
from simulator import create_app
from storage import InlineStorage, Instructions
from tests.support.desks import SERVICE_SID, simulated_desk, twilio_client
from tests.support.environment import ACCOUNT, ACCOUNT_SID, TOKEN, clean_environment
from tests.support.project_folder import build_project_folder
from tests.support.recording_server import always
from tests.support.running_app import running
from tests.support.s3_server import OtherS3, empty_moto, s3_client, s3_error, s3_storage
from tests.support.servers import free_port, serve

SECRET = "hush-hush"


@pytest.fixture
def moto():
    return empty_moto()


@pytest.fixture
def customer(tmp_path, moto):
    """A user with an account and the name of a bucket that isn't there yet."""
    values = {
        "S3_BUCKET": "twilio-xml",
        "AWS_ENDPOINT_URL_S3": moto,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    with serve(create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN)) as url:
        yield build_project_folder(
            tmp_path, ACCOUNT | values | {"TWILIO_BASE_URL": url}, TOKEN, SECRET
        )


def verdicts(ended) -> dict[str, str]:
    """Whether each check passed, by its name, as it was printed."""
    return {line.split()[1]: line.split()[0] for line in ended.stdout.splitlines()}


def test_from_failing_checks_to_passing_ones(customer, moto):
    ill = customer.alerts("doctor", TWILIO_AUTH_TOKEN="another")
    assert ill.returncode == 1
    assert verdicts(ill) == {
        "Settings": "ok",
        "Database": "ok",
        "Twilio": "FAIL",
        "Storage": "FAIL",
    }
    assert "credentials" in ill.stdout
    assert "twilio-xml does not exist" in ill.stdout

    repaired = customer.alerts("doctor", "--create-bucket")
    assert (repaired.returncode, repaired.stderr) == (0, "")
    assert set(verdicts(repaired).values()) == {"ok"}
    assert "Created the bucket twilio-xml" in repaired.stdout

    well = customer.alerts("doctor")
    assert (well.returncode, well.stderr) == (0, "")
    assert set(verdicts(well).values()) == {"ok"}
    left = s3_client(moto).list_objects_v2(Bucket="twilio-xml")
    assert left["KeyCount"] == 0


async def examined(
    desk: Desk, values: dict[str, str] | None = None, **options
) -> dict[str, tuple[bool, str]]:
    with clean_environment():
        os.environ.update(values or {})
        settings = Settings(_env_file=None)
    checks = [check async for check in examine(settings, desk, **options)]
    assert all(check.sentence for check in checks)
    return {check.name: (check.passed, check.sentence) for check in checks}


async def test_a_simulation_passes(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        checks = await examined(desk)
    assert [passed for passed, _ in checks.values()] == [True] * 4
    assert list(tmp_path.glob("*.xml")) == []


async def test_there_is_no_bucket_to_create(tmp_path):
    async with simulated_desk(tmp_path) as desk:
        checks = await examined(desk, create_bucket=True)
    passed, sentence = checks["Bucket"]
    assert not passed
    assert "S3_BUCKET" in sentence


PROXY_TROUBLE = [
    ("ALL_PROXY", "socks://user:hunter2@127.0.0.1:1"),
    ("http_proxy", "http://user:hunter2#b@proxy.example.com:8080"),
    ("HTTP_PROXY", "http://127.0.0.1:99999"),
    ("SSL_CERT_FILE", "/nowhere/ca.pem"),
    ("SSL_CERT_DIR", "/nowhere/certs"),
]


@pytest.mark.parametrize(("name", "value"), PROXY_TROUBLE)
def test_an_environment_that_lets_nothing_out(tmp_path, name, value):
    """The doctor names what sending would name, for Twilio and for what it reads itself."""
    values = {
        "TWILIO_BASE_URL": "http://127.0.0.2:9",
        "PUBLIC_URL": "http://127.0.0.2:9",
    }
    customer = build_project_folder(tmp_path, ACCOUNT | values, TOKEN, "hunter2")
    ended = customer.alerts("doctor", **{name: value})
    assert (ended.returncode, ended.stderr) == (1, "")
    lines = {line.split()[1]: line for line in ended.stdout.splitlines()}
    for check in ("Twilio", "Storage", "Callbacks"):
        assert lines[check].startswith("FAIL")
        assert f"({name} " in lines[check]


class Elsewhere:
    """A storage that stores nothing; its documents are at `url`, whatever is there."""

    label = "a web server"

    def __init__(self, url: str) -> None:
        self._url = url

    async def publish(self, name: str, xml: str) -> Instructions:
        return Instructions(url=f"{self._url}/doctor.xml")

    async def delete(self, instructions: Instructions) -> None:
        """Nothing was stored."""

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Response("<Response/>", media_type="text/xml"), "isn't the one that was stored"),
        (Response("<Response/>", media_type="text/plain"), "text/plain"),
        (Response("<Response/>"), "no content type"),
        (Response("gone", 404), "HTTP 404"),
        (Response("no", 403), "HTTP 403"),
    ],
)
async def test_what_twilio_could_not_read(tmp_path, answer, words):
    asked: list[Request] = []

    async def document(request: Request):
        asked.append(request)
        return answer

    with serve(Starlette(routes=[Route("/doctor.xml", document)])) as url:
        async with Desk(await services_with(tmp_path, url)) as desk:
            passed, sentence = (await examined(desk))["Storage"]
    assert not passed
    assert words in sentence
    assert asked[0].method == "GET"
    assert "CallSid" in asked[0].query_params


async def test_no_server_at_the_address_of_the_storage(tmp_path):
    async with Desk(await services_with(tmp_path, f"http://127.0.0.1:{free_port()}")) as desk:
        passed, sentence = (await examined(desk))["Storage"]
    assert not passed
    assert "No answer from" in sentence


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_bucket_that_nobody_may_read_gets_advice_that_does_not_go_in_a_circle(
    tmp_path, moto, status
):
    answers = {
        "GET CallSid": s3_error(status, "AccessDenied"),
        "policy": s3_error(501, "NotImplemented"),
    }
    with serve(OtherS3(moto, answers)) as url:
        async with simulated_desk(tmp_path, s3_storage(url)) as desk:
            services = replace(desk.services, documents=None, storage=s3_storage(url))
        async with Desk(services) as desk:
            checks = await examined(desk, create_bucket=True)
    created, done = checks["Bucket"]
    passed, sentence = checks["Storage"]
    assert (created, passed) == (True, False)
    assert "no bucket policies" in done
    assert "If that didn't help" in sentence
    assert "S3_PUBLIC_BASE_URL" in done
    assert "S3_PUBLIC_BASE_URL" in sentence


async def services_with(folder, url: str):
    """The services of a simulation, but with documents that are read over the network."""
    async with simulated_desk(folder) as desk:
        return replace(desk.services, storage=Elsewhere(url), documents=None)


@pytest.mark.parametrize(
    "host",
    [
        "localhost:8000",
        "app.localhost",
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "0.1.2.3",
        "10.1.2.3:8000",
        "172.16.0.1",
        "192.168.1.20",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "[::1]:8000",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:192.168.1.20]",
        "callboard",
        "callboard:8000",
        "mac.local",
        "mac.local.",
        "callboard.internal",
        "callboard.corp",
        "nas.home.arpa",
        "callboard.test",
        "callboard.example",
    ],
)
def test_addresses_out_of_reach(host):
    assert why_out_of_reach(f"https://{host}/sub")


@pytest.mark.parametrize(
    "host",
    [
        "callboard.example.com",
        "8.8.8.8:8443",
        "[2001:4860:4860::8888]",
        "local.example.org",
        "internal.net",
        "xn--bcher-kva.de",
    ],
)
def test_addresses_that_may_be_reached(host):
    assert why_out_of_reach(f"https://{host}/sub") is None


LOCAL, WORLD = "http://localhost:9", "https://api.twilio.com"


@pytest.mark.parametrize(
    ("twilio", "settings", "check", "names"),
    [
        (WORLD, {"PUBLIC_URL": LOCAL}, "Callbacks", "PUBLIC_URL"),
        (WORLD, {"PUBLIC_URL": LOCAL}, "Storage", "PUBLIC_URL"),
        (
            WORLD,
            {"PUBLIC_URL": "http://10.0.0.7", "STORAGE": "inline"},
            "Callbacks",
            "local network",
        ),
        (
            WORLD,
            {"STORAGE": "ftp", "FTP_URL": "ftp://a:b@c", "FTP_PUBLIC_BASE_URL": "http://nas/x"},
            "Storage",
            "FTP_PUBLIC_BASE_URL",
        ),
        (WORLD, {"S3_BUCKET": "twilio-xml", "S3_PUBLIC_BASE_URL": LOCAL}, "Storage", "S3_PUBLIC"),
        (LOCAL, {"PUBLIC_URL": LOCAL}, "Callbacks", "No answer"),
        (LOCAL, {"PUBLIC_URL": LOCAL}, "Storage", "No answer"),
    ],
)
async def test_what_twilio_cannot_reach(tmp_path, twilio, settings, check, names):
    values = ACCOUNT | settings | {"TWILIO_BASE_URL": twilio, "DATA_DIR": str(tmp_path)}
    address = next(value for name, value in settings.items() if name.endswith("_URL"))
    stored = settings.get("FTP_PUBLIC_BASE_URL") or settings.get("S3_PUBLIC_BASE_URL") or address
    storage = (
        InlineStorage() if "STORAGE" in settings and check == "Callbacks" else Elsewhere(stored)
    )
    async with simulated_desk(tmp_path) as desk:
        services = replace(desk.services, storage=storage, documents=None)
        async with Desk(services) as reaching:
            passed, sentence = (await examined(reaching, values))[check]
    assert not passed
    assert names in sentence


def test_callbacks_to_the_app_itself(customer, tmp_path):
    """The app, a proxy with a sub-path, or whatever answers at PUBLIC_URL."""
    url = f"http://127.0.0.1:{free_port()}"
    port = url.rpartition(":")[2]
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", port]
    with running(command, f"{url}/healthz", customer.folder, PUBLIC_URL=url, STORAGE="local"):
        ended = customer.alerts("doctor", PUBLIC_URL=url, STORAGE="local")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"{url} is this app, and refuses what isn't signed." in ended.stdout


WELL = JSONResponse({"status": "ok"})
LOGIN = RedirectResponse("https://login.example.com/?token=hush-hush")


@pytest.mark.parametrize(
    ("health", "status", "words"),
    [
        (WELL, Response("", 403), None),
        (LOGIN, Response("", 403), "redirects to https://login.example.com/: PUBLIC_URL"),
        (Response("", 401), Response("", 403), "asks for a login (HTTP 401)"),
        (Response("", 403), Response("", 403), "asks for a login (HTTP 403)"),
        (Response("", 404), Response("", 403), "isn't there (HTTP 404)"),
        (Response("", 502), Response("", 403), "doesn't reach the app (HTTP 502)"),
        (Response("", 503), Response("", 403), "doesn't reach the app (HTTP 503)"),
        (Response("Hi"), Response("", 403), "Something else than Callboard answers"),
        (JSONResponse(["ok"]), Response("", 403), "Something else than Callboard answers"),
        (JSONResponse({"status": "settings"}, 503), Response("", 403), "HTTP 503, settings"),
        (WELL, LOGIN, "redirects to https://login.example.com/: PUBLIC_URL"),
        (WELL, Response("", 401), "asks for a login (HTTP 401)"),
        (WELL, Response("", 404), "isn't there (HTTP 404)"),
        (WELL, Response("", 405), "isn't there (HTTP 405)"),
        (WELL, Response("", 204), "HTTP 204"),
        (WELL, Response("", 500), "HTTP 500"),
        (WELL, Response("", 504), "doesn't reach the app (HTTP 504)"),
    ],
)
async def test_what_answers_at_the_public_url(
    health: Response, status: Response, words: str | None
) -> None:
    async def get(_: Request) -> Response:
        return health

    async def post(request: Request) -> Response:
        assert "x-twilio-signature" not in request.headers
        return status

    routes = [Route("/sub/healthz", get), Route("/sub/twilio/status", post, methods=["POST"])]
    with serve(Starlette(routes=routes)) as url:
        problem = await why_not_this_app(f"{url}/sub")
    if words is None:
        assert problem is None
    else:
        assert problem is not None
        assert words in problem
        assert "hush-hush" not in problem


async def test_nothing_answers_at_the_public_url():
    problem = await why_not_this_app(f"http://127.0.0.1:{free_port()}")
    assert problem is not None
    assert "the connection was refused" in problem


async def test_a_database_that_cannot_be_used(tmp_path):
    nowhere = SecretStr("sqlite:////proc/callboard.sqlite")
    async with simulated_desk(tmp_path, database_url=nowhere) as desk:
        checks = await examined(desk)
    assert checks["Database"][0] is False
    assert checks["Database"][1].startswith("DATABASE_URL names")


# --- Where texts to the number are reported -----------------------------------------------------


async def replies(tmp_path, values: dict[str, str], **options) -> tuple[bool, str, str]:
    """What is said about replies, and where the number's texts are reported then."""
    public = {"PUBLIC_URL": "https://callboard.example"}
    async with simulated_desk(tmp_path, callbacks=True) as desk:
        assert desk.services.simulator is not None
        exchange = desk.services.simulator.state.exchange
        [number] = exchange.accounts.get(desk.services.twilio.account_sid).numbers.values()
        number.settings |= values
        checks = await examined(desk, ACCOUNT | public, **options)
        passed, sentence = checks["Replies"]
        return passed, sentence, str(number.settings.get("sms_url", ""))


HERE = f"{SIMULATED_APP_URL}/twilio/inbound"
OTHER = "https://other.example/sms"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "reported nowhere, not here"),
        ({"sms_url": OTHER}, f"reported to {OTHER}, not here"),
        ({"sms_url": HERE}, "are reported here."),
        ({"sms_url": HERE, "sms_method": "GET"}, f"reported to {HERE}, not here"),
    ],
)
async def test_where_replies_go(tmp_path, values, says):
    passed, sentence, url = await replies(tmp_path, values)
    assert passed
    assert says in sentence
    assert ("--set-webhook" in sentence) == ("not here" in says)
    assert url == values.get("sms_url", "")


async def test_the_webhook_is_set(tmp_path):
    passed, sentence, url = await replies(tmp_path, {"sms_url": OTHER}, set_webhook=True)
    assert (passed, url) == (True, HERE)
    assert f"before, to {OTHER}" in sentence
    _, again, _ = await replies(tmp_path, {"sms_url": url}, set_webhook=True)
    assert again.endswith("are reported here.")


@pytest.mark.parametrize(
    ("values", "services", "says"),
    [
        ({}, {}, "No account is set"),
        (ACCOUNT, {"callbacks": None}, "Set PUBLIC_URL first"),
        (ACCOUNT, {"from_number": "+14155550100"}, "isn't one of the account's own numbers"),
    ],
)
async def test_no_webhook_to_set(tmp_path, values, services, says):
    async with simulated_desk(tmp_path, callbacks=True) as desk:
        changed = replace(desk.services, **services)
    async with Desk(changed) as desk:
        passed, sentence = (await examined(desk, values, set_webhook=True))["Replies"]
    assert not passed
    assert says in sentence


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ({}, "reported nowhere, not here"),
        ({"inbound_request_url": OTHER, "inbound_method": "POST"}, f"to {OTHER}, not here"),
        ({"inbound_request_url": HERE, "inbound_method": "POST"}, "are reported here."),
        (
            {
                "inbound_request_url": HERE,
                "inbound_method": "POST",
                "use_inbound_webhook_on_number": True,
            },
            "where each of its numbers says, not here",
        ),
    ],
)
async def test_a_messaging_service(tmp_path, service, says):
    public = {"PUBLIC_URL": "https://callboard.example"}
    recorder = always({"sid": SERVICE_SID, **service})
    with serve(recorder) as url:
        async with simulated_desk(
            tmp_path,
            callbacks=True,
            messaging_service_sid=SERVICE_SID,
            twilio=twilio_client(url),
        ) as desk:
            passed, sentence = (await examined(desk, ACCOUNT | public))["Replies"]
            assert passed
            assert says in sentence
            _, now = (await examined(desk, ACCOUNT | public, set_webhook=True))["Replies"]
            assert ("reported here now" in now) == ("not here" in says)
    posted = [each.form for each in recorder.requests if each.path == f"/v1/Services/{SERVICE_SID}"]
    changes = [each for each in posted if each]
    assert len(changes) == int("not here" in says)
    assert all(("InboundRequestUrl", HERE) in each for each in changes)
