"""`python -m alerts users`: who can sign in, from the shell."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest

from access.users import UsersFile
from alerts import Desk
from alerts.services import Mode
from cli.main import main
from settings import Settings
from tests.support.signing_in import MAYA, PASSWORD, open_database, sign_in_on, signed_in, users_in


class Typed(io.StringIO):
    """Standard input."""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("USERS_FILE", str(tmp_path / "users"))
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", database_in(tmp_path))
    return tmp_path / "users"


def database_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'callboard.sqlite'}"


def users(monkeypatch: pytest.MonkeyPatch, *arguments: str, typed: str = "") -> int:
    monkeypatch.setattr("sys.stdin", Typed(typed))
    return main(["users", *arguments])


def test_adding(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert users(monkeypatch, "list") == 0
    assert users(monkeypatch, "add", MAYA, typed=f"{PASSWORD}\nmore\n") == 0
    assert users(monkeypatch, "add", MAYA, typed=f"{PASSWORD}\n") == 2
    assert users(monkeypatch, "add", "ben", typed="\n") == 2
    assert users(monkeypatch, "list", "--json") == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "There are no users yet.",
        f"{MAYA} can sign in.",
        json.dumps({"name": MAYA}),
    ]
    assert "already" in said.err
    assert "too short" in said.err
    assert PASSWORD not in said.out + said.err


def test_at_a_terminal_it_asks_twice(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(Typed, "isatty", lambda _: True)
    answers = iter([PASSWORD, "another password", PASSWORD, PASSWORD])
    monkeypatch.setattr("getpass.getpass", lambda _: next(answers))
    assert users(monkeypatch, "add", MAYA) == 2
    assert "two different passwords" in capsys.readouterr().err
    assert not path.exists()
    assert users(monkeypatch, "add", MAYA) == 0
    assert UsersFile(path).find(MAYA) is not None


@pytest.mark.parametrize("action", ["remove", "password", "sign-out"])
async def test_what_signs_a_user_out(
    path: Path, tmp_path: Path, action: str, monkeypatch: pytest.MonkeyPatch
):
    file = users_in(tmp_path, MAYA, "ben")
    async with open_database(database_in(tmp_path)) as database:
        here = sign_in_on(database, file)
        maya, ben = await signed_in(here), await signed_in(here, "ben")
        typed = "another password"
        # In a thread, because `main` starts an event loop of its own.
        status = await asyncio.to_thread(users, monkeypatch, action, "maya ortiz", typed=typed)
        assert status == 0
        assert await here.ended([maya, ben]) == {maya}
    assert (file.find(MAYA) is None) == (action == "remove")


def test_a_new_password_for_a_user_added_meanwhile_removes_no_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    users(monkeypatch, "add", MAYA, typed=PASSWORD)
    with monkeypatch.context() as patch:
        patch.setattr(UsersFile, "find", lambda *_: None)
        assert users(monkeypatch, "password", MAYA, typed=PASSWORD) == 2
    assert f"There is no user {MAYA}." in capsys.readouterr().err
    assert UsersFile(path).find(MAYA) is not None


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (0, f"'{MAYA}' wasn't signed in anywhere."),
        (1, f"Signed '{MAYA}' out of 1 browser."),
        (2, f"Signed '{MAYA}' out of 2 browsers."),
    ],
)
async def test_signing_out_says_of_how_many_browsers(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    times: int,
    words: str,
):
    async with open_database(database_in(path.parent)) as database:
        here = sign_in_on(database, users_in(path.parent, MAYA))
        for _ in range(times):
            await signed_in(here)
        assert await asyncio.to_thread(users, monkeypatch, "sign-out", MAYA) == 0
    assert capsys.readouterr().out == f"{words}\n"


def test_the_database_is_opened_once(path: Path, monkeypatch: pytest.MonkeyPatch):
    opened = []
    from_settings = Desk.from_settings

    def counted(settings: Settings, mode: Mode) -> Desk:
        opened.append(mode)
        return from_settings(settings, mode)

    users(monkeypatch, "add", MAYA, typed=PASSWORD)
    monkeypatch.setattr(Desk, "from_settings", counted)
    for action in ("password", "sign-out", "remove"):
        assert users(monkeypatch, action, MAYA, typed=PASSWORD) == 0
    assert opened == ["observer"] * 3


def test_json(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    users(monkeypatch, "add", MAYA, "--json", typed=PASSWORD)
    users(monkeypatch, "sign-out", MAYA, "--json")
    users(monkeypatch, "remove", "nobody", "--json")
    added, signed_out, refused = map(json.loads, capsys.readouterr().out.splitlines())
    assert added == {"name": MAYA}
    assert signed_out == {"name": MAYA, "signed_out": 0}
    assert refused["error"]["message"].startswith("There is no user nobody.")


def test_without_the_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delenv("USERS_FILE", raising=False)
    assert users(monkeypatch, "list") == 2
    assert capsys.readouterr().err == (
        "USERS_FILE is not set: set it to a file that will hold the users.\n"
    )
