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
    """A descriptor whose output goes nowhere once the other end of the pipe is closed."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


CONTROL_CODES = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}


class _Terminal(io.TextIOWrapper):
    """Writes control codes out, as \\x1b."""

    def write(self, text: str, /) -> int:
        return super().write(text.translate(CONTROL_CODES))


def _nowhere() -> TextIO:
    """Return a stream for one that was closed before this program began, as by `>&-`."""
    return open(os.devnull, "w", encoding="utf-8")


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
