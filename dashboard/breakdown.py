"""What a page says when Callboard itself, or its database, fails."""

from __future__ import annotations

import logging

from alerts import DatabaseError

log = logging.getLogger(__name__)


def in_words(error: BaseException) -> str:
    """One sentence for people; what they can't know about goes to the log."""
    if isinstance(error, DatabaseError):
        return str(error)
    log.error("Callboard failed", exc_info=error)
    return "Callboard itself failed at this. Its log says why."
