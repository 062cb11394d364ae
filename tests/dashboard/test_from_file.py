"""A broadcast from a file on the Send page, in memory: the same words as at the shell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from shiny.testserver import AsyncTestServerSession

from alerts import Desk
from dashboard.inputs import uploaded
from tests.support.desks import posts, simulated_desk
from tests.support.page_in_memory import Page, fill_in, opened, press, shown, until

pytestmark = pytest.mark.usefixtures("fresh_lock")

WORDS = "Hello {{ name }}, lot {{ lot_number }} is off."
ROWS = (
    "Name,Phone,Lot number\n"
    "Ben Adeyemi,(412) 555-0106,1407\n"
    "Clara Novak,412 555 01,1408\n"
    "Joe Whitfield,+1 412-555-0102,1409\n"
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with simulated_desk(tmp_path, speed=20) as desk:
        yield desk


@pytest.fixture
async def opened_page(desk: Desk) -> AsyncIterator[Page]:
    async with opened(desk) as page:
        yield page


@pytest.fixture
def page(opened_page: Page) -> AsyncTestServerSession:
    return opened_page.session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where Shiny puts what is uploaded."""
    folder = tmp_path / "fileupload-1" / "2"
    folder.mkdir(parents=True)
    return folder


def upload(folder: Path, content: str | bytes, name: str = "lots.csv") -> list[dict[str, Any]]:
    file = folder / "0.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return [{"name": name, "size": file.stat().st_size, "type": "", "datapath": str(file)}]


async def choose(page: AsyncTestServerSession, file: list[dict[str, Any]], awaited: str) -> None:
    await fill_in(page, file=file)
    await until(page, lambda: awaited in region(page))


def region(page: AsyncTestServerSession) -> str:
    return "".join(shown(page, each) for each in ("file_head", "file_note", "recipients"))


@pytest.mark.slow
async def test_each_row_is_sent_its_own_words(page: AsyncTestServerSession, desk: Desk, folder):
    await fill_in(page, message=WORDS, channel="text")
    await choose(page, upload(folder, ROWS), "Row 3")
    assert "3 rows in lots.csv" in shown(page, "file_head")
    assert "Too few digits" in shown(page, "recipients")
    assert "{{ lot_number }}" in shown(page, "file_variables")
    assert "{{ Phone }}" not in shown(page, "file_variables")
    await press(page)
    await until(page, lambda: shown(page, "send_refusal").startswith("Row 3 ("))
    assert posts(desk) == []
    # Left out, the others are counted and heard, each with words of its own.
    await fill_in(page, leave_out={"place": "1", "at": 1})
    await until(page, lambda: "Row 3" not in region(page))
    await until(page, lambda: shown(page, "send_label") == "Text 2 people now")
    await until(page, lambda: "Ben Adeyemi" in shown(page, "words"))
    assert "1407" in shown(page, "words")
    await fill_in(page, heard_by="4 +14125550102")
    await until(page, lambda: "1409" in shown(page, "words"))
    await press(page, 2)
    await until(page, lambda: len(posts(desk)) == 2)
    assert {each["Body"] for each in posts(desk)} == {
        "Hello Ben Adeyemi, lot 1407 is off.",
        "Hello Joe Whitfield, lot 1409 is off.",
    }
    await until(page, lambda: "These words" in shown(page, "sent_before"))


async def test_what_was_typed_comes_back(page: AsyncTestServerSession, folder):
    await choose(page, upload(folder, ROWS), "Row 3")
    assert "857-4309" not in shown(page, "recipients")
    await fill_in(page, leave_file_out=1)
    await until(page, lambda: "857-4309" in shown(page, "recipients"))
    await until(page, lambda: shown(page, "send_label") == "Send test call")
    # Another page fills the field in: that is meant from then on.
    await choose(page, upload(folder, ROWS), "Row 3")
    await fill_in(page, phone_number="412 555 0106")
    await until(page, lambda: "Row 3" not in region(page))
    assert "555-0106" in shown(page, "recipients")


