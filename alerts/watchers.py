"""Who in this process waits for news of which alert, and its newest state."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from alerts.alert import Alert

# None when nothing more will come.
News = asyncio.Queue[Alert | None]


class Watchers:
    """Used from one event loop; nothing here waits."""

    def __init__(self) -> None:
        self._known: dict[str, Alert] = {}
        self._queues: defaultdict[str, set[News]] = defaultdict(set)
        self._closed = False

    @contextmanager
    def news_of(self, alert_id: str) -> Iterator[News]:
        """A queue that gets the alert as far as it is known, then each change."""
        queue: News = asyncio.Queue()
        self._queues[alert_id].add(queue)
        if alert_id in self._known:
            queue.put_nowait(self._known[alert_id])
        if self._closed:
            queue.put_nowait(None)
        try:
            yield queue
        finally:
            self._queues[alert_id].discard(queue)
            if not self._queues[alert_id]:
                del self._queues[alert_id]
                self._known.pop(alert_id, None)

    @property
    def ids(self) -> list[str]:
        """The alerts that are watched."""
        return list(self._queues)

    def known(self, alert_id: str) -> Alert | None:
        """The newest state of an alert that is watched."""
        return self._known.get(alert_id)

    def tell(self, alert: Alert) -> bool:
        """Pass a state on to those who watch the alert; false if they know as much already."""
        known = self._known.get(alert.id)
        if alert.id not in self._queues or (known and len(known.events) >= len(alert.events)):
            return False
        self._known[alert.id] = alert
        for queue in self._queues[alert.id]:
            queue.put_nowait(alert)
        return True

    def close(self) -> None:
        """Let every watcher know that nothing more will come."""
        self._closed = True
        for queues in self._queues.values():
            for queue in queues:
                queue.put_nowait(None)
