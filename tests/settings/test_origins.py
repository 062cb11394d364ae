"""ALLOWED_ORIGINS and PUBLIC_URL: the origins at which people may open the pages."""

from __future__ import annotations

import pytest

from settings import Settings, SettingsError
from tests.support.environment import clean_environment


@pytest.fixture(autouse=True)
def environment():
    with clean_environment():
        yield


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.mark.parametrize(
    ("written", "origins"),
    [
        ("", ()),
        ("https://calls.example.com", ("https://calls.example.com",)),
        ("HTTPS://Calls.Example.com:443/", ("https://calls.example.com",)),
        (
            "http://a.example:80, http://b.example:8080",
            ("http://a.example", "http://b.example:8080"),
        ),
        ("http://[::1]:8000", ("http://[::1]:8000",)),
    ],
)
def test_as_browsers_write_them(written: str, origins: tuple[str, ...]):
    assert settings(allowed_origins=written).page_origins == origins


def test_the_public_url_is_one_too():
    public = {"public_url": "https://calls.example.com/team", "allowed_origins": "http://lan:8000"}
    assert settings(**public).page_origins == ("https://calls.example.com", "http://lan:8000")


@pytest.mark.parametrize(
    "written",
    [
        "calls.example.com",
        "*",
        "null",
        "https://*.example.com",
        "https://calls.example.com/team",
        "https://calls.example.com?a=b",
        "ftp://calls.example.com",
        "https://",
        "https://calls.example.com:port",
        "https://[::1",
    ],
)
def test_what_is_no_origin(written: str):
    with pytest.raises(SettingsError, match=r"ALLOWED_ORIGINS contains .* which is not an origin"):
        settings(allowed_origins=written)


def test_a_password_is_not_repeated():
    with pytest.raises(SettingsError) as refusal:
        settings(allowed_origins="https://ann:hush@calls.example.com")
    assert "ALLOWED_ORIGINS" in str(refusal.value)
    assert "hush" not in str(refusal.value)
