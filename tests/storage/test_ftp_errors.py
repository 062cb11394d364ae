"""Every failure of an FTP host becomes a sentence that names the host and says what to check."""

import socket
import threading
import traceback
from contextlib import contextmanager

import pytest

from storage import FTPStorage, StorageError, ftp, ftp_session
from tests.support.ftp_host import IN_URL, PASSWORD, ftp_host, self_made_certificate
from tests.support.servers import free_port

PUBLIC = "https://files.example.com/twiml"


async def failure(url, host="127.0.0.1", **options) -> StorageError:
    storage = FTPStorage(url, PUBLIC, **options)
    with pytest.raises(StorageError) as caught:
        await storage.publish("ann", "<Response/>")
    await storage.close()
    error = caught.value
    assert error.service == "FTP"
    assert error.message.startswith(f"FTP host {host} ")
    assert error.message.endswith(".")
    printed = "".join(traceback.format_exception(error))
    assert PASSWORD not in printed
    assert "%40ss" not in printed
    return error


@contextmanager
def canned_host(*replies: bytes):
    """A host that sends these replies one after another, whatever it is sent, then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        connection, _ = listener.accept()
        with connection:
            for reply in replies:
                connection.sendall(reply)
                connection.recv(1024)
            connection.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield f"ftp://{IN_URL}@127.0.0.1:{listener.getsockname()[1]}"
    thread.join(timeout=5)
    listener.close()


async def test_wrong_password(tmp_path):
    with ftp_host(tmp_path) as host:
        error = await failure(host.url(login="ann:wrong"))
    assert "refused the login" in error.message
    assert "password" in error.hint


async def test_folder_without_permission(tmp_path):
    with ftp_host(tmp_path, permissions="elr") as host:
        error = await failure(host.url())
    assert "refused access to the folder" in error.message

    with ftp_host(tmp_path, permissions="elr") as host:
        error = await failure(host.url("/missing"))
    assert "refused access to the folder" in error.message


async def test_closed_port_and_unknown_host():
    error = await failure(f"ftp://{IN_URL}@127.0.0.1:{free_port()}")
    assert "refused the connection" in error.message
    error = await failure(f"ftp://{IN_URL}@nowhere.invalid", host="nowhere.invalid")
    assert "is unknown" in error.message
    long = "a" * 70 + ".example"
    error = await failure(f"ftp://{IN_URL}@{long}", host=long)
    assert "is unknown" in error.message


async def test_untrusted_certificate(tmp_path):
    certificate, _ = self_made_certificate(tmp_path)
    with ftp_host(tmp_path, certificate=certificate) as host:
        error = await failure(host.url(scheme="ftps"))
    assert "has a TLS certificate that is not trusted" in error.message
    assert host.sent("USER", "PASS", "STOR") == []


async def test_tls_asked_of_a_host_without_it(tmp_path):
    with ftp_host(tmp_path) as host:
        error = await failure(host.url(scheme="ftps"))
    assert "does not support explicit TLS" in error.message
    assert host.sent("USER", "PASS", "STOR") == []


async def test_plain_asked_of_a_host_that_wants_tls(tmp_path):
    certificate, _ = self_made_certificate(tmp_path)
    with ftp_host(tmp_path, certificate=certificate) as host:
        error = await failure(host.url())
    assert "TLS" in error.message


async def test_host_that_says_nothing(monkeypatch):
    monkeypatch.setattr(ftp_session, "REPLY_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = await failure(f"ftp://{IN_URL}@127.0.0.1:{listener.getsockname()[1]}")
    assert "did not answer in time" in error.message


async def test_deadline_for_a_slow_host(monkeypatch):
    monkeypatch.setattr(ftp, "UPLOAD_DEADLINE_SECONDS", 0.1)
    monkeypatch.setattr(ftp_session, "REPLY_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = await failure(f"ftp://{IN_URL}@127.0.0.1:{listener.getsockname()[1]}")
    assert "did not answer in time" in error.message


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (b"421 Too many users.\r\n", 'is not available at the moment ("421 Too many users.")'),
        (b"452 Disk full.\r\n", "has no room"),
        (b"599 Moon phase.\r\n", 'answered with an error ("599 Moon phase.")'),
        (b"530 No: p@ss/w:rd#1\r\n", 'refused the login ("530 No: …")'),
        (b"530 Zugang verweigert f\xfcr Sie\r\n", "refused the login"),
        (b"hello\r\n", "answered with an error"),
    ],
)
async def test_what_hosts_say(reply, said):
    with canned_host(b"220 ready\r\n", reply) as url:
        error = await failure(url)
    assert said in error.message


async def test_host_that_hangs_up():
    with canned_host(b"220 ready\r\n") as url:
        error = await failure(url)
    assert "closed the connection" in error.message


WITH_TLS = "Begin the FTP URL with ftps:// instead of ftp://."


@pytest.mark.parametrize(
    ("command", "reply", "said"),
    [
        ("USER", "530 Non-anonymous sessions must use encryption.", "requires TLS"),
        ("USER", "421-Sorry, cleartext sessions are not accepted\r\n421 Bye", "requires TLS"),
        ("USER", "503 Use AUTH first.", "requires TLS"),
        ("PASS", "550 SSL/TLS required on the control channel", "requires TLS"),
        ("PASS", "534 Policy requires SSL.", "requires TLS"),
        ("STOR", "522 SSL connection required on the data channel", "requires TLS"),
        ("PASS", "530 Login incorrect.", "refused the login"),
        ("PASS", "550 User ann may not log in", "refused the login"),
        ("PASS", "530 Sorry, the maximum number of clients (5) are connected", "not available"),
        ("USER", "530 Too many connections from this address", "not available"),
        ("USER", "421 Service not available", "not available"),
        ("PASS", "500 OOPS: cannot change directory:/home/ann", "user's folder"),
        ("PASS", "500 OOPS: vsftpd: refusing to run with writable root", "user's folder"),
        ("PASV", "502 Command not implemented", "data connection"),
        ("PASV", "550 Permission denied", "data connection"),
        ("STOR", "425 Can't open data connection", "data connection"),
        ("STOR", "552 Exceeded storage allocation", "has no room"),
        ("STOR", "553 Disk quota exceeded", "has no room"),
        ("STOR", "550 No space left on device", "has no room"),
        ("STOR", "550 Permission denied", "refused access to the folder"),
        ("RNFR", "450 Busy", "refused access to the folder"),
        ("STOR", "500 Unknown command", "does not let anyone upload"),
        ("RNTO", "502 Not implemented", "does not let anyone upload"),
    ],
)
async def test_advice_is_by_the_words_and_the_command_before_the_code(
    tmp_path, command, reply, said
):
    with ftp_host(tmp_path, answers={command: reply}) as host:
        error = await failure(host.url())
    assert said in error.message
    assert (error.hint == WITH_TLS) == (said == "requires TLS")


@pytest.mark.parametrize(
    "reply",
    [
        "500 This security scheme is not implemented",
        "500 AUTH not understood",
        "502 Command not implemented",
        "504 Unknown security mechanism",
        "530 Please login with USER and PASS.",
        "534 Denied for policy reasons",
        "550 No",
        "431 Need some unavailable resource",
    ],
)
async def test_any_refusal_to_start_tls_means_that_there_is_none(tmp_path, reply):
    with ftp_host(tmp_path, answers={"AUTH": reply}) as host:
        error = await failure(host.url(scheme="ftps"))
    assert "does not support explicit TLS" in error.message
    assert host.sent("USER", "PASS") == []


async def test_trouble_with_tls_for_data_is_never_a_reason_to_do_without(tmp_path):
    certificate, trusted = self_made_certificate(tmp_path)
    answers = {"STOR": "522 SSL connection failed: session reuse required"}
    with ftp_host(tmp_path, certificate=certificate, answers=answers) as host:
        error = await failure(host.url(scheme="ftps"), ssl_context=trusted)
    assert "could not agree with us on TLS" in error.message
    assert "ftp://" not in error.hint


@pytest.mark.parametrize("reply", ["227 Entering (1,2,3)", "227 (1,2,3,4,999,999)", "227"])
async def test_garbled_reply(tmp_path, reply):
    with ftp_host(tmp_path, answers={"PASV": reply}) as host:
        error = await failure(host.url())
    assert error.hint
