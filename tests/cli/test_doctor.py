"""`python -m alerts doctor`: what it prints, its exit status, and what it repairs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import main
from doctor import Group
from doctor.all_checks import checks_of
from settings import Settings
from simulator.app import create_app
from tests.support.desks import simulated_desk
from tests.support.doctor_lines import settings_with
from tests.support.environment import ACCOUNT, ACCOUNT_SID, TOKEN, clean_environment
from tests.support.project_folder import ProjectFolder, build_project_folder
from tests.support.s3_server import empty_moto, s3_client
from tests.support.servers import serve

SECRET = "hush-hush"


@pytest.fixture(scope="module")
def twilio() -> Iterator[str]:
    app = create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN, from_number="+14155550100")
    with serve(app) as url:
        yield url


@pytest.fixture
def moto() -> str:
    return empty_moto()


@pytest.fixture
def customer(tmp_path: Path, moto: str, twilio: str) -> ProjectFolder:
    """A user with an account and the name of a bucket that isn't there yet."""
    values = {
        "S3_BUCKET": "twilio-xml",
        "AWS_ENDPOINT_URL_S3": moto,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "TWILIO_BASE_URL": twilio,
    }
    return build_project_folder(tmp_path, ACCOUNT | values, TOKEN, SECRET)


@pytest.mark.slow
def test_from_failing_checks_to_passing_ones(customer: ProjectFolder, moto: str):
    ill = customer.alerts("doctor", TWILIO_AUTH_TOKEN="another")
    assert ill.returncode == 1
    assert "FAIL  Nobody can be called or texted: Twilio refuses the credentials." in ill.stdout
    assert "twilio-xml does not exist" in ill.stdout
    assert "doctor --create-bucket" in ill.stdout

    repaired = customer.alerts("doctor", "--create-bucket")
    assert (repaired.returncode, repaired.stderr) == (0, "")
    assert "Created the bucket twilio-xml" in repaired.stdout
    assert "FAIL" not in repaired.stdout

    well = customer.alerts("doctor", "--json")
    assert (well.returncode, well.stderr) == (0, "")
    lines = [json.loads(each) for each in well.stdout.splitlines()]
    assert {frozenset(each) for each in lines} == {
        frozenset({"check", "group", "verdict", "words", "seen", "fixes"})
    }
    by_check = {each["check"]: each for each in lines}
    assert by_check["account"]["verdict"] == "fine"
    assert by_check["callbacks"]["fixes"][0]["text"].startswith("cloudflared")
    left = s3_client(moto).list_objects_v2(Bucket="twilio-xml")
    assert left["KeyCount"] == 0


@pytest.mark.parametrize("as_json", [False, True])
def test_a_simulation_passes(tmp_path: Path, monkeypatch, capfd, as_json):
    """In this process; each group is named once, in order."""
    with clean_environment():
        monkeypatch.setenv("DATA_DIR", str(tmp_path))
        monkeypatch.setattr("settings.settings.ENV_FILE", None)
        monkeypatch.setitem(Settings.model_config, "env_file", None)
        assert main(["doctor", "--json"] if as_json else ["doctor"]) == 0
    said = capfd.readouterr().out
    groups = list(map(str, Group))
    if as_json:
        found = [json.loads(each)["group"] for each in said.splitlines()]
        assert [each for each in groups if each in found] == list(dict.fromkeys(found))
    else:
        assert [each for each in said.splitlines() if each in groups] == groups
        assert "  ok    The simulator stands in for Twilio: nobody's phone rings.\n" in said
        assert "            TWILIO_ACCOUNT_SID=AC…\n" in said


async def test_checks_are_in_the_order_of_work_and_have_names_of_their_own(tmp_path: Path):
    async with simulated_desk(tmp_path) as desk:
        checks = checks_of(settings_with(), desk)
    names = [each.name for each in checks]
    assert len(set(names)) == len(names)
    order = [list(Group).index(each.group) for each in checks]
    assert order == sorted(order)
    assert all(each.seconds <= 60 and each.title for each in checks)


PROXY_TROUBLE = [
    ("ALL_PROXY", "socks://user:hunter2@127.0.0.1:1"),
    ("SSL_CERT_FILE", "/nowhere/ca.pem"),
]


@pytest.mark.parametrize(("name", "value"), PROXY_TROUBLE)
def test_an_environment_that_lets_nothing_out(tmp_path: Path, name: str, value: str):
    """The doctor names what sending would name, for Twilio and for what it reads itself."""
    values = {
        "TWILIO_BASE_URL": "http://127.0.0.2:9",
        "PUBLIC_URL": "http://127.0.0.2:9",
    }
    customer = build_project_folder(tmp_path, ACCOUNT | values, TOKEN, "hunter2")
    ended = customer.alerts("doctor", "--json", **{name: value})
    assert (ended.returncode, ended.stderr) == (1, "")
    seen = {each["check"]: each["seen"] for each in map(json.loads, ended.stdout.splitlines())}
    for check in ("account", "storage", "callbacks"):
        assert f"({name} " in seen[check]
