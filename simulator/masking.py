"""Keeping passwords, and very long texts, out of what the simulator records."""

from __future__ import annotations

import re

LONGEST_LOGGED = 10_000
"""Characters of one text in the log; the longest TwiML in a request has 4,000."""


_SECRET_PARAMETERS = frozenset({"SipAuthPassword"})


_USER_AND_PASSWORD = re.compile(r"(?<=://)[^/?#\s]*@")


def shortened(text: str) -> str:
    """`text` without passwords, cut to LONGEST_LOGGED."""
    # Passwords first: a cut could take away the @ by which they are known.
    text = without_password(text)
    return text if len(text) <= LONGEST_LOGGED else f"{text[:LONGEST_LOGGED]}…"


def without_password(text: str) -> str:
    """`text` with the user and password of every URL in it masked."""
    return _USER_AND_PASSWORD.sub("********@", text)
