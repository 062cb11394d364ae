"""An FTP host for tests: pyftpdlib, plain or with TLS, that records its commands."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
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

    def url(self, folder: str = "", login: str = IN_URL, scheme: str = "ftp") -> str:
        return f"{scheme}://{login}@127.0.0.1:{self.port}{folder}"

    def sent(self, *verbs: str) -> list[str]:
        return [command for command in self.commands if command.split()[0] in verbs]


@contextmanager
def ftp_host(
    folder: Path, permissions: str = "elradfmwMT", certificate: Path | None = None
) -> Iterator[FTPHost]:
    """Serve `folder` inside the block. With a certificate, the host requires TLS."""
    host = FTPHost()
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm=permissions)

    class Handler(TLS_FTPHandler if certificate else FTPHandler):  # type: ignore[misc]
        banner = "ready"
        tls_control_required = tls_data_required = True
        auth_failed_timeout = 0

        def pre_process_command(self, line, cmd, arg):
            host.commands.append(line)
            super().pre_process_command(line, cmd, arg)

    Handler.authorizer = authorizer
    Handler.certfile = str(certificate)
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
