"""Standard output and error, on consoles that aren't UTF-8 and in pipes whose reader has gone."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def adapt_to_console() -> None:
    """Print `?` for what the console can't show, and go on silently if its reader has gone.

    A terminal gets no control codes but line breaks and tabs. Words of a row, a file or a reply may
    hold some, which would change what it shows or what is on its clipboard.

    In `call … | head -1`, the call is sent, and the exit status tells what became of it.
    """
    sys.stdout = _adapted(sys.stdout or _nowhere())
    sys.stderr = _adapted(sys.stderr or _nowhere())


class _Console(io.FileIO):
    """A descriptor whose output goes nowhere once it can't be written.

    That is no problem if the other end of a pipe is closed, and else it is the `problem`. Raised in
    the middle of a command, it would keep that from following what it has sent.
    """

    problem = ""

    def write(self, data: ReadableBuffer, /) -> int:
        if not self.problem:
            try:
                return super().write(data)
            except BrokenPipeError:
                pass
            except OSError as error:
                self.problem = error.strerror or "it failed"
        return memoryview(data).nbytes


def problem_of_output() -> str:
    """Write what waits to be printed. Return why some of the output couldn't be, "" if all was."""
    sys.stdout.flush()
    buffer: object = sys.stdout.buffer
    console = buffer.raw if isinstance(buffer, io.BufferedWriter) else buffer
    return console.problem if isinstance(console, _Console) else ""


CONTROL_CODES = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}


class _Terminal(io.TextIOWrapper):
    """Writes control codes out, as \\x1b."""

    def write(self, text: str, /) -> int:
        return super().write(text.translate(CONTROL_CODES))


def _nowhere() -> TextIO:
    """Return a stream for one that was closed before this program began, as by `>&-`.

    Its descriptor stays open, or the next file would get that, and what is printed.
    """
    return open(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)


def _adapted(stream: TextIO) -> TextIO:
    stream.flush()
    console = _Console(stream.fileno(), "w", closefd=False)
    # With `python -u` or PYTHONUNBUFFERED, everything is written at once.
    unbuffered = getattr(stream, "write_through", False)
    kind = _Terminal if stream.isatty() else io.TextIOWrapper
    return kind(
        console if unbuffered else io.BufferedWriter(console),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=getattr(stream, "line_buffering", True),
        write_through=unbuffered,
    )
