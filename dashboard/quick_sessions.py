"""An app whose sessions stay quick while a hundred people use it at once.

After each change by any visitor, Shiny for Python flushes every session, and sends each an update,
which is empty for all but one. With 100 visitors who type at once that is 10,000 flushes a second,
and most of the server's time. (Shiny for R flushes only the sessions that need it.)
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from shiny import App
from shiny.session._session import AppSession

# How a page says whether one of its outputs can be seen.
HIDDEN = re.compile(r"\.clientdata_output_(?P<output>.+)_hidden", re.DOTALL)


class QuickSession(AppSession):
    """A session that is flushed only if it has something to tell its page.

    Shiny marks such sessions by `_request_flush`, but flushes all of them all the same.
    """

    _has_news = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._hidden: dict[str, bool] = {}
        super().__init__(*args, **kwargs)

    def _request_flush(self) -> None:
        self._has_news = True
        super()._request_flush()

    async def _send_message(self, message: dict[str, Any]) -> None:
        # Any other message is to be followed by an update, which may be empty: that tells the page
        # that what was being recalculated is up to date.
        self._has_news = "values" not in message
        await super()._send_message(message)

    async def _flush(self) -> None:
        waiting = self._flush_callbacks.count() + self._flushed_callbacks.count()
        if self._has_news or waiting:
            await super()._flush()

    def _increment_busy_count(self) -> None:
        """Send no message that the server is busy.

        Only Shiny's pulse and the events `shiny:busy` and `shiny:idle` need it. The dashboard has
        neither, and two messages fewer at each change count.
        """

    def _decrement_busy_count(self) -> None:
        """Send no message that the server is idle, as above."""

    def _manage_inputs(self, data: dict[str, object]) -> None:
        for name, value in data.items():
            if hidden := HIDDEN.fullmatch(name):
                self._hidden[hidden["output"]] = bool(value)
        super()._manage_inputs(data)

    def _is_hidden(self, name: str) -> bool:
        # Shiny asks this of every output at each change. Its own answer builds a reactive context
        # for each, which takes a sixth of all that a change in a form takes.
        return self._hidden.get(name, True)


class QuickApp(App):
    """A Shiny app with quick sessions."""

    def _create_session(self, conn: Any) -> AppSession:
        session = QuickSession(self, secrets.token_hex(32), conn, debug=self._debug)
        self._sessions[session.id] = session
        return session
