"""An FTP host for tests: pyftpdlib, plain or with TLS, that records its commands."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from tests.support.certificate import self_signed

USER = "ann@example.com"
PASSWORD = "p@ss/w:rd#1"
IN_URL = "ann%40example.com:p%40ss%2Fw%3Ard%231"


@dataclass
class FTPHost:
    """A running host: its port, and the commands it received ("STOR …", "RNTO …")."""

    port: int = 0
    commands: list[str] = field(default_factory=list)
    handlers: set[FTPHandler] = field(default_factory=set)

    def url(self, folder: str = "", login: str = IN_URL, scheme: str = "ftp") -> str:
        return f"{scheme}://{login}@127.0.0.1:{self.port}{folder}"

    def connected(self) -> int:
        """How many clients are connected."""
        return len(self.handlers)

    def hang_up_on_all(self) -> None:
        """Break every connection, as hosts do with idle ones."""
        for handler in list(self.handlers):
            with suppress(OSError):
                handler.socket.shutdown(socket.SHUT_RDWR)

    def sent(self, *verbs: str) -> list[str]:
        return [command for command in self.commands if command.split()[0] in verbs]


class _AbruptDTPHandler(TLS_DTPHandler):  # type: ignore[misc]
    def _do_ssl_shutdown(self):
        DTPHandler.close(self)


@contextmanager
def ftp_host(
    folder: Path,
    *,
    permissions: str = "elradfmwMT",
    certificate: Path | None = None,
    login_seconds: float = 0,
    answers: Mapping[str, str] | None = None,
    encoding: str = "utf8",
    close_notify: bool = True,
) -> Iterator[FTPHost]:
    """Serve `folder` inside the block. With a certificate, the host requires TLS.

    Each login takes `login_seconds`. `answers` are its own replies to
    some commands, by their names. Without `close_notify` it closes encrypted data connections as
    many hosts do: at once.
    """
    host = FTPHost()
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm=permissions)

    class Handler(TLS_FTPHandler if certificate else FTPHandler):  # type: ignore[misc]
        banner = "Grüß Gott"
        tls_control_required = tls_data_required = True
        auth_failed_timeout = 0

        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            host.handlers.add(self)

        def close(self):
            host.handlers.discard(self)
            super().close()

        def pre_process_command(self, line, cmd, arg):
            host.commands.append(line)
            if answers and cmd in answers:
                self.respond(answers[cmd])
            elif cmd == "PASS" and login_seconds:
                loop.call_later(login_seconds, super().pre_process_command, line, cmd, arg)
            else:
                super().pre_process_command(line, cmd, arg)

    Handler.authorizer = authorizer
    Handler.certfile = str(certificate)
    Handler.encoding = encoding
    if certificate and not close_notify:
        Handler.dtp_handler = _AbruptDTPHandler
    loop = IOLoop()
    server = FTPServer(("127.0.0.1", 0), Handler, ioloop=loop)
    host.port = server.address[1]
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            loop.loop(timeout=0.02, blocking=False)
        server.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        stop.set()
        thread.join(timeout=10)


def self_made_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Write a certificate for 127.0.0.1 and its key; return the file and a trusting context."""
    path = self_signed(folder)
    return path, ssl.create_default_context(cafile=str(path))
