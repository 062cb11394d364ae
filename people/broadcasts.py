"""A broadcast from a file: one alert for each row, the columns as the message's variables."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass

from alerts import AlertRequest, UnusableInput
from alerts.alert import Channel
from alerts.broadcast import MOST_ALERTS, UnusableRequest, written_words
from alerts.message.compose import refuse_extension, write_message
from alerts.phone_numbers import Regions, read_number, shortened
from people.checking import refuse_rounded
from people.names import name_key
from people.recipients import Recipient, Unclear
from people.sheet import Row, Sheet

# Words that belong to Jinja's language: `{{ in }}` isn't a variable.
# https://jinja.palletsprojects.com/en/stable/templates/
JINJA_WORDS = {"and", "else", "false", "if", "in", "is", "none", "not", "or", "true"}
ONLY_NAMES = "This file has no rows below its first one."
MOST_NAMED = 5  # rows or columns in one sentence


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
            said.append(repeats_note(self.repeats))
        return said


@dataclass(frozen=True, slots=True)
class FileRows:
    """The rows of a file that are sent to.

    `to` and `name` are the places of the columns with the number and the name, from 0; None if
    there is none. `left_out` are the numbers of rows that nothing is sent to.
    """

    sheet: Sheet
    to: int | None
    name: int | None = None
    left_out: frozenset[int] = frozenset()

    @property
    def rows(self) -> list[Row]:
        """The rows that aren't left out."""
        return [each for each in self.sheet.rows if each.number not in self.left_out]

    def recipients(self, channel: Channel, regions: Regions) -> list[Recipient | Unclear]:
        """Return whom each row is for, or what is wrong with its number; `part` is its row.

        All columns are variables, under names that `variable_names` makes; an empty cell is a
        variable without a value. For a large file call this in a thread: a number takes a
        millisecond. Raises `UnusableInput` (field `file`) if the file can't be a broadcast at all.
        """
        if len(self.rows) > MOST_ALERTS:
            raise UnusableInput(
                "file",
                f"This file has {len(self.rows):,} rows, and a broadcast holds {MOST_ALERTS:,} "
                "alerts at most. Send it in parts.",
            )
        if not self.sheet.rows:
            raise UnusableInput("file", ONLY_NAMES)
        if not self.rows:
            raise UnusableInput("file", "All rows of this file are left out.")
        if self.to is None:
            raise UnusableInput("file", "No column has phone numbers. Say which one does.")
        variables = variable_names(self.sheet.columns)
        return [self._recipient(each, self.to, variables, channel, regions) for each in self.rows]

    def _recipient(
        self, row: Row, to: int, variables: Sequence[str], channel: Channel, regions: Regions
    ) -> Recipient | Unclear:
        text = row.cells[to]
        try:
            if not text:
                raise UnusableInput("phone_number", "There is no number.")
            refuse_rounded(text)
            number = read_number(text, regions)
            refuse_extension("phone_number", number, channel)
        except UnusableInput as problem:
            return _unclear(row.number, str(problem), text)
        values = {name: cell for name, cell in zip(variables, row.cells, strict=True) if cell}
        person = row.cells[self.name] if self.name is not None else ""
        return Recipient(
            row.number, number.dialed, person, warning=number.warning, variables=values
        )


def requests_from(
    sheet: Sheet, request: AlertRequest, regions: Regions, to: str, name: str = ""
) -> RowRequests:
    """Return the request to the number in column `to` of each row.

    `name` is the column with the recipients' names, by default the one called Name.

    Raises `UnusableInput` for a column that isn't there, and like `requests_of_rows`.
    """
    only = sheet.rows[0].cells if len(sheet.rows) == 1 else ()
    if name_key(to) in map(name_key, only):
        raise UnusableInput("file", ONLY_NAMES)  # taken for a row, because there is no other
    named = [column for column in sheet.columns if name_key(column) == "name"]
    name_column = _column(sheet, name or named[0]) if name or named else None
    rows = FileRows(sheet, _column(sheet, to), name_column)
    return requests_of_rows(rows, request, regions)


