"""boto3's trouble before S3 is asked becomes a sentence that names the setting, not a secret."""

import os
import socket
import ssl
import threading
import traceback
from contextlib import contextmanager

import pytest
from starlette.responses import Response

from storage import S3Storage, StorageError
from storage.s3_client import S3Connection
from storage.s3_errors import as_storage_errors
from tests.support.certificate import self_signed
from tests.support.s3_server import RecordingS3, s3_error
from tests.support.servers import free_port, serve

pytestmark = pytest.mark.slow

SECRET = "hush-hush"
XML = "<Response/>"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": SECRET}
ROLE = "arn:aws:iam::123456789012:role/callboard"
WEB_IDENTITY = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token"}
SSO = "sso_account_id = 123456789012\nsso_role_name = caller\n"
SSO_SESSION = "[sso-session work]\nsso_start_url = https://x.example\nsso_region = us-east-1\n"


@pytest.fixture
def aws(monkeypatch, tmp_path):
    """An environment of which boto3 reads nothing but what a test sets."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.upper().endswith(("_PROXY", "_CA_BUNDLE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
    return monkeypatch


async def failure(environment: dict[str, str], aws) -> StorageError:
    for name, value in environment.items():
        aws.setenv(name, value)
    storage = S3Storage("twilio-xml")
    await storage.warm_up()  # leaves the error to the first upload
    with pytest.raises(StorageError) as caught:
        await storage.publish("ann", XML)
    await storage.close()
    error = caught.value
    assert error.message.startswith("S3 bucket twilio-xml ")
    assert SECRET not in "".join(traceback.format_exception(error))
    return error


@pytest.mark.parametrize(
    ("environment", "happened", "hint"),
    [
        (WEB_IDENTITY, "(/nowhere/token: No such file", "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ({**WEB_IDENTITY, "AWS_WEB_IDENTITY_TOKEN_FILE": "/"}, "(/: Is a dir", "AWS_WEB_IDENTITY"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"}, "web identity", "AWS_ROLE_ARN"),
        ({"AWS_ACCESS_KEY_ID": "AKIATEST"}, "half of the AWS credentials", "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_SECRET_ACCESS_KEY": SECRET}, "no AWS credentials", "AWS_ACCESS_KEY_ID"),
        ({**KEYS, "AWS_ACCESS_KEY_ID": "AKIA\nX"}, "line break", "AWS_ACCESS_KEY_ID"),
        ({**KEYS, "AWS_SESSION_TOKEN": f"{SECRET}\nX"}, "line break", "AWS_SESSION_TOKEN"),
        ({"AWS_PROFILE": "nobody"}, "profile was not found", "AWS_PROFILE"),
        ({**KEYS, "AWS_REGION": "us east"}, "region's name is malformed", "AWS_REGION"),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/x"},
            "container's credentials",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere/token",
            },
            "(/nowhere/token: No such file",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        ),
        (
            {
                "AWS_EC2_METADATA_DISABLED": "false",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": "nonsense",
            },
            "metadata service is malformed",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        ),
        (
            {"AWS_EC2_METADATA_DISABLED": "false", "AWS_METADATA_SERVICE_TIMEOUT": "long"},
            "could not be used (ValueError)",
            "AWS settings",
        ),
        ({**KEYS, "AWS_DEFAULTS_MODE": "moon"}, "(InvalidDefaultsMode)", "AWS settings"),
    ],
)
async def test_environment(aws, environment, happened, hint):
    error = await failure(environment, aws)
    assert happened in error.message
    assert hint in error.hint


async def test_credentials_are_not_looked_for_before_the_first_upload(aws, tmp_path):
    """They may not be there yet, or a program may ask a person to press a key for them."""
    asked = tmp_path / "asked"
    (tmp_path / "config").write_text(f"[default]\ncredential_process = touch {asked}\n")
    storage = S3Storage("twilio-xml")
    await storage.warm_up()
    assert not asked.exists()
    with pytest.raises(StorageError):
        await storage.publish("ann", XML)
    await storage.close()
    assert asked.exists()


@pytest.mark.parametrize(
    ("config", "happened", "hint"),
    [
        (
            f"credential_process = /nowhere/helper --pw {SECRET}",
            "(/nowhere/helper: No such",
            "hand",
        ),
        (f"credential_process = sh -c 'echo {SECRET} >&2; exit 3'", "process of the AWS", "hand"),
        (f"credential_process = echo {SECRET}", "credential_process of the AWS profile", "hand"),
        ("credential_process = echo []", "credential_process of the AWS profile", "hand"),
        (f"credential_process = '{SECRET}", "credential_process of the AWS profile", "hand"),
        ("credential_process =", "credential_process of the AWS profile", "hand"),
        (f"sso_session = work\n{SSO}{SSO_SESSION}", "SSO session is missing", "aws sso login"),
        (f"sso_session = gone\n{SSO}", "SSO session is missing", "aws sso login"),
        (f"sso_start_url = https://x.example\n{SSO}", "profile is incomplete", "sso_session"),
        (f"role_arn = {ROLE}\nsource_profile = gone", "for the role", "source_profile"),
        (f"role_arn = {ROLE}\ncredential_source = Moon", "for the role", "role_arn"),
        (f"role_arn = {ROLE}", "for the role", "role_arn"),
        ("s3 = moon", "could not be used (AttributeError)", "AWS profile"),
        ("s3 =\n  addressing_style = moon", "could not be used (InvalidS3", "AWS profile"),
    ],
)
async def test_profile(aws, tmp_path, config, happened, hint):
    (tmp_path / "config").write_text(f"[default]\n{config}\n")
    error = await failure(KEYS if config.startswith("s3") else {}, aws)
    assert happened in error.message
    assert hint in error.hint


@pytest.mark.parametrize("content", [f"aws_secret_access_key = {SECRET}", "[default", "\xff\xfe["])
@pytest.mark.parametrize("name", ["config", "credentials"])
async def test_file_of_settings_that_is_malformed(aws, tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    error = await failure({}, aws)
    assert f"malformed ({tmp_path / name})" in error.message
    assert "AWS_SHARED_CREDENTIALS_FILE" in error.hint


@pytest.mark.parametrize(
    ("proxy", "happened"),
    [
        (f"http://ann:{SECRET}#1@proxy.example:8080", "proxy's address is not usable"),
        (f"http://ann:{SECRET}@proxy.example:port", "proxy's address is not usable"),
        (f"http://[ann:{SECRET}@proxy.example:80", "proxy's address is not usable"),
        (f"http://ann:{SECRET}@127.0.0.1:{{port}}", "could not be reached through the proxy"),
        (f"socks5://ann:{SECRET}@127.0.0.1:{{port}}", "could not be reached through the proxy"),
    ],
)
async def test_proxy(aws, proxy, happened):
    environment = {
        **KEYS,
        "HTTPS_PROXY": proxy.replace("{port}", str(free_port())),
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
    }
    error = await failure(environment, aws)
    assert happened in error.message
    assert "HTTPS_PROXY" in error.hint


@contextmanager
def tls_host(folder):
    """A host that does nothing but show its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(folder))
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


