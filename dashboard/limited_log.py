"""A log for what any visitor can cause: a few lines a minute, however often it happens."""

from __future__ import annotations

import logging
import time

MOST_LINES_PER_MINUTE = 10
MOST_QUOTED_CHARACTERS = 100


class LimitedLog:
    """A logger that writes ten warnings a minute, and then how many more there were."""

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)
        self._minute_began = 0.0
        self._lines = 0

    def warning(self, sentence: str) -> None:
        """Log a sentence, unless this minute has had its lines."""
        now = time.monotonic()
        if now - self._minute_began >= 60:
            left_out = self._lines - MOST_LINES_PER_MINUTE
            if left_out > 0:
                self._log.warning("%d more warnings like these were left out.", left_out)
            self._minute_began, self._lines = now, 0
        self._lines += 1
        if self._lines <= MOST_LINES_PER_MINUTE:
            self._log.warning("%s", sentence)


def quoted(text: str) -> str:
    """Return what a visitor sent, short and on one line, for use in a sentence of the log."""
    short = text[:MOST_QUOTED_CHARACTERS]
    return ascii(short) + ("…" if len(text) > MOST_QUOTED_CHARACTERS else "")
