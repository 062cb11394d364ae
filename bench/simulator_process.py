"""`python -m simulator` in a process of its own."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class Simulator:
    """A running simulator: its address and what its process has used."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process = process
        self.address = address

    def cpu_seconds(self) -> float:
        """CPU time so far; 0 if the system doesn't tell."""
        with contextlib.suppress(OSError), open(f"/proc/{self._process.pid}/stat") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
            return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        return 0


@contextmanager
def running(speed: float, *, on_one_core: bool = False) -> Iterator[Simulator]:
    """Run the simulator for as long as the block lasts; it listens when the block begins.

    On one core, where the system can do that, it gives steadier figures; several of them would
    share that core.
    """
    command = [sys.executable, "-m", "simulator", "--port=0", f"--speed={speed}"]
    process = subprocess.Popen(
        [*command, "--calls-per-second=100000"], stdout=subprocess.PIPE, text=True
    )
    try:
        if on_one_core and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
        assert process.stdout is not None
        announced = re.search(r"TWILIO_BASE_URL=(\S+)", process.stdout.readline())
        if announced is None:
            raise RuntimeError("The simulator did not start; what it says is above.")
        yield Simulator(process, announced[1])
    finally:
        process.terminate()
        process.wait(timeout=30)
