"""The rows of "Who did what"."""

from __future__ import annotations

import pytest

from access.actor import Actor
from access.audit import AuditPage
from access.audit_entry import Action, AuditEntry, Kind
from dashboard.activity.address import Address
from dashboard.activity.trail import TrailView, trail_parts

NUMBER = "+14125550105"


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (NUMBER, "Sent an alert to +1 412-555-0105"),
        ("Ben Adeyemi", "Sent an alert to Ben Adeyemi"),
        ("+99999999999", "Sent an alert to +99999999999"),
    ],
)
def test_numbers_are_written_as_people_write_them(about: str, words: str):
    done = AuditEntry.by(
        Actor.of_process(), Action.SENT, Kind.ALERTS, about, "a1", channel="call", to=NUMBER
    )
    view = TrailView(AuditPage((done,), has_newer=False, has_older=False), [], is_empty=False)
    parts, _ = trail_parts(view, Address({}), "UTC", str)
    html = str(parts["list"])
    assert words in html
    # What the sentence says already isn't said again.
    more = "Channel: call" if about == NUMBER else "Channel: call · to: +1 412-555-0105"
    assert f">{more}<" in html
