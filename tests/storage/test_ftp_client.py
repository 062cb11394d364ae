"""FTP URLs: split into their parts, refused when unusable, and never shown."""

import traceback

import pytest

from storage import FTPStorage, StorageError
from storage.ftp_client import FTPAddress
from tests.support.ftp_host import PASSWORD

PUBLIC = "https://files.example.com/twiml"


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
