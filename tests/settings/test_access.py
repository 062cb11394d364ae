"""Who may use the pages: what each setting takes, and which contradict each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from settings import HERE, Settings, SettingsError

PASSWORD = "correct horse battery"


def test_what_they_are_unless_set():
    given = Settings(_env_file=None)
    assert (given.users_file, given.dashboard_password, given.identity_header) == (None,) * 3
    assert (given.senders, given.rule_writers, given.admins) == (None,) * 3
    assert (given.trusted_proxies, given.allow_anonymous) == ((), False)
    assert given.sign_in_idle_hours == 12


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name, value in {
        "USERS_FILE": f" {tmp_path / 'users'} ",
        "SENDERS": "Maya Ortiz, ben,\nbrewers,",
        "ADMINS": ",",
        "RULE_WRITERS": "  ",
        "ALLOW_ANONYMOUS": "0",
        "SIGN_IN_IDLE_HOURS": "0.5",
    }.items():
        monkeypatch.setenv(name, value)
    given = Settings(_env_file=None)
    assert given.users_file == tmp_path / "users"
    assert given.senders == ("Maya Ortiz", "ben", "brewers")
    assert (given.admins, given.rule_writers) == ((), None)
    assert (given.allow_anonymous, given.sign_in_idle_hours) == (False, 0.5)


def test_a_users_file_beside_the_app():
    assert Settings(_env_file=None, users_file="users").users_file == HERE / "users"


def test_a_proxy():
    given = Settings(
        _env_file=None, identity_header="X-Forwarded-User", trusted_proxies="127.0.0.1 10.0.0.0/24"
    )
    assert given.trusted_proxies == ("127.0.0.1", "10.0.0.0/24")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"users_file": "/nowhere/users"}, "USERS_FILE is '/nowhere/users', which isn't a file"),
        ({"users_file": "tests"}, "USERS_FILE is 'tests', which isn't a file"),
        ({"users_file": "a\0b"}, "USERS_FILE is"),
        ({"dashboard_password": "hunter2"}, "DASHBOARD_PASSWORD must have 8 characters or more."),
        ({"identity_header": "X User"}, "IDENTITY_HEADER must be the name of a header"),
        ({"identity_header": "X-User:"}, "IDENTITY_HEADER must be the name of a header"),
        ({"identity_header": "X-User"}, "IDENTITY_HEADER is set but TRUSTED_PROXIES is not"),
        ({"trusted_proxies": "10.0.0.1"}, "TRUSTED_PROXIES is set but IDENTITY_HEADER is not."),
        ({"trusted_proxies": "proxy.local"}, "TRUSTED_PROXIES contains 'proxy.local'"),
        ({"trusted_proxies": "10.0.0.1/8"}, "TRUSTED_PROXIES contains '10.0.0.1/8'"),
        ({"trusted_proxies": "*"}, "TRUSTED_PROXIES contains '*'"),
        ({"sign_in_idle_hours": 0}, "SIGN_IN_IDLE_HOURS should be greater than 0."),
        ({"allow_anonymous": "maybe"}, "ALLOW_ANONYMOUS should be a valid boolean"),
        (
            {"users_file": "users", "dashboard_password": PASSWORD},
            "USERS_FILE and DASHBOARD_PASSWORD are set: choose one",
        ),
        ({"dashboard_password": PASSWORD, "senders": "x"}, "SENDERS is set but with DASHBOARD"),
        ({"dashboard_password": PASSWORD, "admins": ","}, "ADMINS is set but with DASHBOARD"),
        (
            {"allow_anonymous": "1", "users_file": "users"},
            "ALLOW_ANONYMOUS is set, and so is USERS",
        ),
        ({"allow_anonymous": "1", "rule_writers": "x"}, "ALLOW_ANONYMOUS is set, and so is RULE"),
    ],
)
def test_refusals(given: dict[str, Any], sentence: str):
    with pytest.raises(SettingsError) as refused:
        Settings(_env_file=None, **given)
    assert str(refused.value).startswith(sentence)
    assert len(str(refused.value).splitlines()) == 1
    for secret in (PASSWORD, "hunter2"):
        assert secret not in str(refused.value)


def test_the_password_is_masked():
    assert PASSWORD not in repr(Settings(_env_file=None, dashboard_password=PASSWORD))
