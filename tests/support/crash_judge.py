"""Compares what the simulator accepted with what was to be sent and with the history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from alerts import Alert, AlertRequest
from alerts.status import Status
from simulator.log import MOST_ENTRIES
from tests.support.crash_sender import AUTH_TOKEN

# Alerts are told apart by channel, number and words.
Key = tuple[str, str, str]
ACCEPTED_ALL_THE_SAME = {"500-after", "drop-after"}
# Twilio's final statuses, and ours.
ENDS = {
    "completed": "completed",
    "busy": "unanswered",
    "no-answer": "unanswered",
    "failed": "failed",
    "delivered": "delivered",
    "undelivered": "failed",
}


@dataclass(frozen=True)
class Simulation:
    """One account in the simulator, seen through its log and its REST API."""

    address: str
    account_sid: str

    def order(self, faults: Iterable[Mapping[str, object]]) -> None:
        """Order faults from the simulator."""
        with self._client() as client:
            for each in faults:
                client.post("/simulator/faults", json=each).raise_for_status()

    def clear(self) -> None:
        """Cancel all faults."""
        with self._client() as client:
            client.delete("/simulator/faults").raise_for_status()

    def accepted(self) -> Counter[Key]:
        """How often each call and text was accepted, according to the log."""
        with self._client() as client:
            log = client.get("/simulator/log").raise_for_status().json()
        assert len(log) < MOST_ENTRIES, "the log has forgotten its beginning"
        return Counter(
            _key(entry["path"], dict(entry["parameters"]))
            for entry in log
            if entry["account"] == self.account_sid and _is_accepted(entry)
        )

    def resources(self) -> dict[str, dict[str, Any]]:
        """Every call and text that exists, by SID."""
        found: list[dict[str, Any]] = []
        with self._client() as client:
            for name in ("Calls", "Messages"):
                path = f"/2010-04-01/Accounts/{self.account_sid}/{name}.json"
                page = client.get(path, params={"PageSize": "1000"}).raise_for_status().json()
                found += page[name.lower()]
        return {each["sid"]: each for each in found}

    def _client(self) -> httpx.Client:
        credentials = (self.account_sid, AUTH_TOKEN)
        return httpx.Client(base_url=self.address, auth=credentials, timeout=30)


def complaints(
    simulation: Simulation, requests: Sequence[AlertRequest], history: Mapping[str, Alert]
) -> list[str]:
    """Everything that is wrong, in words; empty if each alert was sent exactly once."""
    accepted = simulation.accepted()
    wanted: Counter[Key] = Counter((each.channel, each.to, each.message) for each in requests)
    found = [
        f"{key} was accepted {accepted[key]} times instead of {wanted[key]}"
        for key in wanted | accepted
        if accepted[key] != wanted[key]
    ]
    resources = simulation.resources()
    if len(resources) != sum(accepted.values()):
        found.append(f"{len(resources)} calls and texts exist, which the log doesn't bear out")
    sids = Counter(alert.sid for alert in history.values())
    found += [f"{sid} belongs to {number} alerts" for sid, number in sids.items() if number > 1]
    for request in requests:
        alert = history.get(str(request.id))
        if alert is None:
            found.append(f"the history has no {request.id}")
        else:
            found += [f"{alert.id}: {each}" for each in _disagreements(alert, request, resources)]
    return found


def _disagreements(
    alert: Alert, request: AlertRequest, resources: Mapping[str, Mapping[str, Any]]
) -> Iterable[str]:
    resource = resources.get(alert.sid or "")
    if resource is None:
        yield f"no call or text has its SID {alert.sid}; it is {alert.status}: {alert.error}"
        return
    if (resource["to"], resource.get("body", request.message)) != (request.to, request.message):
        yield f"{alert.sid} is another alert's"
    if ENDS.get(resource["status"]) != alert.status.value:
        yield f"it is {alert.status} here and {resource['status']} there"
    placed = [event for event in alert.events if event.news and event.status is Status.PLACED]
    if len(placed) != 1:
        yield f"it was placed {len(placed)} times"


def _is_accepted(entry: Mapping[str, Any]) -> bool:
    if (entry["direction"], entry["method"]) != ("in", "POST"):
        return False
    return entry["status"] == 201 or entry["fault"] in ACCEPTED_ALL_THE_SAME


def _key(path: str, form: Mapping[str, str]) -> Key:
    if path.endswith("/Messages.json"):
        return "text", form["To"], form["Body"]
    words = re.search(r"<Say[^>]*>(.*?)</Say>", form["Twiml"])
    assert words is not None, form
    return "call", form["To"], words[1]
