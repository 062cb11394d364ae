"""The People page's logic in memory; what people see is in tests/browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from shiny import Inputs, Outputs, Session
from shiny.testserver import AsyncTestServerSession
from shiny.testserver import test_server_async as serve_in_memory

from alerts import AlertRequest, Desk
from dashboard import people
from people.contact import Contact
from people.contacts import Contacts
from people.groups import Group, Groups
from people.listing import Listing, Page
from tests.support.desks import simulated_desk, until_over
from tests.support.page_in_memory import until

pytestmark = pytest.mark.usefixtures("fresh_lock")

BEN = Contact("", "Ben Adeyemi", ("412 555 0123",), notes="Head brewer\nNights", groups=("Elm",))
CLARA = Contact("", "Clara Novak", ("412 555 0124",), "Portuguese", "Asia/Tokyo")


class Visit:
    """A People page in sight, and what it was told to show beside its outputs."""

    def __init__(self, page: AsyncTestServerSession, told: list[tuple[str, dict[str, Any]]]):
        self.page = page
        self.told = told
        self._presses = 0

    async def do(self, action: str, **sent: Any) -> None:
        self._presses += 1
        await self.page.set_inputs(
            **{"people-act": {"action": action, "nonce": self._presses, **sent}}
        )

    def shown(self, output: str) -> str:
        return str(self.page.get_output(f"people-{output}").value)

    def sheet(self, part: str = "form") -> str:
        """What was shown last in a sheet, or said."""
        found = [
            message.get("html", message.get("value", ""))
            for kind, message in self.told
            if kind == "callboard-people" and message["part"] == part
        ]
        return found[-1] if found else ""

    async def until(self, condition: Callable[[], bool]) -> None:
        await until(self.page, condition)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with simulated_desk(tmp_path, speed=50) as desk:
        yield desk


@pytest.fixture
async def visit(desk: Desk) -> AsyncIterator[Visit]:
    told: list[tuple[str, dict[str, Any]]] = []

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        send = session.send_custom_message

        async def listen(kind: str, message: Any) -> None:
            told.append((kind, message))
            await send(kind, message)

        session.send_custom_message = listen  # type: ignore[method-assign, assignment]
        people.server("people", desk)

    async with serve_in_memory(server, timeout_secs=60) as page:
        await page.set_inputs(**{"people-time_zone": "America/New_York", "people-in_sight": True})
        # Its outputs are made once the page is in sight, so say that they are seen, too.
        outputs = ("groups", "people", "foot")
        await page.set_inputs(
            **{f".clientdata_output_people-{each}_hidden": False for each in outputs}
        )
        yield Visit(page, told)


async def saved(desk: Desk, *given: Contact) -> list[Contact]:
    contacts = Contacts(await desk.database(), desk.services.regions)
    return [await contacts.save(each) for each in given]


async def test_nobody_yet_then_added_with_every_wrong_field_named(visit: Visit, desk: Desk):
    await visit.until(lambda: "Nobody is here yet" in visit.shown("people"))
    await visit.until(lambda: "New group" in visit.shown("groups"))
    assert "Everybody" not in visit.shown("groups")
    assert "At a glance" not in visit.shown("groups")
    await visit.do("add")
    await visit.until(lambda: "Add a person" in visit.sheet())
    fields = {"name": "", "number_1": "412", "time_zone": "Mars", "groups": "Elm, Lab"}
    await visit.do("save", fields=fields)
    await visit.until(lambda: "Too few digits" in visit.sheet())
    assert "Type a name." in visit.sheet()
    assert "isn&#x27;t a time zone" in visit.sheet() or "isn't a time zone" in visit.sheet()
    assert 'value="Mars"' in visit.sheet()
    fields = {"name": "Ben <b>", "number_1": "412 555 0123", "groups": "Elm, Lab", "notes": "=1"}
    await visit.do("save", fields=fields)
    await visit.until(lambda: "Ben &lt;b&gt;" in visit.shown("people"))
    await visit.until(lambda: "Everybody" in visit.shown("groups"))
    assert visit.sheet("said") == "Ben <b> is saved."
    assert await Groups(await desk.database()).all() == [Group("Elm", 1), Group("Lab", 1)]


async def test_a_row_says_what_is_known(visit: Visit, desk: Desk):
    await saved(desk, BEN, CLARA)
    await until_over(desk, (await desk.send(AlertRequest("text", "412 555 0123", "Hello"))).id)
    await visit.do("everybody")
    await visit.until(lambda: "Delivered" in visit.shown("people"))
    row = visit.shown("people")
    assert "Head brewer" in row
    assert "Nights" not in row
    assert "+1 412-555-0123" in row
    assert "United States" in row
    assert 'data-zone="Asia/Tokyo"' in row
    assert "Portuguese<" in row
    assert "None yet" in row
    await visit.until(lambda: "1–2 of 2" in visit.shown("foot"))


async def test_searched_and_filtered(visit: Visit, desk: Desk):
    await saved(desk, BEN, CLARA)
    await visit.do("search", value="clara")
    await visit.until(lambda: "1–1 of 1" in visit.shown("foot"))
    assert "Ben Adeyemi" not in visit.shown("people")
    await visit.do("search", value="<nobody>")
    await visit.until(lambda: "Nobody matches “&lt;nobody&gt;”." in visit.shown("people"))
    await visit.do("everybody")
    await visit.until(lambda: "1–2 of 2" in visit.shown("foot"))
    await visit.do("group", value="Elm")
    await visit.until(lambda: "Clara Novak" not in visit.shown("people"))
    assert "Ben Adeyemi" in visit.shown("people")
    await visit.do("glance", value="stop")
    await visit.until(lambda: "Nobody is here." in visit.shown("people"))


@pytest.mark.slow
async def test_a_page_that_is_turned_while_the_list_is_read_stays_turned(
    visit: Visit, desk: Desk, monkeypatch: pytest.MonkeyPatch
):
    await saved(
        desk, *(Contact("", f"Person {each:02}", (f"412 555 {each:04}",)) for each in range(30))
    )
    await visit.do("everybody")
    await visit.until(lambda: "1–25 of 30" in visit.shown("foot"))
    reading, go_on, page_of = asyncio.Event(), asyncio.Event(), Listing.page

    async def slowly(self: Listing, *asked: Any) -> Page:
        found = await page_of(self, *asked)
        reading.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(Listing, "page", slowly)
    await visit.until(reading.is_set)  # as it does every few seconds
    await visit.do("page", value="25")
    go_on.set()
    await visit.until(lambda: "26–30 of 30" in visit.shown("foot"))


async def test_a_search_outlives_the_group_that_it_was_made_in(visit: Visit, desk: Desk):
    await saved(desk, BEN, CLARA)
    await visit.do("search", value="ben")
    await visit.do("group", value="Elm")
    await visit.until(lambda: "Rename or remove Elm" in visit.shown("groups"))
    await visit.until(lambda: "1–1 of 1" in visit.shown("foot"))
    await visit.do("remove_group", id="Elm")
    await visit.until(lambda: "Elm is removed" in visit.sheet("said"))
    await visit.until(lambda: "Elm" not in visit.shown("groups"))
    await visit.until(lambda: "1–1 of 1" in visit.shown("foot"))


async def test_choosing_survives_paging_and_writes_to_them(visit: Visit, desk: Desk):
    many = [Contact("", f"Person {each:02}", (f"412 555 {each:04}",)) for each in range(30)]
    found = await saved(desk, *many, CLARA, Contact("", "clara  novak", ("412 555 0999",)))
    await visit.do("everybody")
    await visit.until(lambda: "1–25 of 32" in visit.shown("foot"))
    await visit.do("choose", id=found[-2].id, value="on")  # Clara
    await visit.do("choose", id="nobody", value="on")
    await visit.do("page", value="25")
    await visit.until(lambda: "26–32 of 32" in visit.shown("foot"))
    await visit.do("choose", id=found[29].id, value="on")
    await visit.until(lambda: "Write to 2 people…" in visit.shown("foot"))
    await visit.do("page", value="0")
    await visit.until(lambda: "1–25 of 32" in visit.shown("foot"))
    assert visit.shown("people").count('aria-selected="true"') == 1
    await visit.do("write")
    await visit.until(lambda: visit.told[-1][0] == "callboard-open-send")
    # Two people are called Clara Novak, so her number says which.
    assert visit.told[-1][1] == {"to": "+14125550124, Person 29"}
    await visit.do("choose_page", value="on")
    await visit.until(lambda: "Write to 26 people…" in visit.shown("foot"))
    await visit.do("choose_none")
    await visit.until(lambda: "Write to" not in visit.shown("foot"))
    assert "aria-selected" not in visit.shown("people")


async def test_groups_and_removing(visit: Visit, desk: Desk):
    [ben, clara] = await saved(desk, BEN, CLARA)
    groups = Groups(await desk.database())
    await visit.do("everybody")
    await visit.until(lambda: "1–2 of 2" in visit.shown("foot"))
    for each in (ben, clara):
        await visit.do("choose", id=each.id, value="on")
    await visit.until(lambda: "Write to 2 people…" in visit.shown("foot"))
    await visit.do("save_into_group", fields={"group": "a,b"})
    await visit.until(lambda: "Leave commas, semicolons, | and" in visit.sheet())
    await visit.do("save_into_group", fields={"group": "Lab"})
    await visit.until(lambda: visit.sheet("said") == "2 people added to Lab.")
    await visit.do("save_group", id="Elm", fields={"group": "lab"})
    await visit.until(lambda: "There is a group Lab already." in visit.sheet())
    await visit.do("remove_group", id="Elm")
    await visit.until(lambda: "Elm is removed" in visit.sheet("said"))
    assert await groups.all() == [Group("Lab", 2)]
    await visit.do("remove", id=clara.id)
    await visit.until(lambda: "Remove Clara Novak?" in visit.sheet())
    await visit.until(lambda: "1–2 of 2" in visit.shown("foot"))
    await visit.do("really_remove")
    await visit.until(lambda: "1–1 of 1" in visit.shown("foot"))
    await visit.until(lambda: "Write to 1 person…" in visit.shown("foot"))


async def test_a_file_is_planned_fixed_and_imported(visit: Visit, desk: Desk, tmp_path: Path):
    await saved(desk, CLARA)
    file = tmp_path / "fileupload-1" / "2" / "0.csv"
    file.parent.mkdir(parents=True)
    file.write_text("name,mobile\nIvo,412 555 014\nC. Novak,412 555 0124\nPaul,412 555 0176\n")
    uploaded = [{"name": "team.csv", "size": 1, "type": "", "datapath": str(file)}]
    await visit.page.set_inputs(**{"people-file": uploaded})
    await visit.until(lambda: "2 rows need a look" in visit.sheet("import"))
    assert "Is the number of Clara Novak." in visit.sheet("import")
    await visit.do("change", id="2:number_1", value="412 555 0140", fields={"what": "fix"})
    await visit.until(lambda: "1 row needs a look" in visit.sheet("import"))
    await visit.do("leave_out", id="3")
    await visit.until(lambda: "left out by you" in visit.sheet("import"))
    await visit.do("change", id="0", value="", fields={"what": "map"})
    await visit.until(lambda: "No column has names." in visit.sheet("import"))
    await visit.do("import")
    await visit.do("change", id="0", value="name", fields={"what": "map"})
    await visit.until(lambda: "As they will be" in visit.sheet("import"))
    await visit.do("import")
    await visit.until(lambda: "1–3 of 3" in visit.shown("foot"))
    assert visit.sheet("said") == "2 people added, 1 left out."
    file.write_bytes(b"PK\x03\x04")
    await visit.page.set_inputs(**{"people-file": [uploaded[0] | {"size": 2}]})
    await visit.until(lambda: "This is an Excel workbook" in visit.sheet("import"))


@pytest.mark.parametrize(
    "sent", [None, 5, [], {"action": 5}, {"action": "__init__"}, {"action": "stop"}]
)
async def test_what_no_page_sends_does_nothing(visit: Visit, sent: object):
    await visit.until(lambda: "Nobody is here yet" in visit.shown("people"))
    await visit.page.set_inputs(**{"people-act": sent})
    for action in ("change", "page", "choose", "glance", "import", "save_group", "really_remove"):
        await visit.do(action, id=5, value=["x"], fields=5)
    await visit.do("add")
    await visit.until(lambda: "Add a person" in visit.sheet())
