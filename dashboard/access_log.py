"""Keep numbers and messages out of the server's access log.

Twilio fetches documents with GET and puts its parameters into the address: whose number, who
called, what was said. uvicorn logs addresses whole.
https://www.twilio.com/docs/voice/twiml#request-parameters
"""

from __future__ import annotations

import logging
import re

# Below whatever path the app is served at.
OF_TWILIO = re.compile(r"/(?:twiml|twilio)/[^?]*\?")
LOGGER = "uvicorn.access"


class WithoutQueries(logging.Filter):
    """Cut what follows the ? in addresses that Twilio asks for; no record is dropped."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return true, with the record's addresses cut."""
        if isinstance(record.args, tuple):
            record.args = tuple(map(_cut, record.args))
        return True


def keep_queries_out() -> None:
    """Let uvicorn's access log say nothing of the parameters of Twilio's requests."""
    logger = logging.getLogger(LOGGER)
    if not any(isinstance(each, WithoutQueries) for each in logger.filters):
        logger.addFilter(WithoutQueries())


def _cut(part: object) -> object:
    if not isinstance(part, str):
        return part
    found = OF_TWILIO.search(part)
    return f"{part[: found.end()]}…" if found else part
