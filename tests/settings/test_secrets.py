"""No secret in a repr, in an error or in a traceback that shows variables."""

from __future__ import annotations

import traceback

import pytest

from alerts import Desk
from settings import Settings, SettingsError
from tests.support.environment import ACCOUNT, KEY_SID, clean_environment, write_env

SECRET = "s3cr3t-of-mine"
FTP = {"STORAGE": "ftp", "FTP_PUBLIC_BASE_URL": "http://example.com"}
SECRETS = {
    "TWILIO_AUTH_TOKEN": SECRET,
    "TWILIO_API_KEY_SID": KEY_SID,
    "TWILIO_API_KEY_SECRET": SECRET,
    "FTP_URL": f"ftp://ann:{SECRET}@ftp.example.com/xml",
    "DATABASE_URL": f"postgresql://ann:{SECRET}@example.com/calls",
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "METRICS_TOKEN": f"{SECRET}-and-longer",
}


@pytest.fixture(autouse=True)
def environment():
    with clean_environment():
        yield


def test_settings_and_what_is_built_from_them(tmp_path):
    settings = Settings(_env_file=write_env(tmp_path, ACCOUNT | FTP | SECRETS))
    desk = Desk.from_settings(settings)
    assert settings.twilio_auth_token is not None
    assert settings.twilio_auth_token.get_secret_value() == SECRET
    for shown in (repr(settings), str(settings), settings.model_dump_json(), repr(desk.services)):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"TWILIO_FROM_NUMBER": ""},
        {"STORAGE": "disk"},
        {"COLOR": SECRET},
        {"S3_EXPIRE_DAYS": "never"},
        {"DATABASE_URL": f"mysql://ann:{SECRET}@example.com/calls"},
        {"FTP_URL": f"http://ann:{SECRET}@example.com"},
        {"FTP_URL": f"ftp://ann:{SECRET}℀@example.com"},
        {"FTP_URL": f"ftp://ann:/{SECRET}@example.com"},
        {"FTP_URL": f"ftp://ann:{SECRET}@example.com:{SECRET}"},
        {"TWILIO_BASE_URL": f"https://ann:{SECRET}@api.twilio.com"},
        {"PUBLIC_URL": f"https://ann:{SECRET}@example.com"},
    ],
)
def test_errors(tmp_path, wrong):
    assert SECRET not in told(lambda env_file: Settings(_env_file=env_file), tmp_path, wrong)


def test_a_file_that_is_no_text(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_bytes(f"TWILIO_AUTH_TOKEN={SECRET}\xe9".encode("latin-1"))
    with pytest.raises(SettingsError) as refusal:
        Settings(_env_file=env_file)
    assert SECRET not in with_variables(refusal.value)


def test_values_given_by_hand():
    given = {"twilio_auth_token": SECRET, "_env_file": None}
    with pytest.raises(SettingsError) as refusal:
        Settings(**given)
    inside = refusal.value.with_traceback(refusal.tb.tb_next)
    assert SECRET not in with_variables(inside)


def told(build, folder, wrong: dict[str, str]) -> str:
    env_file = write_env(folder, ACCOUNT | FTP | SECRETS | wrong)
    with pytest.raises(SettingsError) as refusal:
        Desk.from_settings(build(env_file))
    # This frame and its caller know the secret, so look only at the frames below them.
    return with_variables(refusal.value.with_traceback(refusal.tb.tb_next))


def with_variables(error: BaseException) -> str:
    lines = traceback.TracebackException.from_exception(error, capture_locals=True).format()
    return str(error) + "".join(lines)
