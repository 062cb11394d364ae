"""Zygotes of the sandbox that needn't import DuckDB first, which takes longer than most queries.

A process that has loaded what a zygote loads forks one whenever a test wants one. Each serves its
sandbox with the code that it always runs, and ends as always.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache

from rules.sandbox.zygote_process import LOAD, arguments_for

PID_BYTES = 8
# Sandboxes start their zygotes in threads.
ONE_AT_A_TIME = threading.Lock()
# Loads the sandbox as the app has it loaded, and then forks.
START = f"""{LOAD}
import gc, os, signal, socket
from rules.sandbox import zygote
database = zygote.open_database()
gc.collect()
gc.freeze()
# What is forked needn't be waited for.
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
orders = socket.socket(fileno=int(sys.argv[3]))
while True:
    order, controls, _, _ = socket.recv_fds(orders, 1, 1)
    if not order:
        break
    pid = os.fork()
    if pid == 0:
        orders.close()
        os.setsid()
        zygote.open_database = lambda: database
        zygote.main(*controls)
        os._exit(0)
    os.close(*controls)
    orders.sendall(pid.to_bytes(8, "big"))
"""


class ForkedZygote:
    """A zygote that runs, used like a `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended: int | None = None
        with suppress(ProcessLookupError):
            self._ended = os.pidfd_open(pid)

    def wait(self, timeout: float | None = None) -> None:
        """Wait for its end, as `subprocess.Popen.wait` does."""
        if self._ended is None:
            return
        if not select.select([self._ended], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("zygote", timeout or 0)
        os.close(self._ended)
        self._ended = None

    def kill(self) -> None:
        """End it, if it runs."""
        if self._ended is not None:
            signal.pidfd_send_signal(self._ended, signal.SIGKILL)


def forked_zygote(control: int) -> ForkedZygote:
    """Start a zygote that serves the app at the other end of a socket."""
    with ONE_AT_A_TIME:
        orders = _orders()
        socket.send_fds(orders, [b"."], [control])
        pid = orders.recv(PID_BYTES, socket.MSG_WAITALL)
    return ForkedZygote(int.from_bytes(pid, "big"))


@cache
def _orders() -> socket.socket:
    """Start the process that forks zygotes; return the socket for its orders."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", START, *arguments_for(theirs.fileno())],
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )

    def end() -> None:
        ours.close()
        process.wait(timeout=30)

    atexit.register(end)
    return ours
