"""FTP's errors in plain words: what happened at the host, and what to check."""

from __future__ import annotations

import ftplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage.base import StorageError
from storage.ftp_pool import SESSION_ERRORS
from storage.ftp_session import refused_command

if TYPE_CHECKING:
    from storage.addresses import FTPAddress

Explanation = tuple[str, str]

_LOGIN = ("refused the login", "Check the user name and the password in the FTP URL.")
_PERMISSION = ("refused access to the folder", "Check the folder and the user's permissions there.")
_HOME = (
    "cannot use the user's folder",
    "Check there that the user's home folder exists and, for vsftpd, that it is not writable or "
    "that allow_writeable_chroot=YES is set.",
)
_DISK = ("has no room for the document", "Free some space there, or ask the host's operator.")
_BUSY = ("is not available at the moment", "Try again in a minute.")
_CONNECTION_LOST = ("closed the connection", "Try again.")
_NO_DATA = ("could not open a data connection", "Check that firewalls let passive FTP through.")
_NO_TLS = (
    "does not support explicit TLS",
    "Check that it offers explicit TLS (AUTH TLS), or use ftp:// if it does not.",
)
_WANTS_TLS = ("requires TLS", "Begin the FTP URL with ftps:// instead of ftp://.")
_TLS_TROUBLE = (
    "could not agree with us on TLS",
    "Ask the host's operator about its TLS settings: versions, client certificates, data channel.",
)
_NO_COMMAND = (
    "does not let anyone upload or rename files",
    "Ask the host's operator whether this user may write.",
)
_OTHER_REPLY = ("answered with an error", "Try again, and ask the host's operator.")

# Hosts use the codes of RFC 959 (section 4.2) each in their own way. So first comes what a reply
# says in words, then which command it answers, and the code alone last.
_SPEAKS_OF_TLS = re.compile(r"\b(tls|ssl|auth|encrypt\w*|cleartext|clear text|prot p)\b", re.I)
_SPEAKS_OF_ROOM = re.compile(r"\b(quota|disk full|no space|space left|storage allocation)\b", re.I)
_SPEAKS_OF_USERS = re.compile(
    r"\b(too many|maximum|already (connected|logged in))\b|\blimit\b.*\b(connections|users)\b", re.I
)
_NEGOTIATING = ("AUTH", "PBSZ", "PROT")
_LOGGING_IN = ("USER", "PASS", "ACCT")
_CONNECTING_DATA = ("PASV", "EPSV", "PORT", "EPRT")
_CODES: dict[str, Explanation] = {
    "421": _BUSY,
    "425": _NO_DATA,
    "426": _CONNECTION_LOST,
    **dict.fromkeys(("331", "332", "430", "530", "532"), _LOGIN),
    **dict.fromkeys(("452", "552"), _DISK),
    **dict.fromkeys(("450", "550", "553"), _PERMISSION),
    **dict.fromkeys(("500", "501", "502", "503", "504"), _NO_COMMAND),
}

# The first class that matches is used, so subclasses come before their base classes.
_FAILURES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Explanation], ...] = (
    (
        ssl.SSLCertVerificationError,
        (
            "has a TLS certificate that is not trusted",
            "Check the host's name and certificate, and SSL_CERT_FILE if you set it.",
        ),
    ),
    (ssl.SSLError, _TLS_TROUBLE),
    (socket.gaierror, ("is unknown", "Check the host's name and the network.")),
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
    ((ValueError, OverflowError), ("sent a reply that is not FTP", "Check the host and the port.")),
    (OSError, ("could not be reached", "Check the host, the port and the network.")),
)


@contextmanager
def as_storage_errors(address: FTPAddress) -> Iterator[None]:
    """Turn the errors of ftplib inside the block into a StorageError that names the host.

    It takes the whole address, not its password, which a traceback with local variables would show.
    """
    try:
        yield
    except SESSION_ERRORS as error:
        happened, hint = _explanation(error, secure=address.secure)
        if isinstance(error, ftplib.Error):
            happened += f' ("{_reply(error, address.password)}")'
        # Drop the original error: a host may repeat the password it was sent.
        raise StorageError("FTP", f"FTP host {address.host} {happened}.", hint) from None


def _explanation(error: Exception, *, secure: bool) -> Explanation:
    if isinstance(error, ftplib.Error):
        return _refusal(str(error), refused_command(error), secure=secure)
    return next(words for kind, words in _FAILURES if isinstance(error, kind))


def _refusal(reply: str, command: str, *, secure: bool) -> Explanation:
    code, words = reply[:3], reply[3:]
    if command in _NEGOTIATING and code != "421":
        return _NO_TLS
    rules = (
        # vsftpd says this of a home folder that is missing, or writable and the user's root.
        (code == "500" and "OOPS" in words, _HOME),
        (_SPEAKS_OF_TLS.search(words), _TLS_TROUBLE if secure else _WANTS_TLS),
        (_SPEAKS_OF_ROOM.search(words), _DISK),
        (_SPEAKS_OF_USERS.search(words) or code == "421", _BUSY),
        (command in _LOGGING_IN and code[:2] in ("50", "53", "55"), _LOGIN),
        (command in _CONNECTING_DATA, _NO_DATA),
    )
    return next((known for applies, known in rules if applies), _CODES.get(code, _OTHER_REPLY))


def _reply(error: ftplib.Error, password: str) -> str:
    reply = str(error)
    if password:
        reply = reply.replace(password, "…")
    return " ".join(reply.split())[:200]
