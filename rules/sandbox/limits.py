"""What a check's process may use, and what it gives up before it sees a query.

https://docs.python.org/3/library/resource.html
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
import time
from dataclasses import dataclass

MEMORY_BYTES = 1_280 << 20
TOO_MUCH_MEMORY = (
    "The query needs more memory than a check may use: select fewer columns or rows, or aggregate "
    "before sorting."
)
FILES_BESIDE_SOURCES = 64
# The zygote has a handful open, and the lowest numbers are given out first.
MOST_DESCRIPTORS = 1024
PR_SET_PDEATHSIG = 1
WATCH_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Layers:
    """Which layers of protection are on: all, except in tests that try each alone."""

    guard: bool = True
    landlock: bool = True
    duckdb_locks: bool = True
    process_limits: bool = True


ALL_LAYERS = Layers()


def close_descriptors(kept: int) -> int:
    """Close every file but one, which becomes number 3; the standard ones become /dev/null."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if kept != 3:
        os.dup2(kept, 3)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.closerange(4, MOST_DESCRIPTORS)
    return 3


def die_with_parent(parent: int) -> None:
    """End this process when its parent ends. Only Linux can; elsewhere the CPU limit has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        # If the machine runs out of memory, the kernel should kill a check first, never the app.
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")


def limit_process(seconds: float, files: int) -> None:
    """Limit memory, CPU time, open files and clock time, and forbid writing to files."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CPU, int(seconds) + 2)
    # Each source may be open more than once.
    _lower(resource.RLIMIT_NOFILE, FILES_BESIDE_SOURCES + 4 * files)
    if not _lower(resource.RLIMIT_AS, MEMORY_BYTES) or sys.platform == "darwin":
        threading.Thread(target=_watch_memory, daemon=True).start()
    # This alarm is for when the process that should stop this one is stuck itself.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + 2)


def _lower(what: int, to: int) -> bool:
    """Lower a limit for good; returns whether the system accepted it."""
    _, most = resource.getrlimit(what)
    bound = to if most == resource.RLIM_INFINITY else min(to, most)
    try:
        resource.setrlimit(what, (bound, bound))
    except (OSError, ValueError):
        return False
    return True


def _watch_memory() -> None:
    """End the process once it has used too much memory: macOS knows the limit but doesn't keep it.

    On macOS the figure is in bytes, on Linux in kilobytes.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit < MEMORY_BYTES:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGABRT)
