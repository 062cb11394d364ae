"""Let Python 3.11 remember what a Protocol asks for, as newer versions of Python do.

htmltools asks of every tag and of every text in one whether it fits a protocol, several times. In
Python 3.11 each answer begins with listing the protocol's members, which took a third of the time
in which the page is written, and a fifth of that in which a change is shown.
https://docs.python.org/3/whatsnew/3.12.html#typing
"""

from __future__ import annotations

import sys
import typing
from functools import lru_cache
from typing import Any

MOST_PROTOCOLS = 1000


def remember_protocols() -> None:
    """List the members of each protocol only once, in the whole process.

    Those added to a protocol later don't count, as from Python 3.12 on, where this has no effect.
    """
    found: Any = getattr(typing, "_get_protocol_attrs", None)
    if sys.version_info < (3, 12) and found and not hasattr(found, "cache_info"):
        typing._get_protocol_attrs = lru_cache(maxsize=MOST_PROTOCOLS)(found)  # type: ignore[attr-defined]
