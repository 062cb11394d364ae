"""Publishing to an FTP host, plain and with TLS, and the URLs that say where it is."""

import asyncio
import re
import ssl
import traceback

import pytest

from storage import FTPStorage, Instructions, StorageError
from storage.addresses import FTPAddress
from storage.ftp_session import hang_up, open_session
from tests.support.ftp_host import PASSWORD, ftp_host, self_made_certificate

XML = "<Response>\r\n<Say>Grüße</Say></Response>"
PUBLIC = "https://files.example.com/twiml/"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "ftp"
    path.mkdir()
    return path


async def test_document_is_uploaded_whole_and_then_renamed(folder):
    with ftp_host(folder) as host:
        storage = FTPStorage(host.url("/calls/2026"), PUBLIC)
        instructions = await storage.publish("2026-11-23-0942-ann", XML)
        await storage.close()

    name = str(instructions.url).removeprefix(PUBLIC)
    assert re.fullmatch(r"2026-11-23-0942-ann-[0-9a-f]{32}\.xml", name)
    assert [path.name for path in (folder / "calls" / "2026").iterdir()] == [name]
    assert (folder / "calls" / "2026" / name).read_bytes().decode() == XML
    assert host.sent("STOR", "RNFR", "RNTO") == [
        f"STOR {name}.tmp",
        f"RNFR {name}.tmp",
        f"RNTO {name}",
    ]


async def test_many_at_once_into_a_new_folder_all_arrive(folder):
    with ftp_host(folder) as host:
        storage = FTPStorage(host.url("/new"), PUBLIC)
        published = await asyncio.gather(*(storage.publish("ann", XML) for _ in range(12)))
        await storage.close()

    names = {str(each.url).removeprefix(PUBLIC) for each in published}
    assert len(names) == 12
    assert {path.name for path in (folder / "new").iterdir()} == names


async def test_deleted_document_is_gone_and_deleting_again_is_fine(folder):
    with ftp_host(folder) as host:
        storage = FTPStorage(host.url(), PUBLIC)
        instructions = await storage.publish("ann", XML)
        await storage.delete(instructions)
        await storage.delete(instructions)
        await storage.delete(Instructions(url="https://elsewhere.example/etc.xml"))
        await storage.close()
    assert list(folder.iterdir()) == []
    assert len(host.sent("DELE")) == 2


async def test_tls_covers_commands_and_data_in_one_session(folder, tmp_path):
    certificate, trusted = self_made_certificate(tmp_path)
    with ftp_host(folder, certificate=certificate) as host:
        url = host.url("/calls", scheme="ftps")
        storage = FTPStorage(url, PUBLIC, ssl_context=trusted)
        instructions = await storage.publish("ann", XML)
        await storage.close()

        session = open_session(FTPAddress.from_url(url), trusted)
        data, _ = session.ntransfercmd("STOR probe")
        assert isinstance(data, ssl.SSLSocket)
        assert data.session_reused
        data.unwrap()
        data.close()
        session.voidresp()
        hang_up(session)

    name = str(instructions.url).removeprefix(PUBLIC)
    assert (folder / "calls" / name).read_bytes().decode() == XML
    assert "PROT P" in host.commands


async def test_failed_rename_leaves_nothing_behind(folder):
    with ftp_host(folder, permissions="elradmwMT") as host:  # no "f": renaming is not allowed
        storage = FTPStorage(host.url(), PUBLIC)
        with pytest.raises(Exception, match="refused access"):
            await storage.publish("ann", XML)
        await storage.close()
    assert host.sent("STOR") != []
    assert list(folder.iterdir()) == []


def test_address_is_taken_apart_and_never_shows_the_password():
    address = FTPAddress.from_url("ftps://ann%40x:p%40ss%2Fw%3Ard%231@files.example.com/a/b/")
    assert (address.user, address.password) == ("ann@x", PASSWORD)
    assert (address.host, address.port, address.secure) == ("files.example.com", 21, True)
    assert address.folders == ("a", "b")
    assert FTPAddress.from_url("ftp://h//srv/www").folders == ("/", "srv", "www")
    assert PASSWORD not in repr(address)

    storage = FTPStorage("ftp://ann:secret@files.example.com:2121", PUBLIC)
    assert storage.label == "FTP host files.example.com"
    assert "secret" not in repr(storage)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "files.example.com",
        "http://h/x",
        "ftp://",
        "ftp:///x",
        "ftp://ann:p@ss/word@h",
        "ftp://ann:12/secret@h",
        "ftp://ann:secret#1@h/x",
        "ftp://ann:sec%0D%0ADELE%20x@h",
        "ftp://ann:secret@h:port",
        "ftp://[ann:secret@h",
    ],
)
def test_unusable_url_is_refused_without_repeating_it(url):
    with pytest.raises(StorageError, match="FTP URL") as caught:
        FTPStorage(url, PUBLIC)
    printed = "".join(traceback.format_exception(caught.value))
    assert "sec" not in printed.split("StorageError")[-1]
    assert "word@" not in printed.split("StorageError")[-1]


@pytest.mark.parametrize(
    "answers",
    [
        {"DELE": "450 No such file"},
        {"DELE": "550 Not found"},
        {"DELE": "501 Gone"},
        {"DELE": "450 No such file", "SIZE": "450 No such file"},
        {"DELE": "550 Not found", "SIZE": "500 Unknown command"},
    ],
)
async def test_however_a_host_says_that_a_document_is_gone_it_is_no_failure(folder, answers):
    gone = Instructions(url=f"{PUBLIC}{'0' * 32}.xml")
    with ftp_host(folder, answers=answers) as host:
        storage = FTPStorage(host.url(), PUBLIC)
        await storage.delete(gone)
        await storage.close()
    assert len(host.sent("DELE")) == 1


async def test_document_that_may_not_be_deleted_is_a_failure(folder):
    with ftp_host(folder, answers={"DELE": "450 Busy"}) as host:
        storage = FTPStorage(host.url(), PUBLIC)
        instructions = await storage.publish("ann", XML)
        with pytest.raises(StorageError, match="450 Busy"):
            await storage.delete(instructions)
        await storage.close()


async def test_replies_that_are_not_utf8_do_no_harm(folder):
    with ftp_host(folder, encoding="latin-1") as host:
        storage = FTPStorage(host.url("/calls"), PUBLIC)
        await storage.publish("ann", XML)
        await storage.close()
    assert len(list((folder / "calls").iterdir())) == 1


async def test_folder_with_any_letters(folder):
    with ftp_host(folder) as host:
        storage = FTPStorage(host.url("/%C3%BCber"), PUBLIC)
        await storage.publish("ann", XML)
        await storage.close()
    assert len(list((folder / "über").iterdir())) == 1


async def test_data_channel_that_closes_without_close_notify_is_no_failure(folder, tmp_path):
    certificate, trusted = self_made_certificate(tmp_path)
    with ftp_host(folder, certificate=certificate, close_notify=False) as host:
        storage = FTPStorage(host.url(scheme="ftps"), PUBLIC, ssl_context=trusted)
        instructions = await storage.publish("ann", XML)
        await storage.close()
    name = str(instructions.url).removeprefix(PUBLIC)
    assert (folder / name).read_bytes().decode() == XML
    assert host.sent("DELE") == []
