"""`python -m alerts call|text`, as a shell sees it."""

from __future__ import annotations

import json

import pytest

from simulator import SIMULATOR_FROM_NUMBER, create_app
from tests.alerts_desk import ANYBODY
from tests.alerts_environment import ACCOUNT, ACCOUNT_SID, TOKEN
from tests.alerts_house import build_house
from tests.servers import serve

KEYS = ["id", "channel", "to", "from", "status", "sid", "twiml_url", "error"]
BUSY = "(412) 555-0101"


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    """The house of somebody without an account."""
    return build_house(tmp_path_factory.mktemp("simulation"), {})


@pytest.fixture(scope="module")
def customer(tmp_path_factory):
    """The house of somebody with an account, at a Twilio that is fast."""
    app = create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN, speed=50)
    with serve(app) as url:
        values = {"TWILIO_BASE_URL": url, "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER}
        yield build_house(tmp_path_factory.mktemp("customer"), ACCOUNT | values, TOKEN)


def printed(ended):
    """The one JSON object that was printed."""
    assert ended.stderr == ""
    found = json.loads(ended.stdout)
    assert list(found) == KEYS
    if found["error"]:
        assert list(found["error"]) == ["code", "message", "hint"]
    return found


def test_accepted_in_a_simulation(simulation):
    ended = simulation.alerts(
        "call", "(412) 555-0199", "Hello at {{ now }}", "--voice", "Polly.Amy"
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    first, *steps = ended.stdout.splitlines()
    assert first.startswith("Simulation: ")
    assert [step.split()[2] for step in steps] == ["queued", "sending", "placed"]
    # A simulation leaves nothing beside the app, whose folder may be read-only.
    assert not (simulation.folder / "data").exists()


def test_accepted_as_json(customer):
    ended = customer.alerts("text", "412 555 0199", "Hello", "--json")
    assert ended.returncode == 0
    found = printed(ended)
    assert found["id"]
    assert found["sid"].startswith("SM")
    assert found | {"id": "", "sid": ""} == {
        "id": "",
        "channel": "text",
        "to": ANYBODY,
        "from": SIMULATOR_FROM_NUMBER,
        "status": "placed",
        "sid": "",
        "twiml_url": None,
        "error": None,
    }


def test_waiting_for_somebody_who_answers(customer):
    ended = customer.alerts("call", ANYBODY, "Hello", "--repeat", "1", "--wait")
    assert (ended.returncode, ended.stderr) == (0, "")
    words = [line.split()[2] for line in ended.stdout.splitlines()]
    assert words[:3] == ["queued", "sending", "placed"]
    assert words[-1] == "completed"


def test_waiting_for_somebody_who_is_busy(customer):
    ended = customer.alerts("call", BUSY, "Hello", "--wait", "--json")
    assert ended.returncode == 1
    found = printed(ended)
    assert (found["status"], found["error"]) == ("unanswered", None)
    assert found["sid"].startswith("CA")


def test_a_refusal_as_json(customer):
    ended = customer.alerts("text", "+14125550113", "Hello", "--json")
    assert ended.returncode == 1
    found = printed(ended)
    assert (found["status"], found["sid"], found["error"]["code"]) == ("failed", None, 21610)
    assert "STOP" in found["error"]["hint"]


def test_unusable_input_as_json(customer):
    ended = customer.alerts("call", "911", "Hello", "--json")
    assert ended.returncode == 2
    found = printed(ended)
    assert (found["channel"], found["to"], found["status"]) == ("call", "911", "failed")
    assert (found["id"], found["from"], found["sid"], found["twiml_url"]) == (None,) * 4
    assert "emergency" in found["error"]["message"]


def test_unusable_input(customer):
    ended = customer.alerts("call", ANYBODY, "{{ batch }} failed")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "'batch'" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_setting_that_is_wrong(customer):
    ended = customer.alerts("text", ANYBODY, "Hello", S3_BUCKET="no bucket")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("S3_BUCKET")


def test_an_option_that_is_none(customer):
    ended = customer.alerts("call", ANYBODY, "Hello", "--loudly")
    assert ended.returncode == 2
    assert "--loudly" in ended.stderr