async def test_columns_can_be_chosen(page: AsyncTestServerSession, folder):
    rows = "Old phone,New phone,Who\n12,412 555 0106,Ben\n13,412 555 0102,Clara\n"
    await choose(page, upload(folder, rows), "Ben")
    await until(page, lambda: shown(page, "send_label") == "Call 2 people now")
    await fill_in(page, file_to="0")
    await until(page, lambda: "Row 2" in region(page))
    await fill_in(page, file_to="1", file_name="")
    await until(page, lambda: "412-555-0106" in shown(page, "recipients"))
    await until(page, lambda: "Ben" not in shown(page, "recipients"))
    for nonsense in ("7", "x", 5, None, ["1"]):
        await fill_in(page, file_to=nonsense)
    await until(page, lambda: "No column has phone numbers." in region(page))
    await press(page)
    await until(page, lambda: "No column has phone numbers." in shown(page, "send_refusal"))


async def test_an_empty_cell_is_wrong_where_the_message_needs_it(
    page: AsyncTestServerSession, folder
):
    rows = "Phone,Lot\n412 555 0106,1407\n412 555 0102,\n412 555 0106,1407\n"
    await choose(page, upload(folder, rows), "+1 412-555-0102")
    assert "come before row 4" in shown(page, "file_note")
    await fill_in(page, message="Lot {{ Lot }} is off.")
    await until(page, lambda: "{{ Lot }} is empty here." in region(page))
    await until(page, lambda: "1407" in shown(page, "words"))
    await fill_in(page, message="Lot {{ Lot | default('7') }} is off.")
    await until(page, lambda: shown(page, "send_label") == "Call 2 people now")
    assert "Row 3" not in region(page)


async def test_many_rows(page: AsyncTestServerSession, desk: Desk, folder):
    numbers = [f"412 555 {each:04}" for each in range(100, 160)]
    numbers[40] = "4.12556E+09"
    await choose(page, upload(folder, "Phone\n" + "\n".join(numbers)), "Row 42")
    assert "spreadsheet has rounded" in shown(page, "recipients")
    assert "and 49 more" in shown(page, "recipients")
    await fill_in(page, leave_out={"place": "40", "at": 1})
    await until(page, lambda: shown(page, "send_label") == "Call 59 people now")
    await press(page)
    await until(page, lambda: "59 people are more than the 50" in shown(page, "send_refusal"))
    assert posts(desk) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04", "This is an Excel workbook"),
        (b"", "This file is empty."),
        (b"Name,Lot\nBen,7\n", "No column has phone numbers."),
        (b"Phone\n" + b"412 555 0106\n" * 1_100, "a broadcast holds 1,000 alerts at most"),
        (b"Phone\n" + b"412 555 0106\n" * 200_000, "more than 50,000 rows"),
    ],
)
async def test_a_file_that_cannot_be_sent_to(page, desk: Desk, folder, content, sentence):
    await choose(page, upload(folder, content), sentence)
    await press(page)
    await until(page, lambda: sentence in shown(page, "send_refusal"))
    assert posts(desk) == []


async def test_a_file_as_excel_writes_it(page: AsyncTestServerSession, folder):
    rows = '\ufeffName;Phone;Lot\r\nBen;\'+1 412 555 0106;7\r\nBen;"=""4125550102""";8\r\n'
    await choose(page, upload(folder, rows), "+1 412-555-0102")
    assert "+1 412-555-0106" in shown(page, "recipients")


async def test_only_what_was_uploaded_is_read(page: AsyncTestServerSession, tmp_path: Path):
    secret = tmp_path / "secret.csv"
    secret.write_text(ROWS)
    for place in (str(secret), "", "\0", 5, f"{tmp_path}/fileupload-1/2/../../secret.csv"):
        named = [{"name": "lots.csv", "size": 1, "type": "", "datapath": place}]
        assert uploaded(named) is None
        await fill_in(page, file=named)
    assert "rows in" not in region(page)
    assert "857-4309" in shown(page, "recipients")
