"""Every wrong setting is reported in one sentence that names it."""

from __future__ import annotations

import os
from pwd import getpwnam

import pytest

from alerts import Desk
from settings import Settings, SettingsError
from tests.support.environment import ACCOUNT, ACCOUNT_SID, KEY_SID, clean_environment, write_env


@pytest.fixture(autouse=True)
def environment():
    with clean_environment():
        yield


def complaint(folder, values: dict[str, str]) -> str:
    """Return the sentence that refuses `values` when a desk is built from them."""
    with pytest.raises(SettingsError) as refusal:
        Desk.from_settings(Settings(_env_file=write_env(folder, values)))
    sentence = str(refusal.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "pydantic" not in sentence
    return sentence


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in ACCOUNT.items() if key != name}


FTP_URL = "ftp://ann:pw@ftp.example.com/xml"


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (without("TWILIO_AUTH_TOKEN"), ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]),
        (without("TWILIO_ACCOUNT_SID"), ["TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID"]),
        (without("TWILIO_FROM_NUMBER"), ["TWILIO_FROM_NUMBER"]),
        (ACCOUNT | {"TWILIO_API_KEY_SID": KEY_SID}, ["TWILIO_API_KEY_SECRET"]),
        (ACCOUNT | {"TWILIO_API_KEY_SECRET": "hush"}, ["TWILIO_API_KEY_SID"]),
        (
            {"TWILIO_API_KEY_SID": KEY_SID, "TWILIO_API_KEY_SECRET": "hush"},
            ["TWILIO_API_KEY_SID", "TWILIO_ACCOUNT_SID"],
        ),
        ({"TWILIO_BASE_URL": "http://localhost:4010"}, ["TWILIO_BASE_URL", "TWILIO_ACCOUNT_SID"]),
        (
            without("TWILIO_AUTH_TOKEN")
            | {"TWILIO_API_KEY_SID": KEY_SID, "TWILIO_API_KEY_SECRET": "hush"}
            | {"PUBLIC_URL": "https://example.com"},
            ["PUBLIC_URL", "TWILIO_AUTH_TOKEN"],
        ),
        ({"STORAGE": "s3"}, ["STORAGE", "S3_BUCKET"]),
        ({"STORAGE": "ftp", "FTP_PUBLIC_BASE_URL": "http://example.com"}, ["STORAGE", "FTP_URL"]),
        ({"STORAGE": "ftp", "FTP_URL": FTP_URL}, ["STORAGE", "FTP_PUBLIC_BASE_URL"]),
        (ACCOUNT | {"STORAGE": "local"}, ["STORAGE", "PUBLIC_URL"]),
        ({"FTP_URL": FTP_URL}, ["FTP_URL", "STORAGE=ftp"]),
    ],
)
def test_contradictions(tmp_path, values, names):
    sentence = complaint(tmp_path, values)
    assert [name for name in names if name not in sentence] == []


