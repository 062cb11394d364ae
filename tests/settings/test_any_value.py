"""Any text as any setting: refused in a sentence that names a setting, or the app starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr

from alerts import Desk
from dashboard.sign_in import Access
from settings import Settings, SettingsError
from tests.support.environment import ACCOUNT, TOKEN, clean_environment

NAMES = sorted(Settings.model_fields)
TEXTS = [
    "x",
    "0",
    "-1",
    "nan",
    "1e999",
    "9" * 5_000,
    "x" * 5_000,
    "a/" * 3_000,
    "a\0b",
    "a\udcffb",
    "\x1b[31mred",
    "a\r\nX: y",
    "\u202eabc",
    "💩",
    "²",
    "١٢٣",
    "ＵＳ",
    "../../../proc/x",
    "/proc/self/mem",
    "~nosuchuser/x/y",
    "${HOME}",
    "<script>x()</script>",
    "' OR 1=1 --",
    "null",
    "https://[::1",
    "https://ann:a-password@host",
    "https://host:99999",
    "javascript:alert(1)",
    "ftp://ann:a-password@h:x/",
    "sqlite:////proc/x/y",
    "postgresql://ann:a-password@h:99999999/db",
    "postgresql://ann:a-pass%zzword@h/%ff?sslmode=bogus",
    "10.0.0.0/99",
    "X-Header: y",
]
# What only some of them refuse, and none that is secret repeats.
HUSH = "hush hush hush hush"
SECRETS = [name for name in NAMES if "SecretStr" in str(Settings.model_fields[name].annotation)]


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in the place of the project's, because folders are made below it."""
    folder = tmp_path_factory.mktemp("project")
    with clean_environment(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("settings.values.HERE", folder)
        yield folder


def mistake(folder: Path, name: str, text: str) -> str:
    """What is wrong with how a setting was taken or refused; "" if nothing is."""
    values = {key.lower(): value for key, value in ACCOUNT.items()}
    values |= {"data_dir": str(folder / "data"), name: text}
    try:
        taken = Settings(_env_file=None, **values)
        desk = Desk.from_settings(taken)
        Access.from_settings(taken, desk)
    except SettingsError as refusal:
        sentence = str(refusal)
    else:
        value = getattr(taken, name)
        shown = f"{taken!r} {desk.services!r}"
        hidden = [value.get_secret_value()] if isinstance(value, SecretStr) else []
        return "shown" if any(len(each) > 8 and each in shown for each in hidden) else ""
    is_named = any(each.upper() in sentence for each in NAMES)
    if not is_named or not sentence.endswith(".") or not sentence.isprintable():
        return f"no sentence: {sentence}"
    return "shown" if any(secret in sentence for secret in ("a-pass", HUSH, TOKEN)) else ""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_setting_and_every_odd_text(elsewhere: Path, name: str):
    texts = [*TEXTS, HUSH] if name in SECRETS else TEXTS
    mistakes = {text[:50]: mistake(elsewhere, name, text) for text in texts}
    assert {text: found for text, found in mistakes.items() if found} == {}


@pytest.mark.slow
@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    # A folder may have any name, so that is left to the table.
    name=st.sampled_from([name for name in NAMES if name != "data_dir"]),
    text=st.text(max_size=80) | st.from_regex(r"(https?|ftp|postgresql|sqlite)://?[!-~]{0,40}"),
)
@example(name="users_file", text="x" * 300)
def test_any_text(elsewhere: Path, name: str, text: str):
    assert mistake(elsewhere, name, text) == ""
