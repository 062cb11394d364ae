"""The list of people: found, paged and counted, with what is known of each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import AlertRequest, Status
from alerts.alert import NewAlert
from alerts.records import new_alert, new_alert_row, new_position
from alerts.tables import alerts, texting_states
from database.database import Database
from people import listing
from people.contact import Contact
from people.contacts import Contacts
from people.groups import Group
from people.listing import Listing, PeopleFilter, is_quiet

ACCOUNT = "AC1"
PEOPLE = [
    Contact("", "Amelia Hart", ("+61 2 5550 1420",), "English", groups=("Quarry Lane",)),
    Contact(
        "", "Ben Adeyemi", ("412 555 0123", "412 555 0124"), groups=("Hollow Elm", "Lab on call")
    ),
    Contact("", "Clara Novak", ("+44 20 7946 0958",)),
    Contact("", "Émile Noir", ("412 555 0147", "412 555 0148 x12"), groups=("Hollow Elm",)),
    Contact("", "ben small", ("412 555 0150 x7",)),
]  # fmt: skip


@pytest.fixture
async def saved(contacts: Contacts) -> dict[str, Contact]:
    return {each.name: await contacts.save(each) for each in PEOPLE}


@pytest.fixture
def people(database: Database, saved: dict[str, Contact]) -> Listing:
    return Listing(database, ACCOUNT)


async def names(people: Listing, **wanted: Any) -> list[str]:
    page = await people.page(PeopleFilter(**wanted), 0, 10)
    assert page.total == len(page.people)
    return [each.contact.name for each in page.people]


async def write_alert(
    database: Database,
    to: str,
    status: Status,
    days_ago: float = 0,
    account: str = ACCOUNT,
    *,
    then_to: tuple[str, ...] = (),
) -> str:
    at = datetime.fromtimestamp(time.time() - days_ago * 24 * 3600, UTC)
    alert_id = f"{to}-{status}-{days_ago}-{account}"
    new = NewAlert(alert_id, AlertRequest("call", to, "Hello", then_to=then_to), "+17248675309")
    row = new_alert_row(new_alert(new, at), new, account, new_position(at)) | {
        "status": status.value, "is_open": False, "revision": 0,
    }  # fmt: skip
    await database.write(lambda connection: connection.execute(sa.insert(alerts), [row]) and None)
    return alert_id


async def test_by_name_whatever_its_case_and_accents(people: Listing):
    assert await names(people) == [
        "Amelia Hart", "Ben Adeyemi", "ben small", "Clara Novak", "Émile Noir",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ben", ["Ben Adeyemi", "ben small"]),
        ("adeyemi ben", ["Ben Adeyemi"]),
        ("EMILE", ["Émile Noir"]),
        ("hollow", ["Ben Adeyemi", "Émile Noir"]),
        ("hollow ben", ["Ben Adeyemi"]),
        ("(412) 555-0148", ["Émile Noir"]),
        ("020 7946", ["Clara Novak"]),
        ("+61", []),
        ("%", []),
        ("_", []),
        ("nobody", []),
        ("x" * 10_000, []),
    ],
)
async def test_search(people: Listing, search: str, found: Sequence[str]):
    assert await names(people, search=search) == found


async def test_pages_and_ids(people: Listing, saved: dict[str, Contact]):
    second = await people.page(PeopleFilter(), 2, 2)
    assert [each.contact.name for each in second.people] == ["ben small", "Clara Novak"]
    assert (second.first, second.total) == (2, 5)
    too_far = await people.page(PeopleFilter(), 100, 2)
    assert (too_far.first, [each.contact.name for each in too_far.people]) == (4, ["Émile Noir"])
    assert await people.ids(PeopleFilter(group="hollow elm")) == [
        saved["Ben Adeyemi"].id, saved["Émile Noir"].id,
    ]  # fmt: skip
    nobody = await people.page(PeopleFilter(group="no such group"), 10, 2)
    assert (nobody.people, nobody.first, nobody.total) == ((), 0, 0)


async def test_the_last_alert_is_the_newest_to_any_number(people: Listing, database: Database):
    await write_alert(database, "+14125550147", Status.UNANSWERED, 2)
    newest = await write_alert(database, "+14125550148,12", Status.COMPLETED, 1)
    # To a colleague's extension, on another account.
    await write_alert(database, "+14125550148,13", Status.COMPLETED)
    await write_alert(database, "+14125550147", Status.COMPLETED, account="AC2")
    page = await people.page(PeopleFilter(search="emile"), 0, 10)
    assert page.people[0].last is not None
    assert page.people[0].last.id == newest
    page = await people.page(PeopleFilter(search="amelia"), 0, 10)
    assert page.people[0].last is None


async def test_why_texts_cannot_go_there(people: Listing, database: Database):
    rows = [
        {"number": number, "account_sid": account, "state": state, "since": 1_700_000_000.0}
        for number, account, state in [
            ("+14125550147", ACCOUNT, "landline"),
            ("+14125550148", ACCOUNT, "stop"),
            ("+14125550123", ACCOUNT, "landline"),
            ("+442079460958", "AC2", "stop"),
        ]
    ]
    await database.write(
        lambda connection: connection.execute(sa.insert(texting_states), rows) and None
    )
    page = await people.page(PeopleFilter(), 0, 10)
    found = {each.contact.name: each.texting and each.texting.state for each in page.people}
    assert found == {
        "Amelia Hart": None, "Ben Adeyemi": "landline", "ben small": None, "Clara Novak": None,
        "Émile Noir": "stop",
    }  # fmt: skip


async def test_counts_and_glances(
    people: Listing, database: Database, monkeypatch: pytest.MonkeyPatch
):
    # Ben was reached later, at his other number. Émile wasn't. Clara's alert is too long ago.
    await write_alert(database, "+14125550123", Status.UNANSWERED, 2)
    await write_alert(database, "+14125550124", Status.COMPLETED, 1)
    await write_alert(database, "+14125550147", Status.UNANSWERED, 2)
    await write_alert(database, "+442079460958", Status.UNANSWERED, 9)
    await write_stop(database, "+442079460958")
    monkeypatch.setattr(listing, "is_quiet", lambda _, zone: zone == "Australia/Sydney")
    counts = await people.counts()
    assert counts.everybody == 5
    assert counts.groups == (
        Group("Hollow Elm", 2),
        Group("Lab on call", 1),
        Group("Quarry Lane", 1),
    )
    assert (counts.quiet, counts.stop, counts.unreached) == (1, 1, 1)
    assert await names(people, glance="quiet") == ["Amelia Hart"]
    assert await names(people, glance="stop") == ["Clara Novak"]
    assert await names(people, glance="unreached") == ["Émile Noir"]
    assert await names(people, glance="unreached", search="ben") == []


async def test_glances_at_people_with_an_extension(
    people: Listing, contacts: Contacts, database: Database
):
    await contacts.save(Contact("", "Colleague", ("412 555 0150 x8",)))
    await contacts.save(Contact("", "Third", ("412 555 0160 x9",)))
    await write_alert(database, "+14125550150,7", Status.UNANSWERED, 2)
    # Not to him: to a colleague's extension, and to one that begins like his.
    await write_alert(database, "+14125550150,8", Status.COMPLETED, 1)
    await write_alert(database, "+14125550150,71", Status.COMPLETED, 1)
    assert await names(people, glance="unreached") == ["ben small"]
    # At the plain number of the next person, and then at the extension.
    await write_alert(database, "+14125550123", Status.FAILED, 1, then_to=("+14125550160,9",))
    await write_alert(database, "+14125550148,12", Status.UNANSWERED, 1)
    assert await names(people, glance="unreached") == ["Ben Adeyemi", "ben small", "Émile Noir"]
    await write_alert(database, "+14125550148,12", Status.COMPLETED)
    await write_alert(database, "+14125550150,7", Status.COMPLETED)
    assert await names(people, glance="unreached") == ["Ben Adeyemi"]

    await write_stop(database, "+14125550148")
    assert await names(people, glance="stop") == ["Émile Noir"]


async def write_stop(database: Database, number: str) -> None:
    stop = {"number": number, "account_sid": ACCOUNT, "state": "stop", "since": 1.0}
    await database.write(
        lambda connection: connection.execute(sa.insert(texting_states), [stop]) and None
    )


@pytest.mark.parametrize(("hour", "quiet"), [(21, False), (22, True), (3, True), (7, False)])
def test_quiet_by_night(hour: int, quiet: bool):
    assert is_quiet(datetime(2026, 5, 1, hour, tzinfo=UTC), "Etc/UTC") is quiet