MALFORMED = [
    ("METRICS_TOKEN", "short"),
    ("METRICS_TOKEN", "with spaces in the token"),
    ("METRICS_TOKEN", "schlüssel-schlüssel"),
    ("TWILIO_ACCOUNT_SID", "SK" + ACCOUNT_SID[2:]),
    ("TWILIO_ACCOUNT_SID", "AC"),
    ("TWILIO_ACCOUNT_SID", ACCOUNT_SID + "/.."),
    ("TWILIO_API_KEY_SID", ACCOUNT_SID),
    ("TWILIO_MESSAGING_SERVICE_SID", "MG-1"),
    ("TWILIO_FROM_NUMBER", "4155550100"),
    ("TWILIO_FROM_NUMBER", "+1 415 555 0100"),
    ("TWILIO_BASE_URL", "api.twilio.com"),
    ("TWILIO_BASE_URL", "https://ann:pw@api.twilio.com"),
    ("TWILIO_CALLS_PER_SECOND", "fast"),
    ("TWILIO_CALLS_PER_SECOND", "0"),
    ("TWILIO_CALLS_PER_SECOND", "nan"),
    ("ALERTS_PER_PERSON_PER_HOUR", "0"),
    ("ALERTS_PER_PERSON_PER_HOUR", "many"),
    ("DAILY_SPEND_LIMIT", "0"),
    ("DAILY_SPEND_LIMIT", "-5"),
    ("DAILY_SPEND_LIMIT", "nan"),
    ("DAILY_SPEND_LIMIT", "50 USD"),
    ("TWILIO_TEXTS_PER_SECOND", "-1"),
    ("TWILIO_TEXTS_PER_SECOND", "inf"),
    ("STORAGE", "disk"),
    ("S3_BUCKET", "has space"),
    ("S3_BUCKET", "x"),
    ("S3_PREFIX", "every*thing"),
    ("S3_PUBLIC_BASE_URL", "ftp://cdn.example.com"),
    ("S3_EXPIRE_DAYS", "0"),
    ("S3_EXPIRE_DAYS", "a week"),
    ("FTP_URL", "http://ftp.example.com"),
    ("FTP_URL", "ftp://[ftp.example.com/"),
    ("FTP_URL", "ftp://ann:slash/inside@ftp.example.com/"),
    ("FTP_PUBLIC_BASE_URL", "example.com"),
    ("PUBLIC_URL", "callboard.example.com"),
    ("PUBLIC_URL", "https://call_board.example.com"),
    ("PUBLIC_URL", "https://example.com/?page=1"),
    ("PUBLIC_URL", "https://example.com/#top"),
    ("PUBLIC_URL", "https://[example.com"),
    ("PUBLIC_URL", "https://example.com:99999"),
    ("PUBLIC_URL", "https://exam ple.com"),
    ("DATABASE_URL", "mysql://ann:pw@example.com/calls"),
    ("DATA_DIR", "/srv/what?"),
    ("TIME_ZONE", "Nowhere/Land"),
    ("TIME_ZONE", "../etc/passwd"),
    ("TIME_ZONE", "x" * 999),
    ("DEFAULT_REGION", "USA"),
    ("ALLOWED_REGIONS", "US, Narnia"),
]
ALONGSIDE = {
    "S3_PREFIX": {"S3_BUCKET": "twilio-xml"},
    "FTP_URL": {"STORAGE": "ftp", "FTP_PUBLIC_BASE_URL": "http://example.com"},
    "TWILIO_BASE_URL": ACCOUNT,
}


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_malformed(tmp_path, name, value):
    sentence = complaint(tmp_path, ALONGSIDE.get(name, {}) | {name: value})
    assert name in sentence.partition(" can't be used")[0]


@pytest.mark.parametrize(
    "needed_for",
    [{}, ACCOUNT, ACCOUNT | {"DATABASE_URL": "postgres://u@h/db", "PUBLIC_URL": "https://a.b"}],
)
@pytest.mark.parametrize("folder", ["/proc/callboard", "{file}", "{file}/below"])
def test_a_data_folder_that_cannot_be_written_to(tmp_path, needed_for, folder):
    file = tmp_path / "file"
    file.touch()
    values = needed_for | {"DATA_DIR": folder.format(file=file)}
    sentence = complaint(tmp_path, values)
    assert sentence.startswith(f"DATA_DIR is {values['DATA_DIR']}, which can't be used: ")


def test_a_data_folder_of_another_user(tmp_path):
    # First as this user, who can import what it takes: others may not enter the project's folder.
    assert complaint_about("/proc/callboard")
    user = os.geteuid()
    if user == 0:
        os.seteuid(getpwnam("nobody").pw_uid)  # root may write anywhere
    try:
        assert "can't be written to by this user" in complaint_about("/usr")
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("file", ["missing.toml", "/", "/etc/passwd/x", "a\0b"])
def test_a_file_of_sources_that_is_none(file):
    with pytest.raises(SettingsError, match=r"^SOURCES_FILE is .*, which isn't a file\.$"):
        Settings(_env_file=None, sources_file=file)


