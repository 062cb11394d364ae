"""The app's side of the zygote: starting it, making it fork children, learning how they ended."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# Not `rules.sandbox.zygote`, which imports DuckDB.
from rules.sandbox.orders import ENDED, FORK, KILL, ORDER

# Only the sandbox is loaded there, without the packages around it: code can't reach what isn't in
# its process.
LOAD = """
import json, sys, types
sys.path[:] = json.loads(sys.argv[1])
for name, folder in json.loads(sys.argv[2]).items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [folder]
"""
START = f"""{LOAD}
from rules.sandbox.zygote import main
main(int(sys.argv[3]))
"""
HERE = Path(__file__).resolve().parent
PACKAGES = {"rules": str(HERE.parent), "rules.sandbox": str(HERE)}
# An interpreter may need these variables to find its own libraries. Nothing else is passed on,
# above all no setting.
PASSED_ON = ("DYLD_LIBRARY_PATH", "LD_LIBRARY_PATH")
END_SECONDS = 5.0
SEND_AGAIN_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended: its status as `os.wait4` has it, and the most memory it held, in bytes."""

    status: int
    memory: int


class ZygoteProcess:
    """A running zygote. If it isn't closed, it ends when the app does."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._process = process
        self._control = control
        self._numbers = 0
        self._heard = b""
        # None: the zygote itself is gone, so it isn't known.
        self._endings: dict[int, asyncio.Future[Ending | None]] = {}
        self._killing: set[asyncio.Task[Ending | None]] = set()
        self.is_gone = False
        asyncio.get_running_loop().add_reader(control, self._hear)

    @classmethod
    async def start(cls) -> ZygoteProcess:
        """Start the process. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.to_thread(_popen, theirs.fileno())
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        return cls(process, ours)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def fork(self) -> tuple[int, socket.socket]:
        """Fork a child; return its number and our end of the channel to it.

        Raises ConnectionError if the zygote is gone.
        """
        self._numbers += 1
        number = self._numbers
        ours, theirs = socket.socketpair()
        try:
            await self._order(FORK, number, theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._endings[number] = asyncio.get_running_loop().create_future()
        return number, ours

    async def kill(self, number: int) -> Ending | None:
        """End a child if it still runs, and return how it ended; None if the zygote is gone."""
        ending = self._endings[number]
        try:
            if not ending.done():
                await self._order(KILL, number)
            return await ending
        except ConnectionError:
            return None
        finally:
            self._endings.pop(number, None)

    def kill_soon(self, number: int) -> None:
        """End a child if it still runs, without waiting for that."""
        task = asyncio.create_task(self.kill(number))
        self._killing.add(task)
        task.add_done_callback(self._killing.discard)

    async def close(self) -> None:
        """End the process, and with it its children."""
        self._lose()
        await asyncio.to_thread(_ended, self._process)

    async def _order(self, what: int, number: int, channel: socket.socket | None = None) -> None:
        channels = [channel.fileno()] if channel else []
        while not self.is_gone:
            try:
                socket.send_fds(self._control, [ORDER.pack(what, number)], channels)
                return
            except BlockingIOError:
                await asyncio.sleep(SEND_AGAIN_SECONDS)
            except OSError:
                self._lose()
        raise ConnectionError("the process that runs rules' queries is gone")

    def _hear(self) -> None:
        try:
            part = self._control.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        if not part:
            self._lose()
            return
        self._heard += part
        while len(self._heard) >= ENDED.size:
            told, self._heard = self._heard[: ENDED.size], self._heard[ENDED.size :]
            number, status, memory = ENDED.unpack(told)
            self._end(number, Ending(status, memory))

    def _end(self, number: int, ending: Ending | None) -> None:
        waiting = self._endings.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(ending)

    def _lose(self) -> None:
        if self.is_gone:
            return
        self.is_gone = True
        asyncio.get_running_loop().remove_reader(self._control)
        self._control.close()
        for number in self._endings:
            self._end(number, None)


def arguments_for(control: int) -> tuple[str, str, str]:
    """Return the arguments for a program that begins with LOAD; the last is its socket."""
    path = [str(Path(each).resolve()) for each in sys.path]
    return json.dumps(path), json.dumps(PACKAGES), str(control)


def _popen(control: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-I", "-c", START, *arguments_for(control)],
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[control],
        # Ctrl-C is for the app, which then ends this process in its own time.
        start_new_session=True,
    )


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