@pytest.mark.parametrize("setting", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle"])
@pytest.mark.parametrize("content", [None, "not a certificate"])
async def test_file_of_certificates_that_cannot_be_read(aws, tmp_path, setting, content):
    bundle = tmp_path / "ca.pem"
    if content:
        bundle.write_text(content)
    (tmp_path / "config").write_text(
        f"[default]\nca_bundle = {bundle}\n" if setting == "ca_bundle" else ""
    )
    environment = {} if setting == "ca_bundle" else {setting: str(bundle)}
    with tls_host(tmp_path) as url:
        error = await failure({**KEYS, **environment, "AWS_ENDPOINT_URL_S3": url}, aws)
    assert "file of trusted certificates could not be read" in error.message
    assert "AWS_CA_BUNDLE" in error.hint


async def test_certificate_that_is_not_trusted(aws, tmp_path):
    with tls_host(tmp_path) as url:
        error = await failure({**KEYS, "AWS_ENDPOINT_URL_S3": url}, aws)
    assert "its TLS certificate was not accepted" in error.message


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDenied", "credentials for the web identity (AccessDenied)"),
        ("ExpiredTokenException", "web identity (ExpiredTokenException)"),
        (None, "because its service could not be reached"),
    ],
)
async def test_refusal_of_credentials_is_not_taken_for_an_answer_of_s3(aws, tmp_path, code, said):
    (tmp_path / "token").write_text("a-token")
    environment = {**WEB_IDENTITY, "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")}
    refusal = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>"
    answer = Response(f"<ErrorResponse>{refusal}</ErrorResponse>", 403, media_type="text/xml")
    with serve(RecordingS3(answer)) as url:
        sts = url if code else f"http://127.0.0.1:{free_port()}"
        error = await failure({**environment, "AWS_ENDPOINT_URL_STS": sts}, aws)
    assert said in error.message
    assert "AWS_ROLE_ARN" in error.hint


