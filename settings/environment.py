"""Reading settings: the environment and `.env`, unknown names, and variables for libraries."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

# Prefixes of names that other parts read: sources.toml, boto3, proxies, certificates.
LIBRARIES_PREFIXES = (
    "SOURCE_", "AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_",
)  # fmt: skip
OUR_PREFIXES = ("TWILIO_", "S3_", "FTP_")


class SettingsError(ValueError):
    """A setting is unknown, missing, malformed or contradicts another. The text is one sentence."""


class Stripped(PydanticBaseSettingsSource):
    """The values of another source without white space at both ends, and without blank ones."""

    def __init__(
        self, settings_class: type[BaseSettings], source: PydanticBaseSettingsSource
    ) -> None:
        super().__init__(settings_class)
        self._source = source

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return what the other source has."""
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        values = {name: _stripped(value) for name, value in self._source().items()}
        return {name: value for name, value in values.items() if value != ""}


def _stripped(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return SecretStr(value.get_secret_value().strip())
    return value.strip() if isinstance(value, str) else value


def read_env_file(env_file: Path) -> dict[str, str | None]:
    """Return the names and values in `.env`, or nothing if there is no such file.

    Raise `SettingsError` if it can't be read.
    """
    try:
        if not env_file.is_file():
            return {}
        with env_file.open(encoding="utf-8") as lines:
            bad_line = next(
                (each.original.line for each in parse_stream(lines) if each.error), None
            )
        if bad_line is None:
            return dotenv_values(env_file)
        reason = f"line {bad_line} is not of the form NAME=value"
    except (OSError, UnicodeDecodeError) as problem:
        reason = "it isn't UTF-8 text"
        if isinstance(problem, OSError):
            reason = problem.strerror or "no reason given"
    raise SettingsError(f"{env_file.name} can't be read: {reason}.")


def unknown_name(in_file: Collection[str], known: Collection[str]) -> str | None:
    """Return a sentence about a name in `.env` that is no setting, or a typo in the environment.

    `known` are the names of all settings, in capital letters. Return None if no name is wrong.
    """
    for name in in_file:
        # SOURCE_FILE is more likely a mistake for SOURCES_FILE than a secret of a source.
        is_others = name.upper().startswith(LIBRARIES_PREFIXES) and name.upper() != "SOURCE_FILE"
        if name.upper() in known or is_others:
            continue
        if not re.fullmatch(r"[A-Z]+|[A-Za-z0-9]+(_[A-Za-z0-9]+)+", name):
            # It may be a secret that was pasted by itself, so don't repeat it.
            return "A line of .env is not of the form NAME=value, with a setting's name."
        return f"{name} in .env is not a setting of Callboard{_guess(name, known)}."
    for name in os.environ:
        # Other programs use names such as TWILIO_REGION, so complain only about near misses.
        is_like_ours = name.startswith(OUR_PREFIXES) and name.upper() not in known
        if is_like_ours and (near_miss := _guess(name, known)):
            return f"{name} is not a setting of Callboard{near_miss}."
    return None


def _guess(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85)
    return f"; did you mean {close[0]}" if close else ""


def hand_to_libraries(in_file: Mapping[str, str | None]) -> None:
    """Copy libraries' variables from `.env` to the environment, because they read only that.

    A real variable still wins. White space is stripped from the ends of both: an AWS key that was
    pasted with the end of its line is refused by AWS.
    """
    for name, value in (*in_file.items(), *os.environ.items()):
        if name.upper().startswith(LIBRARIES_PREFIXES) and value:
            here = os.environ.get(name, "").strip()
            if here or value.strip():
                os.environ[name] = here or value.strip()
