"""The kinds of values that settings have: each checks what was written and may normalize it.

A sentence that refuses a value goes on after the setting's name: "must be a number in E.164 form".
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

# The folder of app.py. Relative paths start here, and not in the folder that the process was
# started in, which differs between processes.
HERE = Path(__file__).parents[1]

FEWEST_PASSWORD_CHARACTERS = 8
MOST_REPEATED_CHARACTERS = 100


def default_data_dir() -> Path:
    """Return the folder that systemd made for the service (`StateDirectory=`), else `data/` here.

    https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#RuntimeDirectory=
    """
    # A service may have several folders, separated by colons.
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0].strip()
    return Path(folder) if folder else HERE / "data"


def origin_of(url: str) -> str:
    """Return the origin of an address. https://html.spec.whatwg.org/multipage/browsers.html#origin

    As browsers write it: scheme, host, and a port if it isn't the scheme's own.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    is_usual = parts.port in {None, {"http": 80, "https": 443}.get(parts.scheme)}
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{parts.port}")


# --- Checks -----------------------------------------------------------------------------------


def _sid(prefix: str) -> Callable[[str], str]:
    def check(sid: str) -> str:
        if not re.fullmatch(prefix + r"[0-9A-Za-z]+", sid):
            raise ValueError(f"must start with {prefix} and contain only letters and digits")
        return sid

    return check


