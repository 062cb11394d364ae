"""Words from outside in the log (of rows, rules, visitors, requests): one line each, and not many.

In a file of its own because alerts, rules and pages all need it.
"""

from __future__ import annotations

import logging
import time

MOST_LINES_PER_MINUTE = 10
MOST_QUOTED_CHARACTERS = 100


def on_one_line(words: object) -> str:
    r"""Return words in which nothing can pass for a further line, or change how the log is shown.

    Line breaks, terminals' control codes and marks of direction become \n, \x1b, \u202e and so on.
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in str(words)
    )


def quoted(text: str) -> str:
    """Return what a visitor sent, in quotes, cut and in ASCII, for use in a sentence of the log.

    Stricter than `on_one_line`, because it may be a host that only looks like another.
    """
    short = text[:MOST_QUOTED_CHARACTERS]
    return ascii(short) + ("…" if len(text) > MOST_QUOTED_CHARACTERS else "")


class LimitedLog:
    """A logger for warnings that any visitor can cause: ten a minute, then a count of the rest."""

    def __init__(self, name: str) -> None:
        self._log = logging.getLogger(name)
        self._minute_began = 0.0
        self._lines = 0

    def warning(self, sentence: str) -> None:
        """Log a sentence, unless this minute has had its ten lines."""
        now = time.monotonic()
        if now - self._minute_began >= 60:
            left_out = self._lines - MOST_LINES_PER_MINUTE
            if left_out > 0:
                self._log.warning("%d more warnings like these were left out.", left_out)
            self._minute_began, self._lines = now, 0
        self._lines += 1
        if self._lines <= MOST_LINES_PER_MINUTE:
            self._log.warning("%s", sentence)
