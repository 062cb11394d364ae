"""`python -m alerts call|text`, as a shell sees it."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from simulator import SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.desks import ANYBODY, quiet_now
from tests.support.environment import ACCOUNT, ACCOUNT_SID, TOKEN
from tests.support.project_folder import build_project_folder
from tests.support.servers import serve

pytestmark = pytest.mark.slow

KEYS = ["id", "channel", "to", "from", "status", "sid", "twiml_url", "error"]
BUSY = "(412) 555-0101"


@pytest.fixture(scope="module")
def simulation(tmp_path_factory):
    """The project folder of a user without an account."""
    return build_project_folder(tmp_path_factory.mktemp("simulation"), {})


@pytest.fixture(scope="module")
def customer(tmp_path_factory):
    """The project folder of a user with an account, at a Twilio that is fast."""
    app = create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN, speed=50)
    with serve(app) as url:
        values = {"TWILIO_BASE_URL": url, "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER}
        yield build_project_folder(tmp_path_factory.mktemp("customer"), ACCOUNT | values, TOKEN)


def printed(ended):
    """Parse the one JSON object that was printed."""
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
    first, *steps, last = ended.stdout.splitlines()
    assert first.startswith("Simulation: ")
    assert [step.split()[2] for step in steps] == ["queued", "sending", "placed"]
    assert re.fullmatch(r"Alert [0-9a-f]+ is placed\.", last)
    assert (simulation.folder / "data" / "callboard.sqlite").exists()


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


def test_waiting_for_a_person_who_answers(customer):
    ended = customer.alerts("call", ANYBODY, "Hello", "--repeat", "1", "--wait")
    assert (ended.returncode, ended.stderr) == (0, "")
    words = [line.split()[2] for line in ended.stdout.splitlines()]
    assert words[:3] == ["queued", "sending", "placed"]
    assert words[-2] == "completed"
    assert ended.stdout.splitlines()[-1].endswith("is completed.")


def test_the_reason_while_it_tries_again(customer):
    begun = customer.alerts("text", ANYBODY, "Hello", SSL_CERT_FILE="/missing.pem")
    assert begun.returncode == 1
    assert "Twilio can't be reached: trying again\n" in begun.stdout
    assert "SSL_CERT_FILE names /missing.pem" in begun.stdout
    assert "It is saved" in begun.stderr
    as_json = customer.alerts("text", ANYBODY, "Hello", "--json", SSL_CERT_FILE="/missing.pem")
    error = printed(as_json)["error"]
    assert "SSL_CERT_FILE names /missing.pem" in error["message"]
    assert error["hint"] == ""


def test_ctrl_c_tells_that_it_goes_on(customer):
    command = [sys.executable, "-m", "alerts", "call", ANYBODY, "Hello", "--wait", "--repeat", "0"]
    process = subprocess.Popen(
        command,
        cwd=customer.folder,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b"Saved" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.decode().startswith("Interrupted. What is saved goes on")


def test_waiting_for_a_person_who_is_busy(customer):
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
    assert "asks for {{ batch }}" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_setting_that_is_wrong(customer):
    ended = customer.alerts("text", ANYBODY, "Hello", S3_BUCKET="no bucket")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("S3_BUCKET")


def test_braces_and_zones_at_the_shell(customer):
    words = "{{ .CommonLabels.alertname }}"
    refused = customer.alerts("text", ANYBODY, words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--verbatim" in refused.stderr
    sent = printed(customer.alerts("text", ANYBODY, words, "--verbatim", "--json"))
    told = customer.alerts("status", sent["id"])
    assert told.stdout.splitlines()[0].endswith(f": {words}")
    zone = customer.alerts("text", ANYBODY, "{{ now }}", "--time-zone", "Nowhere/Land")
    assert zone.returncode == 2
    assert "'Nowhere/Land' is not a time zone" in zone.stderr


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Asia/Kolkata"])
def test_the_time_is_the_senders(customer, zone):
    for ended in (
        customer.alerts("text", ANYBODY, "{{ today }}, {{ now }}", "--time-zone", zone, "--json"),
        customer.alerts("text", ANYBODY, "{{ today }}, {{ now }}", "--json", TIME_ZONE=zone),
    ):
        told = customer.alerts("status", printed(ended)["id"]).stdout.splitlines()[0]
        there = datetime.now(ZoneInfo(zone))
        assert f"{there:%B} {there.day}, {there.year}, " in told
        clocks = {f"{there - timedelta(minutes=late):%I:%M}".lstrip("0") for late in range(3)}
        assert any(f", {clock}" in told for clock in clocks)


def test_what_is_for_twilio_to_decide_is_said(customer):
    ended = customer.alerts(
        "call", "(436) 857-4309 x12", "Hello", "--voice", "Polly.Amy-Generative"
    )
    assert ended.stderr.splitlines()[:2] == [
        "+1 436-857-4309 ext. 12: That prefix isn't in Callboard's tables yet. Twilio decides.",
        "The voice Polly.Amy-Generative isn't in Callboard's list; Twilio decides.",
    ]


def test_an_option_that_is_none(customer):
    ended = customer.alerts("call", ANYBODY, "Hello", "--loudly")
    assert ended.returncode == 2
    assert "--loudly" in ended.stderr


def test_one_key_is_one_alert(customer):
    first = printed(customer.alerts("text", ANYBODY, "Hello", "--id", "batch 7", "--json"))
    again = customer.alerts("text", ANYBODY, "Something else", "--id", "batch 7", "--json")
    assert first["id"] == "batch 7"
    assert json.loads(again.stdout)["sid"] == first["sid"]
    assert again.stderr == "Alert batch 7 was sent before: nothing new is sent.\n"


def test_the_status_of_an_alert_that_another_process_sent(customer):
    sent = printed(customer.alerts("text", ANYBODY, "Hello", "--wait", "--json"))
    ended = customer.alerts("status", sent["id"], "--json")
    assert ended.returncode == 0
    assert printed(ended) == sent
    told = customer.alerts("status", sent["id"])
    first, *steps, last = told.stdout.splitlines()
    assert re.fullmatch(rf"Text to \{ANYBODY}, {date.today()} \d\d:\d\d \w+: Hello", first)
    assert [line.split()[2] for line in steps[:2]] == ["queued", "sending"]
    assert last == f"Alert {sent['id']} is delivered."


@pytest.mark.parametrize("command", ["status", "cancel"])
def test_an_id_that_was_never_sent(customer, command):
    ended = customer.alerts(command, "nothing")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "No alert or broadcast has the id nothing.\n"


def test_canceling_what_waits(customer):
    hours = quiet_now(ANYBODY)
    waits = customer.alerts("call", ANYBODY, "Hello", "--quiet-hours", hours, "--id", "night")
    assert waits.returncode == 0
    assert "Quiet hours" in waits.stdout
    ended = customer.alerts("cancel", "night", "--json")
    assert ended.returncode == 0
    assert printed(ended)["status"] == "canceled"


def test_a_worker_delivers_what_others_hand_over(customer):
    command = [sys.executable, "-m", "alerts", "worker"]
    with subprocess.Popen(
        command, cwd=customer.folder, stdout=subprocess.PIPE, text=True
    ) as worker:
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline().startswith("Delivering.")
            ended = customer.alerts("text", ANYBODY, "Hello", "--wait", "--json")
            assert printed(ended)["status"] == "delivered"
        finally:
            worker.send_signal(signal.SIGTERM)
    assert worker.returncode == 0
    with sqlite3.connect(customer.folder / "data" / "callboard.sqlite") as database:
        workers = database.execute("select mode from workers").fetchall()
    # The sender never became a worker, and the worker has removed itself.
    assert workers == []


def test_a_worker_for_a_simulation(simulation):
    ended = simulation.alerts("worker")
    assert ended.returncode == 2
    assert ended.stderr.startswith("TWILIO_ACCOUNT_SID is not set")


def test_a_database_that_cannot_be_used(customer):
    ended = customer.alerts(
        "text", ANYBODY, "Hello", DATABASE_URL="sqlite:////proc/callboard.sqlite"
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("DATABASE_URL names")
