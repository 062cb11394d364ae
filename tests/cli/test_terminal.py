"""What others wrote changes nothing on a terminal."""

from __future__ import annotations

import os
import sys

from cli.output import adapt_to_console


def test_a_terminal_gets_no_control_codes_of_others(monkeypatch):
    ours, theirs = os.openpty()
    with open(theirs, "w", encoding="utf-8") as terminal, open(ours, "rb", buffering=0) as screen:
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setattr(sys, "stderr", terminal)
        adapt_to_console()
        print("Batch \x1b]52;c;cm0=\x07 14\x9b2J07\r, José ✓")
        sys.stdout.flush()
        shown = screen.read(1000).decode()
    assert shown == "Batch \\x1b]52;c;cm0=\\x07 14\\x9b2J07\\x0d, José ✓\r\n"
