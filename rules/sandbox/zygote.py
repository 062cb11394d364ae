"""The process that forks a child for each check. It has imported DuckDB, and runs no thread.

Importing DuckDB and opening a database take a third of a second; forking a process that has done so
takes a few milliseconds. The zygote reads neither queries nor children's answers: it only hands the
app's channel on to a child.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
from typing import NoReturn

import duckdb

from rules.sandbox.child import be_child
from rules.sandbox.locked_database import open_database
from rules.sandbox.orders import COULD_NOT_FORK, ENDED, FORK, KILL, ORDER

# The unit of `ru_maxrss`.
MEMORY_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024


class Zygote:
    """Forks, kills and reaps children for as long as the app's end of `control` is open."""

    def __init__(self, control: socket.socket, database: duckdb.DuckDBPyConnection) -> None:
        self._control = control
        self._database = database
        self._children: dict[int, int] = {}
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)

    def serve(self) -> None:
        """Do what the app orders until it goes away; then end all children."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        try:
            while self._serve_once():
                pass
        finally:
            for pid in self._children.values():
                os.kill(pid, signal.SIGKILL)

    def _serve_once(self) -> bool:
        control = self._control.fileno()
        ready, _, _ = select.select([control, self._woken], [], [])
        if self._woken in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._woken, 4096)
            self._reap()
        return control not in ready or self._obey()

    def _obey(self) -> bool:
        # One order at a time: reading on would mix up the channels that come with them.
        order, channels, _, _ = socket.recv_fds(self._control, ORDER.size, 1)
        if len(order) < ORDER.size:
            return False
        what, number = ORDER.unpack(order)
        if what == FORK and channels:
            self._fork(number, socket.socket(fileno=channels[0]))
        elif what == KILL and number in self._children:
            # The child wasn't reaped yet, so the process id is still its own.
            os.kill(self._children[number], signal.SIGKILL)
        return True

    def _fork(self, number: int, channel: socket.socket) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            self._tell(number, COULD_NOT_FORK, 0)
        else:
            if pid == 0:
                self._become(channel, parent)
            self._children[number] = pid
        channel.close()

    def _become(self, channel: socket.socket, parent: int) -> NoReturn:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        be_child(channel, parent, self._database)

    def _reap(self) -> None:
        numbers = {pid: number for number, pid in self._children.items()}
        while self._children:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if not pid:
                return
            number = numbers[pid]
            del self._children[number]
            self._tell(number, status, usage.ru_maxrss * MEMORY_UNIT_BYTES)

    def _tell(self, number: int, status: int, memory: int) -> None:
        self._control.sendall(ENDED.pack(number, status, memory))


def main(control: int) -> None:
    """Serve the app at the other end of a socket, until it goes away."""
    database = open_database()
    # Memory is shared with all children until one of them writes to it.
    gc.collect()
    gc.freeze()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        Zygote(socket.socket(fileno=control), database).serve()