def requests_of_rows(rows: FileRows, request: AlertRequest, regions: Regions) -> RowRequests:
    """Return the request to each row's recipient; the same words go to the same number once.

    Raises `UnusableInput` for numbers that can't be used, with their rows, and like
    `FileRows.recipients`.
    """
    found = rows.recipients(request.channel, regions)
    unclear = [each for each in found if isinstance(each, Unclear)]
    if unclear:
        first, *others = unclear
        more = ""
        if others:
            more = f" The same column is wrong in {_rows([each.part for each in others])} too."
        raise UnusableInput("phone_number", f"{first.typed}: {first.problem}{more}")
    once, repeats = told_once([each for each in found if isinstance(each, Recipient)], request)
    wordless = without_words(once, request, variable_names(rows.sheet.columns))
    if wordless:
        row, *other_rows = wordless
        more = f" The same is wrong in {_rows(other_rows)} too." if other_rows else ""
        raise UnusableInput("message", f"Row {row}: {wordless[row].problem}{more}")
    return RowRequests(
        tuple(each.addressed(request) for each in once),
        tuple(each.part for each in once),
        rows.sheet.columns,
        variable_names(rows.sheet.columns),
        repeats,
    )


def told_once(
    recipients: Sequence[Recipient], request: AlertRequest
) -> tuple[list[Recipient], tuple[int, ...]]:
    """Return the recipients without repeats (same number and words), and the repeats' rows.

    A different name makes different words only if the message uses {{ name }}.
    """
    known: set[tuple[str, ...]] = set()
    once: list[Recipient] = []
    repeats: list[int] = []
    for each in recipients:
        person = each.name if "name" in request.message else ""
        key = (each.to, person, *written_words(each.addressed(request)))
        if key in known:
            repeats.append(each.part)
        else:
            once.append(each)
        known.add(key)
    return once, tuple(repeats)


def repeats_note(repeats: Sequence[int]) -> str:
    """Say that rows are left out because others have the same number and words."""
    return f"The same number and words come before {_rows(repeats)}: they are told once."


def without_words(
    recipients: Sequence[Recipient], request: AlertRequest, variables: Sequence[str]
) -> dict[int, Unclear]:
    """Return, by number, the rows whose words can't be written, such as for an empty cell.

    A mistake in the message that concerns all rows isn't reported here.
    """
    # Imported here because Jinja2 takes 25 ms, and the first page doesn't need it.
    from alerts.message.templates import UnknownVariable  # noqa: PLC0415

    problems: dict[int, str] = {}
    is_own = False
    for each in recipients:
        try:
            write_message(each.addressed(request))
        except UnknownVariable as problem:
            is_column = problem.name in variables
            is_own = is_own or is_column
            problems[each.part] = _empty(problem.name) if is_column else str(problem)
        except UnusableInput as problem:
            problems[each.part] = str(problem)
    if not is_own and len(problems) == len(recipients):
        return {}
    return {row: _unclear(row, problem) for row, problem in problems.items()}


def _empty(variable: str) -> str:
    return (
        f"{{{{ {variable} }}}} is empty here. {{{{ {variable} | default('…') }}}} needs no value."
    )


def _unclear(row: int, problem: str, number: str = "") -> Unclear:
    return Unclear(row, f"Row {row} ({shortened(number)})" if number else f"Row {row}", problem)


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


def _rows(numbers: Sequence[int]) -> str:
    """Name some rows: "row 7", "rows 7, 9 and 12", "rows 7, 9, 12, 13, 14 and 90 more"."""
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    named, left = numbers[:MOST_NAMED], len(numbers) - MOST_NAMED
    *most, last = [str(each) for each in named]
    if left > 0:
        return f"rows {', '.join([*most, last])} and {left:,} more"
    return f"rows {', '.join(most)} and {last}"
