"""The newest state of the alerts that somebody in this process is waiting for."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from alerts.alert import Alert

# None when nothing more will come.
News = asyncio.Queue[Alert | None]


class Watching:
    """Who waits for news of which alert, and what is known of it meanwhile.

    Used from one event loop; nothing here waits.
    """

    def __init__(self) -> None:
        self._known: dict[str, Alert] = {}
        self._watchers: defaultdict[str, set[News]] = defaultdict(set)
        self._closed = False

    @contextmanager
    def news_of(self, alert_id: str) -> Iterator[News]:
        """A queue that gets the alert as far as it is known, then each change."""
        queue: News = asyncio.Queue()
        self._watchers[alert_id].add(queue)
        if alert_id in self._known:
            queue.put_nowait(self._known[alert_id])
        if self._closed:
            queue.put_nowait(None)
        try:
            yield queue
        finally:
            self._watchers[alert_id].discard(queue)
            if not self._watchers[alert_id]:
                del self._watchers[alert_id]
                self._known.pop(alert_id, None)

    @property
    def ids(self) -> list[str]:
        """The alerts that somebody waits for."""
        return list(self._watchers)

    def known(self, alert_id: str) -> Alert | None:
        """What is known of an alert that somebody waits for."""
        return self._known.get(alert_id)

    def tell(self, alert: Alert) -> None:
        """Tell whoever waits for it, unless they know as much already."""
        known = self._known.get(alert.id)
        if alert.id not in self._watchers or (known and len(known.events) >= len(alert.events)):
            return
        self._known[alert.id] = alert
        for queue in self._watchers[alert.id]:
            queue.put_nowait(alert)

    def close(self) -> None:
        """Let everybody know that nothing more will come."""
        self._closed = True
        for queues in self._watchers.values():
            for queue in queues:
                queue.put_nowait(None)
