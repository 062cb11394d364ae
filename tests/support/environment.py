"""An environment without the developer's own settings, and `.env` files for tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settings import Settings

PREFIXES = ("TWILIO_", "S3_", "AWS_", "FTP_", "SOURCE_")
NAMES = {name.upper() for name in Settings.model_fields}

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
KEY_SID = "SK" + "0123456789abcdef" * 2
TOKEN = "token-that-must-stay-secret"
FROM = "+14155550100"
ACCOUNT = {
    "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
    "TWILIO_AUTH_TOKEN": TOKEN,
    "TWILIO_FROM_NUMBER": FROM,
}


@contextmanager
def clean_environment() -> Iterator[None]:
    """Remove every setting from the environment inside the block, and restore it afterward."""
    before = dict(os.environ)
    for name in before:
        if name.upper() in NAMES | {"STATE_DIRECTORY"} or name.upper().startswith(PREFIXES):
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def write_env(folder: Path, values: dict[str, str]) -> Path:
    """Write a `.env` with these values, and return its path."""
    env_file = folder / ".env"
    env_file.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))
    return env_file