def _e164(number: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
        raise ValueError("must be a number in E.164 form, such as +14155550100")
    return number


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port  # Python parses the port only here.
    except ValueError:
        raise ValueError("must be an address such as https://example.com") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address that starts with http:// or https://")
    if not re.fullmatch(r"[\w.:-]+", parts.hostname) or re.search(r"\s", url):
        raise ValueError("must be an address such as https://example.com")
    if parts.query or parts.fragment:
        raise ValueError("must be an address without a ? or # part")
    if parts.username is not None:
        raise ValueError("must be an address without a user name or password")
    return url.rstrip("/")


def _fetched_address(url: str) -> str:
    address = _web_address(url)
    if "_" in (urlsplit(address).hostname or ""):
        raise ValueError("has an underscore in its host name, which Twilio refuses")
    return address


def _no_address(name: str) -> str:
    if "@" in name:
        raise ValueError("must be a name, not an address with a user and password")
    return name


def _ftp_address(url: SecretStr) -> SecretStr:
    sentence = "must look like ftp://user:password@host/folder (or ftps://)"
    try:
        parts = urlsplit(url.get_secret_value())
    except ValueError:
        # Python's own message may quote the password.
        raise ValueError(sentence) from None
    if parts.scheme not in {"ftp", "ftps"} or not parts.hostname:
        raise ValueError(sentence)
    return url


def _database_url(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError("must start with sqlite:/// or postgresql://")
    return url


def _metrics_token(token: SecretStr) -> SecretStr:
    # RFC 6750 allows few other characters, and some proxies drop what isn't ASCII.
    if not re.fullmatch(r"[\x21-\x7e]{16,}", token.get_secret_value()):
        raise ValueError(
            "must be 16 characters or more, without spaces, such as `openssl rand -hex 16` prints"
        )
    return token


def _password(password: SecretStr) -> SecretStr:
    if len(password.get_secret_value()) < FEWEST_PASSWORD_CHARACTERS:
        raise ValueError(f"must have {FEWEST_PASSWORD_CHARACTERS} characters or more")
    return password


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        raise ValueError("must be the name of a header, such as X-Forwarded-User")
    return name


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as America/New_York") from None
    return name


def _path(written: str | Path) -> Path:
    # Not `Path.expanduser`, which raises if there is no home.
    return HERE / os.path.expanduser(written)


def _data_folder(folder: str | Path) -> Path:
    # SQLAlchemy would take a ? for the end of the path of the history.
    if "?" in str(folder) or "\0" in str(folder):
        raise ValueError("must be a folder whose path has no ? in it")
    return _path(folder)


def _sources_file(file: str | Path) -> Path:
    path = _path(file)
    # The default file may be missing: then there are just uploads. Not `Path.is_file`, which raises
    # if the path is too long or isn't accessible.
    if "\0" in str(file) or (path != HERE / "sources.toml" and not os.path.isfile(path)):
        raise ValueError(f"is {_repeated(file)}, which isn't a file")
    return path


def _users_file(file: str | Path) -> Path:
    # It may not be there yet: `users add` makes it.
    path = _path(file)
    if "\0" in str(file) or os.path.isdir(path) or not os.path.isdir(path.parent):
        raise ValueError(f"is {_repeated(file)}, which isn't a file in an existing folder")
    return path


def _region(region: str) -> str:
    if region.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(
            f"contains {_repeated(region)}, which is not a two-letter country code such as US"
        )
    return region.upper()


def _network(name: str) -> str:
    try:
        ipaddress.ip_network(name)
    except ValueError:
        raise ValueError(
            f"contains {_repeated(name)}, which is not an address such as 127.0.0.1 or 10.0.0.0/24"
        ) from None
    return name


def _origin(name: str) -> str:
    sentence = (
        f"contains {_repeated(name)}, which is not an origin such as https://calls.example.com"
    )
    try:
        parts = urlsplit(name)
        origin = origin_of(name)
    except ValueError:
        raise ValueError(sentence) from None
    if "@" in parts.netloc:
        raise ValueError("must be origins without a user name or password")
    is_whole = parts.scheme in {"http", "https"} and re.fullmatch(r"[\w.:-]+", parts.hostname or "")
    if not is_whole or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(sentence)
    return origin


def _name(name: str) -> str:
    return name.strip()


def _list_of(check: Callable[[str], str], between: str) -> Callable[[object], tuple[str, ...]]:
    """Return a function that splits a text at `between`, a pattern, and checks each part."""

    def read(written: object) -> tuple[str, ...]:
        parts = re.split(between, written) if isinstance(written, str) else written
        if not isinstance(parts, tuple | list):
            raise ValueError("must be a list")
        return tuple(check(part) for part in parts if part.strip())

    return read


def _repeated(value: object) -> str:
    """Return what was written for use in a sentence: short, and without what may be a secret."""
    text = str(value)
    if "@" in text:
        return "something with an @"  # perhaps the user and password of an address
    return repr(text[:MOST_REPEATED_CHARACTERS]) + "…" * (len(text) > MOST_REPEATED_CHARACTERS)


# --- Kinds ------------------------------------------------------------------------------------
# `NoDecode` because the values aren't JSON.

AccountSid = Annotated[str, AfterValidator(_sid("AC"))]
ApiKeySid = Annotated[str, AfterValidator(_sid("SK"))]
MessagingServiceSid = Annotated[str, AfterValidator(_sid("MG"))]
E164Number = Annotated[str, AfterValidator(_e164)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
# An address that Twilio fetches from.
FetchedAddress = Annotated[str, AfterValidator(_fetched_address)]
# `storage` checks the rest, and quotes what it refuses.
StorageName = Annotated[str, AfterValidator(_no_address)]
FtpAddress = Annotated[SecretStr, AfterValidator(_ftp_address)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
MetricsToken = Annotated[SecretStr, AfterValidator(_metrics_token)]
Password = Annotated[SecretStr, AfterValidator(_password)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
DataFolder = Annotated[Path, BeforeValidator(_data_folder)]
SourcesFile = Annotated[Path, BeforeValidator(_sources_file)]
UsersFile = Annotated[Path, BeforeValidator(_users_file)]
Region = Annotated[str, AfterValidator(_region)]
Regions = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list_of(_region, r"[,\s]+"))]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list_of(_network, r"[,\s]+"))]
Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list_of(_origin, r"[,\s]+"))]
# Names of people may have spaces in them.
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list_of(_name, r"[,\n]"))]
