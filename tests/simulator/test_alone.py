"""`python -m simulator` as a program of its own."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time

import httpx

from simulator import SIMULATOR_ACCOUNT_SID

COMMAND = [sys.executable, "-m", "simulator"]


def test_it_says_where_it_listens_and_quits_quietly():
    started = time.monotonic()
    program = subprocess.Popen(
        [*COMMAND, "--port", "0", "--account-sid", SIMULATOR_ACCOUNT_SID, "--auth-token", "hush"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        announcement = program.stdout.readline()
        seconds = time.monotonic() - started
        found = re.search(r"TWILIO_BASE_URL=(http://127\.0\.0\.1:\d+)", announcement)
        assert found, announcement
        path = f"{found[1]}/2010-04-01/Accounts/{SIMULATOR_ACCOUNT_SID}/Calls.json"
        data = {"To": "+14125550199", "From": "+17248675309", "Twiml": "<Response/>"}
        credentials = (SIMULATOR_ACCOUNT_SID, "hush")
        assert httpx.post(path, data=data, auth=credentials).status_code == 201
        program.send_signal(signal.SIGINT)  # with a call still going on
        rest, complaints = program.communicate(timeout=10)
    finally:
        program.kill()
        program.wait()
    assert (program.returncode, rest, complaints) == (0, "", "")
    assert "hush" not in announcement
    print(f"started in {seconds:.2f} s")


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [*COMMAND, "--port", port], capture_output=True, text=True, check=False
        )
    assert ended.returncode == 1
    assert "Choose another port with --port." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_unusable_arguments():
    ended = subprocess.run([*COMMAND, "--speed", "-1"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "The simulator's speed must be 0 or a number above 0, not -1.0.\n"


def test_it_stays_out_of_the_apps_rooms():
    program = (
        "import sys, simulator.__main__\n"
        "rooms = {'shiny', 'boto3', 'aiohttp', 'twilio_client', 'twiml', 'storage', 'alerts'}\n"
        "print(sorted(rooms & {name.partition('.')[0] for name in sys.modules}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"
