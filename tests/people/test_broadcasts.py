"""Broadcasts from files: rows become requests, columns become variables."""

from __future__ import annotations

import pytest

from alerts import AlertRequest, UnusableInput
from alerts.broadcast import UnusableRequest
from alerts.phone_numbers import Regions
from people.broadcasts import (
    FileRows,
    RowRequests,
    requests_from,
    requests_of_rows,
    variable_names,
    without_words,
)
from people.recipients import Recipient, Unclear
from people.sheet import read_sheet

ANN, BEN = "+14125550123", "+14125550147"


def read(content: str, message: str, to: str = "Phone", name: str = "") -> RowRequests:
    sheet = read_sheet(content.encode())
    return requests_from(sheet, AlertRequest("text", "", message), Regions(), to, name)


@pytest.mark.parametrize(
    ("columns", "variables"),
    [
        (("Lot number", "Lot", "lot_2"), ("lot_number", "Lot", "lot_2")),
        (("Größe (cm)", "2014", "If", "!!"), ("große_cm", "column_2014", "column_if", "column")),
        (("Lot", "Lot", "lot no.", "Lot no"), ("Lot", "Lot_2", "lot_no", "lot_no_2")),
    ],
)
def test_variables_are_named_for_their_columns(columns, variables):
    expected = tuple(each.replace("große", "grosse") for each in variables)
    assert variable_names(columns) == expected


def test_each_row_is_a_request():
    found = read(
        f"Who,Phone,Lot number\nAnn,{ANN},7\n,{BEN},\n",
        "Lot {{ lot_number | default('?') }}",
        name="who",
    )
    ann, ben = found.requests
    assert (ann.to, ann.name, ann.variables["lot_number"]) == (ANN, "Ann", "7")
    assert (ben.to, ben.name) == (BEN, "")
    assert "lot_number" not in ben.variables
    assert found.rows == (2, 3)
    assert found.notes == ["In the message, Lot number is {{ lot_number }}."]
    problem = UnusableRequest(1, ben, UnusableInput("message", "No."))
    assert str(found.of_row(problem)) == "Row 3: No."


def test_the_same_person_four_times():
    rows = f"Name,Phone,Lot\nAnn,{ANN},7\nAnn,412 555 0123,7\nAnn,{ANN},8\nAnn,{ANN},7\n"
    found = read(rows, "Lot {{ Lot }}")
    assert [each.variables["Lot"] for each in found.requests] == ["7", "8"]
    assert found.repeats == (3, 5)
    assert found.notes == [
        "The same number and words come before rows 3 and 5: they are told once."
    ]
    assert len(read(rows, "Call the lab").requests) == 1


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("Phone\n" + "12\n" * 9, "wrong in rows 3, 4, 5, 6, 7 and 3 more too"),
        (f"Number\n{ANN}\n", "No column is called “Phone”. This file has: "),
        (
            "Phone,Lot\n4.12556E+09,1\n",
            r"Row 2 \(4.12556E+09\): A spreadsheet has rounded",
        ),
    ],
)
def test_what_cannot_be_sent(rows, sentence):
    with pytest.raises(UnusableInput, match=sentence.replace("+", r"\+")):
        read(rows, "Hello")


def test_rows_without_words_of_their_own():
    sheet = read_sheet(f"Name,Phone,Lot\nAnn,{ANN},7\n,{BEN},\n".encode())
    rows = FileRows(sheet, to=1, name=0)
    recipients = [
        each for each in rows.recipients("text", Regions()) if isinstance(each, Recipient)
    ]

    def wordless(message: str) -> dict[int, str]:
        request = AlertRequest("text", "", message)
        found = without_words(recipients, request, variable_names(sheet.columns))
        return {row: each.problem for row, each in found.items()}

    assert wordless("Call the lab") == {}
    assert wordless("{{ lot }}") == {}  # wrong in all rows: the message's own mistake
    assert wordless("{{ Lot }}")[3].startswith("{{ Lot }} is empty here.")
    assert wordless("{{ name }}")[3].startswith("No name is known for this recipient.")
    assert list(wordless("{{ Lot }} {{ name }}")) == [3]


def test_rows_that_are_left_out():
    sheet = read_sheet(f"Phone\n12\n{ANN}\n{BEN} ext. 5\n".encode())
    assert [type(each) for each in FileRows(sheet, 0).recipients("text", Regions())] == [
        Unclear, Recipient, Unclear,
    ]  # fmt: skip
    rows = FileRows(sheet, 0, left_out=frozenset({2, 4}))
    found = requests_of_rows(rows, AlertRequest("text", "", "Hello"), Regions())
    assert (found.rows, found.requests[0].to) == ((3,), ANN)
    with pytest.raises(UnusableInput, match="All rows of this file are left out"):
        FileRows(sheet, 0, left_out=frozenset({2, 3, 4})).recipients("text", Regions())
