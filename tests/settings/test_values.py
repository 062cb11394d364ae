"""The settings' values: defaults, `.env`, the environment, and what follows from them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from settings import HERE, Settings
from tests.support.environment import ACCOUNT, clean_environment, write_env

DEFAULTS = {
    "twilio_account_sid": None,
    "twilio_auth_token": None,
    "twilio_api_key_sid": None,
    "twilio_api_key_secret": None,
    "twilio_from_number": None,
    "twilio_messaging_service_sid": None,
    "twilio_base_url": "https://api.twilio.com",
    "twilio_calls_per_second": 1,
    "twilio_texts_per_second": 1,
    "alerts_per_number_per_hour": 20,
    "alerts_per_person_per_hour": 100,
    "daily_spend_limit": None,
    "max_recipients": 50,
    "keep_days": 400,
    "storage": None,
    "s3_bucket": None,
    "s3_prefix": "twiml/",
    "s3_public_base_url": None,
    "s3_expire_days": 7,
    "ftp_url": None,
    "ftp_public_base_url": None,
    "public_url": None,
    "data_dir": HERE / "data",
    "sources_file": HERE / "sources.toml",
    "time_zone": None,
    "default_region": "US",
    "allowed_regions": (),
    "allowed_origins": (),
    "metrics_token": None,
    "users_file": None,
    "dashboard_password": None,
    "identity_header": None,
    "trusted_proxies": (),
    "allow_anonymous": False,
    "sign_in_idle_hours": 12,
    "senders": None,
    "rule_writers": None,
    "admins": None,
}
FTP = {"FTP_URL": "ftp://ann:pw@ftp.example.com/xml", "FTP_PUBLIC_BASE_URL": "http://example.com"}
S3 = {"S3_BUCKET": "twilio-xml"}
PUBLIC = {"PUBLIC_URL": "https://callboard.example.com"}


@pytest.fixture(autouse=True)
def environment():
    with clean_environment():
        yield


def test_defaults():
    settings = Settings(_env_file=None)
    assert settings.model_dump(exclude={"database_url"}) == DEFAULTS
    database = settings.database_url.get_secret_value()
    assert database == f"sqlite:///{HERE / 'data' / 'callboard.sqlite'}"
    assert settings.simulated
    assert settings.regions == ("US",)


def test_no_setting_goes_untested():
    assert set(Settings.model_fields) == {*DEFAULTS, "database_url"}


def test_a_file_is_read_by_its_path(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_env(elsewhere, {"S3_BUCKET": "of-the-working-directory"})
    monkeypatch.chdir(elsewhere)
    settings = Settings(_env_file=write_env(tmp_path, {"S3_BUCKET": "of-the-file"}))
    assert settings.s3_bucket == "of-the-file"


def test_a_file_that_is_missing_is_none(tmp_path):
    assert Settings(_env_file=tmp_path / ".env").simulated


def test_a_real_variable_wins(tmp_path, monkeypatch):
    env_file = write_env(tmp_path, {"S3_BUCKET": "of-the-file", "S3_PREFIX": "of-the-file/"})
    monkeypatch.setenv("S3_BUCKET", "real")
    settings = Settings(_env_file=env_file)
    assert (settings.s3_bucket, settings.s3_prefix) == ("real", "of-the-file/")


def test_blank_is_absent(tmp_path, monkeypatch):
    env_file = write_env(tmp_path, {"TWILIO_AUTH_TOKEN": "", "S3_BUCKET": "kept", "S3_PREFIX": ""})
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "")
    monkeypatch.setenv("S3_BUCKET", "")
    settings = Settings(_env_file=env_file)
    assert settings.simulated
    assert (settings.s3_bucket, settings.s3_prefix) == ("kept", "twiml/")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, "local"),
        (PUBLIC, "local"),
        (S3, "s3"),
        (S3 | PUBLIC, "s3"),
        (ACCOUNT, "inline"),
        (ACCOUNT | PUBLIC, "local"),
        (ACCOUNT | S3, "s3"),
        (ACCOUNT | S3 | PUBLIC, "s3"),
        (ACCOUNT | S3 | {"STORAGE": "inline"}, "inline"),
        (ACCOUNT | S3 | PUBLIC | {"STORAGE": "local"}, "local"),
        (FTP | {"STORAGE": "ftp"}, "ftp"),
        ({"STORAGE": "inline"}, "inline"),
    ],
)
def test_where_documents_go(tmp_path, values, kind):
    assert Settings(_env_file=write_env(tmp_path, values)).storage_kind == kind


@pytest.mark.parametrize(
    ("values", "regions"),
    [
        ({"DEFAULT_REGION": "gb"}, ("GB",)),
        ({"ALLOWED_REGIONS": "us, CA"}, ("US", "CA")),
        ({"ALLOWED_REGIONS": "DE FR"}, ("DE", "FR")),
        ({"DEFAULT_REGION": "DE", "ALLOWED_REGIONS": "AT"}, ("AT",)),
        ({"ALLOWED_REGIONS": ","}, ("US",)),
    ],
)
def test_where_calls_may_go(tmp_path, values, regions):
    assert Settings(_env_file=write_env(tmp_path, values)).regions == regions


def test_an_api_key_needs_no_token(tmp_path):
    values = {name: value for name, value in ACCOUNT.items() if name != "TWILIO_AUTH_TOKEN"}
    values |= {"TWILIO_API_KEY_SID": "SK" + "0" * 32, "TWILIO_API_KEY_SECRET": "hush"}
    assert not Settings(_env_file=write_env(tmp_path, values)).simulated


def test_addresses_lose_their_last_slash(tmp_path):
    settings = Settings(_env_file=write_env(tmp_path, {"PUBLIC_URL": "https://example.com/app/"}))
    assert settings.public_url == "https://example.com/app"


def test_a_twilio_of_ones_own_may_have_any_host_name(tmp_path):
    values = ACCOUNT | {"TWILIO_BASE_URL": "http://twilio_simulator:4010"}
    settings = Settings(_env_file=write_env(tmp_path, values))
    assert settings.twilio_base_url == "http://twilio_simulator:4010"


def test_a_file_saved_on_windows(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_bytes(b"\xef\xbb\xbfS3_BUCKET=one\r\nS3_PREFIX=two/\r\n")
    settings = Settings(_env_file=env_file)
    assert (settings.s3_bucket, settings.s3_prefix) == ("one", "two/")


def test_boto3_gets_its_names(tmp_path, monkeypatch):
    names = {"AWS_REGION": "eu-west-1", "AWS_PROFILE": "file", "AWS_ACCESS_KEY_ID": "file"}
    names |= {"HTTPS_PROXY": "http://proxy:3128"}
    monkeypatch.setenv("AWS_PROFILE", "real")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
    Settings(_env_file=write_env(tmp_path, names))
    assert os.environ["AWS_REGION"] == "eu-west-1"
    assert os.environ["HTTPS_PROXY"] == "http://proxy:3128"
    assert os.environ["AWS_PROFILE"] == "real"
    assert os.environ["AWS_ACCESS_KEY_ID"] == "file"


def test_sources_get_their_names(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_LAB_URL", "real")
    names = {"SOURCE_LAB_URL": "file", "SOURCE_TOKEN": " file "}
    Settings(_env_file=write_env(tmp_path, names))
    assert (os.environ["SOURCE_LAB_URL"], os.environ["SOURCE_TOKEN"]) == ("real", "file")


def test_where_sources_are_named(tmp_path, monkeypatch):
    (tmp_path / "lab.toml").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    for written in ("~/lab.toml", str(tmp_path / "lab.toml")):
        monkeypatch.setenv("SOURCES_FILE", written)
        assert Settings(_env_file=None).sources_file == tmp_path / "lab.toml"
    monkeypatch.setenv("SOURCES_FILE", "sources.toml")
    assert Settings(_env_file=None).sources_file == HERE / "sources.toml"


@pytest.mark.parametrize("end", [" ", "\n", "\r\n", "\t", "\u00a0 \n"])
def test_white_space_at_the_ends(monkeypatch, end):
    """A token that is pasted with its line's end would be another token."""
    values = ACCOUNT | {
        "TWILIO_API_KEY_SID": "SK" + "0" * 32,
        "TWILIO_API_KEY_SECRET": "hush",
        "FTP_URL": "ftp://ann:pw@ftp.example.com/xml",
        "FTP_PUBLIC_BASE_URL": "http://example.com",
        "STORAGE": "ftp",
        "PUBLIC_URL": "https://callboard.example.com",
        "DATABASE_URL": "sqlite:////var/lib/callboard/x.sqlite",
        "DATA_DIR": "/var/lib/callboard",
        "TWILIO_CALLS_PER_SECOND": "3",
        "ALLOWED_REGIONS": "US CA",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    clean = Settings(_env_file=None)
    for name, value in values.items():
        monkeypatch.setenv(name, end + value + end)
    assert Settings(_env_file=None) == clean
    assert Settings(_env_file=None, twilio_auth_token=SecretStr(ACCOUNT["TWILIO_AUTH_TOKEN"] + end))


def test_white_space_alone_is_absent(tmp_path, monkeypatch):
    monkeypatch.setenv("S3_BUCKET", " \n")
    monkeypatch.setenv("STORAGE", "\t")
    assert Settings(_env_file=None).s3_bucket is None
    env_file = write_env(tmp_path, {"S3_BUCKET": " of-the-file ", "TWILIO_AUTH_TOKEN": "  "})
    assert Settings(_env_file=env_file).s3_bucket == "of-the-file"


def test_libraries_get_no_white_space_either(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real\n")
    monkeypatch.setenv("AWS_PROFILE", " ")
    Settings(_env_file=write_env(tmp_path, {"AWS_REGION": "eu-west-1 ", "AWS_PROFILE": "file"}))
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "real"
    assert os.environ["AWS_REGION"] == "eu-west-1"
    assert os.environ["AWS_PROFILE"] == "file"


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({}, HERE / "data"),
        ({"STATE_DIRECTORY": "/var/lib/callboard"}, "/var/lib/callboard"),
        ({"STATE_DIRECTORY": "/var/lib/callboard:/var/lib/more"}, "/var/lib/callboard"),
        ({"STATE_DIRECTORY": "/var/lib/a", "DATA_DIR": "/srv/data"}, "/srv/data"),
        ({"DATA_DIR": "~/callboard"}, "/home/ann/callboard"),
        ({"DATA_DIR": "elsewhere"}, HERE / "elsewhere"),
    ],
)
def test_where_data_lives(monkeypatch, environment, folder):
    monkeypatch.setenv("HOME", "/home/ann")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)
    assert settings.data_dir == Path(folder)
    database = settings.database_url.get_secret_value()
    assert database == f"sqlite:///{folder}/callboard.sqlite"
    monkeypatch.setenv("DATABASE_URL", "postgres://u@h/db")
    assert Settings(_env_file=None).database_url.get_secret_value() == "postgres://u@h/db"


def test_settings_cannot_be_changed(tmp_path: Path):
    settings = Settings(_env_file=None)
    with pytest.raises(ValueError, match="frozen"):
        settings.s3_bucket = "another"
