"""A history with people and a week of alerts, as the pictures in the README show them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from alerts import AlertRequest, Event, Status
from alerts.phone_numbers import Regions
from alerts.tables import alerts, events
from database.database import Database
from database.tables import metadata
from people.contact import Contact
from people.contacts import Contacts
from simulator import SIMULATOR_ACCOUNT_SID
from tests.support.written_history import move, write, written_history

BREWERS, LAB = ("Brewers",), ("Lab", "On call")
PEOPLE = (
    Contact("", "Ben Adeyemi", ("+14125550104",), "en", groups=BREWERS),
    Contact("", "Clara Novak", ("+14125550106",), "en", groups=BREWERS),
    Contact("", "Maya Ortiz", ("+14128574309", "+14125550123"), "en", groups=LAB),
    Contact("", "Kaito Mori", ("+18085550173",), groups=LAB, notes="Sensory panel"),
    Contact("", "Nora Lindqvist", ("+12125550171",), groups=BREWERS, notes="On leave in May"),
    Contact("", "Paul Achebe", ("+13125550176",), groups=("On call",)),
)
OFF = AlertRequest("call", "+14125550104", "Batch 1407 is off.", user="Ines", acknowledge=True)
PASSED = AlertRequest("text", "+14125550106", "Lot 212 passed.", user="Ines")
ENDS = (Status.ACKNOWLEDGED, Status.DELIVERED, Status.UNANSWERED, Status.COMPLETED)
NOTES = {
    Status.SENDING: "On its way to Twilio",
    Status.PLACED: "Accepted by Twilio",
    Status.ANSWERED: "Answered",
    Status.ACKNOWLEDGED: "Pressed 1",
    Status.DELIVERED: "Delivered",
    Status.UNANSWERED: "Nobody answered",
    Status.COMPLETED: "Call ended",
}


async def seed(file: Path) -> None:
    """Write it into an SQLite file that need not be there."""
    async with written_history(f"sqlite:///{file}", SIMULATOR_ACCOUNT_SID) as history:
        for number in range(24):
            person, end = PEOPLE[number % len(PEOPLE)], ENDS[number % len(ENDS)]
            request = PASSED if end is Status.DELIVERED else OFF
            sent = replace(request, to=person.numbers[0], name=person.name)
            await write(history, f"alert-{number}", sent)
            is_answered = end in {Status.ACKNOWLEDGED, Status.COMPLETED}
            on_the_way = [Status.ANSWERED] if is_answered else []
            for status in (Status.SENDING, Status.PLACED, *on_the_way, end):
                await history.record(
                    f"alert-{number}", Event(datetime.now(UTC), status, NOTES[status])
                )
            await move(history, f"alert-{number}", datetime.now(UTC) - timedelta(hours=7 * number))
            await history.database.write(partial(_move_events, f"alert-{number}", 25200 * number))
    database = Database(f"sqlite:///{file}", metadata)
    await database.open()
    contacts = Contacts(database, Regions("US", ("US",)))
    for person in PEOPLE:
        await contacts.save(person)
    await database.close()


def _move_events(alert_id: str, seconds: float, connection: sa.Connection) -> None:
    """Let what happened to an alert have happened earlier."""
    of_alert = events.c.alert_id == alert_id
    connection.execute(sa.update(events).where(of_alert).values(at=events.c.at - seconds))
    earlier = {"since": alerts.c.since - seconds}
    connection.execute(sa.update(alerts).where(alerts.c.id == alert_id).values(earlier))
