"""A broadcast from a file: one alert for each row, the columns as the message's variables."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from alerts import AlertRequest, UnusableInput
from alerts.broadcast import MOST_ALERTS, UnusableRequest
from alerts.phone_numbers import Regions, read_number
from alerts.sent_before import written_words
from people.checking import refuse_rounded
from people.names import name_key
from people.sheet import Row, Sheet

# Words that Jinja reads as its own: `{{ in }}` is no variable.
# https://jinja.palletsprojects.com/en/stable/templates/
JINJA_WORDS = {"and", "else", "false", "if", "in", "is", "none", "not", "or", "true"}
MOST_NAMED = 5  # of rows or columns in one sentence


@dataclass(frozen=True, slots=True)
class RowRequests:
    """The requests of a file, each with its row's number as a spreadsheet shows it.

    `variables` are the message's variables, one for each of the `columns`. `repeats` are the rows
    that were left out because another one has the same number and words.
    """

    requests: tuple[AlertRequest, ...]
    rows: tuple[int, ...]
    columns: tuple[str, ...]
    variables: tuple[str, ...]
    repeats: tuple[int, ...] = ()

    def of_row(self, problem: UnusableRequest) -> UnusableInput:
        """Return the error with its row in place of the recipient."""
        row = self.rows[problem.place]
        return UnusableInput(problem.field, f"Row {row}: {problem.problem}")

    @property
    def notes(self) -> list[str]:
        """Sentences about what isn't as in the file: columns renamed, rows left out."""
        renamed = [
            f"{column} is {{{{ {name} }}}}"
            for column, name in zip(self.columns, self.variables, strict=True)
            if column != name and name in self.requests[0].message
        ]
        said = [f"In the message, {', '.join(renamed)}."] if renamed else []
        if self.repeats:
            said.append(
                f"The same number and words come before {_rows(self.repeats)}: they are told once."
            )
        return said


def requests_from(
    sheet: Sheet, request: AlertRequest, regions: Regions, to: str, name: str = ""
) -> RowRequests:
    """Return the request to the number in column `to` of each row.

    All columns are variables of the message, under names that `variable_names` makes; an empty cell
    is a variable without a value. `name` is the column with the recipients' names; unless it is
    given, the one that is called so.

    Raises `UnusableInput`: for a column that isn't there, and for numbers that can't be used, with
    their rows.
    """
    if len(sheet.rows) > MOST_ALERTS:
        raise UnusableInput(
            "file",
            f"This file has {len(sheet.rows):,} rows, and a broadcast holds {MOST_ALERTS:,} "
            "alerts at most. Send it in parts.",
        )
    if not sheet.rows:
        raise UnusableInput("file", "This file has no rows below its first one.")
    to_column = _column(sheet, to)
    named = [column for column in sheet.columns if name_key(column) == "name"]
    name_column = _column(sheet, name or named[0]) if name or named else None
    variables = variable_names(sheet.columns)
    numbers = _numbers(sheet.rows, to_column, regions)
    first_rows: dict[tuple[str, ...], int] = {}
    requests: list[AlertRequest] = []
    repeats: list[int] = []
    for row, number in zip(sheet.rows, numbers, strict=True):
        values = {
            variable: cell for variable, cell in zip(variables, row.cells, strict=True) if cell
        }
        person = row.cells[name_column] if name_column is not None else ""
        addressed = replace(request, to=number, name=person, variables=values)
        key = (number, person if "name" in request.message else "", *written_words(addressed))
        if key in first_rows:
            repeats.append(row.number)
            continue
        first_rows[key] = row.number
        requests.append(addressed)
    rows = tuple(first_rows.values())
    return RowRequests(tuple(requests), rows, sheet.columns, variables, tuple(repeats))


def variable_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the variable for each column: "Lot number" is `lot_number`.

    A column whose name can be a variable keeps it. Two columns never share one.
    """
    found: list[str] = []
    for column in columns:
        wanted = column if _is_variable(column) else _identifier(column)
        name, count = wanted, 1
        while name in found:
            count += 1
            name = f"{wanted}_{count}"
        found.append(name)
    return tuple(found)


def _identifier(column: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", name_key(column)).strip("_")
    if not name:
        return "column"
    return name if _is_variable(name) else f"column_{name}"


def _is_variable(name: str) -> bool:
    is_word = name.lower() in JINJA_WORDS or keyword.iskeyword(name)
    return name.isascii() and name.isidentifier() and not is_word


def _column(sheet: Sheet, name: str) -> int:
    """Return the place of the column with this name, however it is capitalized."""
    for same in (str, name_key):
        for place, column in enumerate(sheet.columns):
            if same(column) == same(name):
                return place
    known = ", ".join(sheet.columns[:20])
    raise UnusableInput("file", f"No column is called “{name}”. This file has: {known}.")


def _numbers(rows: Sequence[Row], column: int, regions: Regions) -> list[str]:
    """Return the number of each row; raises `UnusableInput` for those that can't be used."""
    numbers: list[str] = []
    problems: dict[int, str] = {}
    for row in rows:
        text = row.cells[column]
        try:
            if not text:
                raise UnusableInput("phone_number", "There is no number.")
            refuse_rounded(text)
            numbers.append(read_number(text, regions).dialed)
        except UnusableInput as problem:
            problems[row.number] = str(problem)
    if problems:
        (first, sentence), *others = problems.items()
        more = ""
        if others:
            more = f" The same column is wrong in {_rows([row for row, _ in others])} too."
        raise UnusableInput("phone_number", f"Row {first}: {sentence}{more}")
    return numbers


def _rows(numbers: Sequence[int]) -> str:
    """Name some rows: "row 7", "rows 7, 9 and 12", "rows 7, 9, 12, 13, 14 and 90 others"."""
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    named, left = numbers[:MOST_NAMED], len(numbers) - MOST_NAMED
    *most, last = [str(each) for each in named]
    if left > 0:
        return f"rows {', '.join([*most, last])} and {left:,} more"
    return f"rows {', '.join(most)} and {last}"