def test_a_typo_that_looks_like_a_secret_of_a_source(tmp_path):
    with pytest.raises(
        SettingsError, match=r"SOURCE_FILE in \.env is not a setting .*SOURCES_FILE"
    ):
        Settings(_env_file=write_env(tmp_path, {"SOURCE_FILE": "lab.toml"}))


def complaint_about(data_dir: str) -> str:
    with pytest.raises(SettingsError) as refusal:
        Desk.from_settings(Settings(_env_file=None, data_dir=data_dir))
    return str(refusal.value)


def test_a_data_folder_that_is_not_needed_is_not_made(tmp_path):
    values = ACCOUNT | {"DATA_DIR": f"{tmp_path}/a/b", "DATABASE_URL": "postgres://u@h/db"}
    Desk.from_settings(Settings(_env_file=write_env(tmp_path, values)))
    assert not (tmp_path / "a").exists()


def test_an_unknown_name_in_the_file(tmp_path):
    assert complaint(tmp_path, {"COLOR": "red"}) == "COLOR in .env is not a setting of Callboard."


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("TWILIO_ACOUNT_SID", "TWILIO_ACCOUNT_SID"),
        ("twilio_acount_sid", "TWILIO_ACCOUNT_SID"),
        ("S3_BUKET", "S3_BUCKET"),
    ],
)
def test_a_typo_in_the_file(tmp_path, typed, meant):
    sentence = complaint(tmp_path, {typed: ACCOUNT_SID})
    assert sentence == f"{typed} in .env is not a setting of Callboard; did you mean {meant}."


def test_a_secret_that_was_pasted_alone_is_not_repeated(tmp_path):
    secret = "0123456789abcdef0123456789abcdef"
    (tmp_path / ".env").write_text(secret + "\n")
    with pytest.raises(SettingsError) as caught:
        Settings(_env_file=tmp_path / ".env")
    assert "not of the form NAME=value" in str(caught.value)
    assert secret not in str(caught.value)


@pytest.mark.parametrize("name", ["TWILIO_AUTH_TOKN", "S3_BUCKETS", "FTP_PUBLIC_BASEURL"])
def test_a_typo_in_the_environment(monkeypatch, name):
    monkeypatch.setenv(name, "anything")
    with pytest.raises(SettingsError, match=f"^{name} is not a setting.*did you mean"):
        Settings(_env_file=None)


def test_names_of_other_programs_are_left_alone(tmp_path, monkeypatch):
    for name in ("TWILIO_REGION", "S3_ENDPOINT", "FTP_PROXY"):
        monkeypatch.setenv(name, "theirs")
    values = {"AWS_ENDPOINT_URL_S3": "http://localhost:1", "HTTPS_PROXY": ""}
    assert Settings(_env_file=write_env(tmp_path, values)).simulated


@pytest.mark.parametrize("line", ["garbage line", "TWILIO_AUTH_TOKEN='half a quote"])
def test_a_line_that_is_not_of_the_form(tmp_path, line):
    (tmp_path / ".env").write_text(f"STORAGE=local\n{line}\n")
    with pytest.raises(SettingsError, match=r"^\.env can't be read: line 2 is not of the form"):
        Settings(_env_file=tmp_path / ".env")


@pytest.mark.parametrize("junk", [b"\xff\xfeT\x00", b"S3_BUCKET=\xe9t\xe9\n"])
def test_a_file_that_is_no_text(tmp_path, junk):
    (tmp_path / ".env").write_bytes(junk)
    with pytest.raises(SettingsError, match=r"^\.env can't be read: it isn't UTF-8 text\.$"):
        Settings(_env_file=tmp_path / ".env")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path):
    env_file = write_env(tmp_path, {"S3_BUCKET": "one"})
    env_file.chmod(0)
    with pytest.raises(SettingsError, match=r"^\.env can't be read: Permission denied\.$"):
        Settings(_env_file=env_file)
