"""An unknown name or id: one sentence and exit status 2, from every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.main import main

NO_RULE = "There is no rule called ghost. There is none yet."
NO_USER = "There is no user ghost. `users list` shows who there is."
NO_ALERT = "No alert or broadcast has the id ghost."
UNKNOWN = [
    (["status", "ghost"], NO_ALERT),
    (["cancel", "ghost"], NO_ALERT),
    (["status", ""], "Give the id of an alert or a broadcast, as it was printed."),
    (["status", "a\nb"], r"No alert or broadcast has the id a\nb."),
    (["status", "x" * 5000], f"No alert or broadcast has the id {'x' * 59}…."),
    (["rules", "run", "ghost"], NO_RULE),
    (["rules", "run", "ghost", "--dry-run"], NO_RULE),
    (["rules", "on", "ghost"], NO_RULE),
    (["rules", "off", "ghost"], NO_RULE),
    (["rules", "check", "ghost"], NO_RULE),
    (["rules", "off", " "], "There is no rule without a name. There is none yet."),
    (["users", "remove", "ghost"], NO_USER),
    (["users", "password", "ghost"], NO_USER),
    (["users", "remove", " "], "There is no user of this name. `users list` shows who there is."),
    (["users", "sign-out", "ghost"], "Nobody is signed in as ghost, and there is no such user."),
    (["people", "list", "--group", "ghost"], "There is no group called ghost. There is none yet."),
    (["call", "ghost", "Hello"], "Nobody called ghost."),
    (["text", "ghost", "412 555 0101", "Hello"], "ghost: Nobody called ghost."),
    (["rules", "load", "ghost"], "ghost can't be read: No such file or directory."),
    (["people", "import", "ghost"], "ghost can't be read: No such file or directory."),
    (
        ["broadcast", "ghost", "Hello", "--to", "x"],
        "ghost can't be read: No such file or directory.",
    ),
]
TEXTS = [["status"], ["cancel"], ["rules", "run"], ["rules", "check"], ["users", "sign-out"],
         ["people", "list"], ["people", "list", "--group"], ["list", "--by"], ["list", "--text"],
         ["audit", "--by"], ["audit", "--text"], ["text", "412 555 0101"]]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database for all, which stays as it is."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(autouse=True)
def environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(folder))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{folder / 'callboard.sqlite'}")
    monkeypatch.setenv("USERS_FILE", str(folder / "users"))


@pytest.mark.parametrize(("arguments", "sentence"), UNKNOWN)
def test_it_is_said(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"{sentence}\n"


@pytest.mark.parametrize("arguments", TEXTS)
def test_what_is_no_text_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # As Python reads a byte that isn't UTF-8.
    assert main([*arguments, "\udcff"]) == 2
    assert capsys.readouterr().err == "An argument isn't UTF-8 text: type it again.\n"


def test_nothing_of_that_is_in_the_trail(capsys: pytest.CaptureFixture[str]) -> None:
    main(["users", "sign-out", "ghost"])
    capsys.readouterr()
    assert main(["audit"]) == 0
    assert "ghost" not in capsys.readouterr().out
