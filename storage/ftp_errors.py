"""FTP's errors in plain words: what happened at the host, and what to check."""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage.base import StorageError

if TYPE_CHECKING:
    from storage.addresses import FTPAddress

_LOGIN = ("refused the login", "Check the user name and the password in the FTP URL.")
_PERMISSION = ("refused access to the folder", "Check the folder and the user's permissions there.")
_DISK = ("has no room for the document", "Free some space there, or ask the host's operator.")
_BUSY = ("is not available at the moment", "Try again in a minute.")
_CONNECTION_LOST = ("closed the connection", "Try again.")
_NO_TLS = (
    "does not support explicit TLS",
    "Check that it offers explicit TLS (AUTH TLS), or use ftp:// if it does not.",
)
_OTHER_REPLY = ("answered with an error", "Try again, and ask the host's operator.")

# https://www.rfc-editor.org/rfc/rfc959#section-4.2 and, for TLS, RFC 4217.
_REPLIES: dict[str, tuple[str, str]] = {
    "421": _BUSY,
    "425": ("could not open a data connection", "Check that firewalls let passive FTP through."),
    "426": _CONNECTION_LOST,
    **dict.fromkeys(("430", "530", "532"), _LOGIN),
    **dict.fromkeys(("431", "500", "502", "504", "522", "534"), _NO_TLS),
    **dict.fromkeys(("452", "552"), _DISK),
    **dict.fromkeys(("550", "553"), _PERMISSION),
}

# The first class that matches is used, so subclasses come before their base classes.
_FAILURES: tuple[tuple[type[Exception], tuple[str, str]], ...] = (
    (
        ssl.SSLCertVerificationError,
        ("has a TLS certificate that is not trusted", "Check the host's name and certificate."),
    ),
    (ssl.SSLError, _NO_TLS),
    (socket.gaierror, ("is unknown", "Check the host's name and the network.")),
    (UnicodeDecodeError, ("sent a reply that is not UTF-8", "Ask the host's operator.")),
    (UnicodeError, ("is unknown", "Check the host's name.")),
    (
        TimeoutError,
        (
            "did not answer in time",
            "Check the host, the port and firewalls; implicit TLS (port 990) is not supported.",
        ),
    ),
    (ConnectionRefusedError, ("refused the connection", "Check the host and the port.")),
    (ConnectionError, _CONNECTION_LOST),
    (EOFError, _CONNECTION_LOST),
    (OSError, ("could not be reached", "Check the host, the port and the network.")),
)

_ERRORS: tuple[type[Exception], ...] = (*ftplib.all_errors, UnicodeError)


@contextmanager
def as_storage_errors(address: FTPAddress) -> Iterator[None]:
    """Turn the errors of ftplib inside the block into a StorageError that names the host.

    It takes the whole address, not its password, which a traceback with local variables would show.
    """
    try:
        yield
    except _ERRORS as error:
        happened, hint = _explanation(error)
        if isinstance(error, ftplib.Error):
            happened += f' ("{_reply(error, address.password)}")'
        # Drop the original error: a host may repeat the password it was sent.
        raise StorageError("FTP", f"FTP host {address.host} {happened}.", hint) from None


def _explanation(error: Exception) -> tuple[str, str]:
    if isinstance(error, ftplib.Error):
        return _REPLIES.get(str(error)[:3], _OTHER_REPLY)
    return next(words for kind, words in _FAILURES if isinstance(error, kind))


def _reply(error: ftplib.Error, password: str) -> str:
    reply = str(error)
    if password:
        reply = reply.replace(password, "…")
    return " ".join(reply.split())[:200]
