"""A file with people, read into rows and columns: CSV as spreadsheets write it, or vCards."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from alerts import UnusableInput
from people.vcards import COLUMNS as VCARD_COLUMNS
from people.vcards import read_vcards

MOST_BYTES = 20_000_000
TOO_LARGE = f"This file is larger than {MOST_BYTES // 1_000_000} MB. Split it, please."
MOST_ROWS = 50_000
MOST_COLUMNS = 100
MOST_FIELD_CHARACTERS = 20_000
DELIMITERS = ",;\t|"
ROWS_LOOKED_AT = 50
# Fewer digits than this may be a house number or a year, not a phone number.
FEWEST_DIGITS = 7
BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
# The first bytes of files that aren't text, and what these files are.
OTHER_FILES = (
    (b"PK\x03\x04", "an Excel workbook or a zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
)
# ="+14125550123", which makes a spreadsheet keep a number's digits.
FORMULA = re.compile(r'="(.*)"', re.DOTALL)
# An apostrophe before text that a spreadsheet would take for a formula; see exporting.py.
GUARDED = re.compile(r"'(?=['=+\-@\d])")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` is the one that a spreadsheet shows beside it, from 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file, each with as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_sheet(content: bytes) -> Sheet:
    """Read a file with people: CSV with any delimiter and encoding, or vCards.

    Raises `UnusableInput` (field `file`): one sentence about what the file is instead, or where it
    is wrong. For a large file call this in a thread, because it takes seconds.
    """
    text = _decoded(content)
    if text[:200].lstrip().upper().startswith("BEGIN:VCARD"):
        cards = read_vcards(text)
        _refuse_too_many(len(cards))
        return Sheet(VCARD_COLUMNS, tuple(Row(at, card) for at, card in enumerate(cards, start=1)))
    records = list(_records(text))
    if not records:
        raise UnusableInput("file", "This file is empty.")
    width = max(len(cells) for _, cells in records)
    if width > MOST_COLUMNS:
        raise UnusableInput("file", f"This file has {width:,} columns; {MOST_COLUMNS} can be read.")
    rows = [Row(at, tuple(cells + [""] * (width - len(cells)))) for at, cells in records]
    if _is_header(rows[0], rows[1:]):
        names, rows = rows[0].cells, rows[1:]
    else:
        names = ("",) * width
    columns = tuple(name or f"Column {at}" for at, name in enumerate(names, start=1))
    return Sheet(columns, tuple(rows))


def digits_of(text: str) -> str:
    """Return the digits in a text."""
    return "".join(each for each in text if each.isdecimal())


def _decoded(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise UnusableInput("file", TOO_LARGE)
    for beginning, kind in OTHER_FILES:
        if content.startswith(beginning):
            raise UnusableInput("file", f"This is {kind}. Save it as CSV (UTF-8) and choose that.")
    mark, encoding = next(
        ((mark, name) for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)),
        (b"", "utf-8"),
    )
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        # Excel on Windows writes this by default; every byte of it is a character.
        text = content.decode("cp1252", errors="replace")
    if "\0" in text or text.count("\ufffd") > len(text) // 100:
        raise UnusableInput(
            "file", "This isn't a text file. Save it as CSV (UTF-8) and choose that."
        )
    return text


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of every row that isn't empty."""
    first, _, rest = text.partition("\n")
    # Excel's hint for the delimiter: sep=;
    named = re.fullmatch(r"sep=(.)\s*", first)
    delimiter = named[1] if named else _delimiter(text)
    reader = csv.reader(
        io.StringIO(rest if named else text, newline=""), delimiter=delimiter, strict=True
    )
    at = found = 0
    while True:
        at += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise UnusableInput(
                "file",
                f"In row {at} a quotation mark isn't closed, or it is in the middle of a field.",
            ) from None
        if any(len(cell) > MOST_FIELD_CHARACTERS for cell in cells):
            raise UnusableInput(
                "file",
                f"Row {at} has a field of more than {MOST_FIELD_CHARACTERS:,} characters. Perhaps "
                "a quotation mark isn't closed.",
            )
        cells = [_plain(cell) for cell in cells]
        if any(cells):
            found += 1
            _refuse_too_many(found - 1)
            yield at, cells


def _refuse_too_many(rows: int) -> None:
    if rows > MOST_ROWS:
        raise UnusableInput(
            "file",
            f"This file has more than {MOST_ROWS:,} rows. Split it into files of {MOST_ROWS:,}.",
        )


def _delimiter(text: str) -> str:
    """Return the delimiter that splits the first rows into the most columns, as many in each."""

    def quality(delimiter: str) -> tuple[int, int]:
        rows = csv.reader(lines, delimiter=delimiter)
        widths = [len(row) for row in rows if row]
        common = max(set(widths), key=widths.count, default=0)
        return (widths.count(common) * (common > 1), common)

    lines = text[:100_000].splitlines(keepends=True)[:ROWS_LOOKED_AT]
    return max(DELIMITERS, key=quality)


def _plain(cell: str) -> str:
    """Return a cell without the quoting that spreadsheets need."""
    cell = cell.strip()
    if formula := FORMULA.fullmatch(cell):
        return formula[1].strip()
    return cell[1:] if GUARDED.match(cell) else cell


def _is_header(first: Row, others: list[Row]) -> bool:
    """Whether the first row names the columns: one with a number or an address is a person's."""
    return bool(others) and not any(
        "@" in cell or len(digits_of(cell)) >= FEWEST_DIGITS for cell in first.cells
    )
