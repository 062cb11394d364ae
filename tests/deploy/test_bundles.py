"""What goes to Posit Connect and into an image: what the app is made of, and no secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.project_folder import FILES, ROOMS
from tests.support.running_app import PROJECT, bare_environment, copy_of_the_project

NEEDED = {*ROOMS, *FILES, "requirements.txt"}
SECRETS = (".env", "data/callboard.sqlite", "my people.csv", "access/.env", ".venv/pyvenv.cfg")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in use: with settings, a history, and a list of people."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("in-use"))
    for name in SECRETS:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("secret")
    return folder


def make(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=project,
        env=bare_environment(TWILIO_AUTH_TOKEN="hush"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["dashboard", "callbacks"])
def test_what_is_bundled(project: Path, name: str):
    bundle = project / "build" / name
    for again in (False, True):
        if again:  # what rsconnect noted stays, and what a version no longer has goes
            (bundle / "rsconnect-python").mkdir()
            (bundle / "old.py").write_text("")
        ended = make(project, f"build/{name}.bundle")
        assert (ended.returncode, ended.stderr) == (0, "")
        found = {each.name for each in bundle.iterdir()} - {"rsconnect-python"}
        assert found == NEEDED | {"pyproject.toml"}
    assert (bundle / "rsconnect-python").is_dir()
    files = [each for each in bundle.rglob("*") if each.is_file()]
    assert [each for each in files if each.read_bytes()[:7].decode("latin-1") == "secret"] == []
    assert [each for each in files if "__pycache__" in each.parts] == []


def test_how_it_is_deployed(project: Path):
    """Each content has a folder of its own: rsconnect notes there which content it is."""
    for target, entry in (("deploy", "app:app"), ("deploy-callbacks", "callbacks_app:app")):
        shown = make(
            project, "-n", target, "NAME=mine", "VARS=TWILIO_AUTH_TOKEN DATABASE_URL"
        ).stdout
        [command] = [line for line in shown.replace("\\\n", "").splitlines() if " deploy " in line]
        assert f"--entrypoint {entry}" in command
        assert '--name "mine" -E TWILIO_AUTH_TOKEN -E DATABASE_URL' in command
        folder = "dashboard" if target == "deploy" else "callbacks"
        assert command.endswith(f"build/{folder}")
        assert "hush" not in shown


def test_which_server_has_to_be_said(project: Path):
    ended = make(project, "deploy")
    assert ended.returncode != 0
    assert "Say which server: make deploy NAME=mine" in ended.stderr


def test_what_goes_into_an_image():
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule.removeprefix("!").rstrip("/") for rule in rules if rule.startswith("!")}
    assert allowed == NEEDED
    # Below the allowed folders too.
    assert {"**/__pycache__/", "**/.env"} <= set(rules[1:])


def test_the_image_runs_what_the_unit_runs():
    text = (PROJECT / "deploy/Containerfile").read_text(encoding="utf-8")
    unit = (PROJECT / "deploy/callboard.service").read_text(encoding="utf-8")
    [command] = re.findall(r"^CMD \[(.*)\]$", text, re.MULTILINE)
    image = [each.strip('"') for each in command.split(", ")]
    [line] = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert image[3:] == line.replace("127.0.0.1", "0.0.0.0").split()[1:]  # noqa: S104
    # The last user isn't root, and its data are on a volume.
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] == "10001"
    [volume] = re.findall(r"^VOLUME (.*)$", text, re.MULTILINE)
    assert f"DATA_DIR={volume} " in text
