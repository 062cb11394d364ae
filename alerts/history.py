"""What became of every alert. In memory for now: it lasts as long as the process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator

from alerts.alert import Alert

KEPT = 10_000


class History:
    """The newest state of each alert, by id, for whoever asks and for whoever watches.

    Used from one event loop; nothing here waits.
    """

    def __init__(self) -> None:
        self._alerts: dict[str, Alert] = {}
        self._watchers: defaultdict[str, set[asyncio.Queue[Alert]]] = defaultdict(set)

    def record(self, alert: Alert) -> Alert:
        """Keep `alert` as the newest state and tell its watchers; gives it back."""
        if alert is not self._alerts.get(alert.id):
            self._alerts[alert.id] = alert
            self._forget_the_oldest()
            for queue in self._watchers.get(alert.id, ()):
                queue.put_nowait(alert)
        return alert

    def get(self, alert_id: str) -> Alert | None:
        """The alert as it stands, or None if nobody has sent it."""
        return self._alerts.get(alert_id)

    async def watch(self, alert_id: str) -> AsyncGenerator[Alert]:
        """The alert as it stands, then each change, up to the final one. Waits for unsent ids."""
        queue: asyncio.Queue[Alert] = asyncio.Queue()
        self._watchers[alert_id].add(queue)
        try:
            alert = self._alerts.get(alert_id) or await queue.get()
            yield alert
            while not alert.status.final:
                alert = await queue.get()
                yield alert
        finally:
            self._watchers[alert_id].discard(queue)
            if not self._watchers[alert_id]:
                del self._watchers[alert_id]

    def _forget_the_oldest(self) -> None:
        if len(self._alerts) > KEPT:
            oldest = next((a for a in self._alerts.values() if a.status.final), None)
            if oldest:
                del self._alerts[oldest.id]
