"""A proxy in front of PostgreSQL that can drop an answer: the work is done, but not confirmed."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

# The name of PostgreSQL's socket in the folder that a client gets as host.
SOCKET = ".s.PGSQL.5432"


class LossyProxy:
    """Passes on what both sides send, except for the one answer that it is to lose."""

    def __init__(self, server: Path, listener: socket.socket, url: str) -> None:
        self.url = url
        self._server = server
        self._listener = listener
        self._losing: bytes | None = None

    def lose_the_answer_to(self, words: bytes) -> None:
        """Cut the connection that sends `words` next, before its answer is passed on."""
        self._losing = words

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server))
            for each in (self._pass_questions, self._pass_answers):
                threading.Thread(target=each, args=(client, server), daemon=True).start()

    def _pass_questions(self, client: socket.socket, server: socket.socket) -> None:
        while said := _received(client):
            if self._losing and self._losing in said:
                self._losing = None
                # The other thread passes on nothing more; the server's answer ends here.
                client.shutdown(socket.SHUT_WR)
            server.sendall(said)
        server.close()

    def _pass_answers(self, client: socket.socket, server: socket.socket) -> None:
        while said := _received(server):
            try:
                client.sendall(said)
            except OSError:
                break
        client.close()


def _received(line: socket.socket) -> bytes:
    try:
        return line.recv(65536)
    except OSError:
        return b""


@contextmanager
def lossy_proxy(url: str) -> Iterator[LossyProxy]:
    """A proxy in front of the database at `url`, whose host is the folder of a socket."""
    server = sa.make_url(url)
    with tempfile.TemporaryDirectory(prefix="lossy-") as folder:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{folder}/{SOCKET}")
        listener.listen()
        proxy = LossyProxy(
            Path(str(server.query["host"])) / SOCKET,
            listener,
            server.update_query_dict({"host": folder}).render_as_string(hide_password=False),
        )
        threading.Thread(target=proxy.serve, daemon=True).start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