def test_defect_of_our_own_is_not_blamed_on_s3():
    with pytest.raises(ZeroDivisionError), as_storage_errors("twilio-xml"):
        _ = 1 / 0


def keys(name: str, profile: str = "default") -> str:
    return f"[{profile}]\naws_access_key_id = {name}\naws_secret_access_key = {SECRET}\n"


async def test_once_credentials_are_there_no_restart_is_needed(aws, tmp_path):
    s3 = RecordingS3()
    with serve(s3) as url:
        aws.setenv("AWS_ENDPOINT_URL_S3", url)
        storage = S3Storage("twilio-xml")
        with pytest.raises(StorageError, match="no AWS credentials were found"):
            await storage.publish("ann", XML)
        (tmp_path / "credentials").write_text(keys("AKIAFOUND"))

        await storage.publish("ann", XML)
        await storage.close()

    assert ["AKIAFOUND" in each.headers["authorization"] for each in s3.requests] == [True]


async def test_once_a_profile_is_mended_no_restart_is_needed(aws, tmp_path):
    (tmp_path / "config").write_text("[profile work]\nrole_arn = arn\nsource_profile = base\n")
    s3 = RecordingS3()
    with serve(s3) as url:
        aws.setenv("AWS_ENDPOINT_URL_S3", url)
        storage = S3Storage("twilio-xml", profile="work")
        with pytest.raises(StorageError, match="did not hand out credentials"):
            await storage.publish("ann", XML)
        (tmp_path / "config").write_text("[profile work]\nregion = eu-west-1\n")
        (tmp_path / "credentials").write_text(keys("AKIAFOUND", "work"))

        await storage.publish("ann", XML)
        await storage.close()

    assert ["AKIAFOUND" in each.headers["authorization"] for each in s3.requests] == [True]


@pytest.mark.parametrize("status", [404, 500])
async def test_what_other_credentials_would_not_mend_keeps_the_client(aws, status):
    """A new client takes 100 ms of CPU, and a source may be looked for every ten seconds."""
    for name, value in KEYS.items():
        aws.setenv(name, value)
    s3 = RecordingS3(*[s3_error(status, "Trouble")] * 3)
    connection = S3Connection(connections=1, read_seconds=5)
    with serve(s3) as url:
        aws.setenv("AWS_ENDPOINT_URL_S3", url)
        with connection.client() as first:
            pass
        with pytest.raises(Exception, match="Trouble"), connection.client() as client:
            client.get_object(Bucket="twilio-xml", Key="ann")
        with connection.client() as client:
            assert client is first
    connection.close()


async def test_once_a_session_is_renewed_no_restart_is_needed(aws, tmp_path):
    (tmp_path / "credentials").write_text(keys("AKIAOLD"))
    s3 = RecordingS3(s3_error(400, "ExpiredToken"))
    with serve(s3) as url:
        aws.setenv("AWS_ENDPOINT_URL_S3", url)
        storage = S3Storage("twilio-xml")
        with pytest.raises(StorageError, match="it has expired"):
            await storage.publish("ann", XML)
        (tmp_path / "credentials").write_text(keys("AKIANEW"))

        for _ in range(2):
            await storage.publish("ann", XML)
        await storage.close()

    used = [each.headers["authorization"].split("Credential=")[1] for each in s3.requests]
    assert [each.split("/")[0] for each in used] == ["AKIAOLD", "AKIANEW", "AKIANEW"]
