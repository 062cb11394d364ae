"""Exporting people to CSV, in a form that can be imported again and that spreadsheets don't change.

A spreadsheet takes a cell that begins with = + - or @ for a formula, and a long number for one that
it may round. So a number is written as a telephone address, tel:+1-412-857-4309, and other such
cells get an apostrophe in front, which the import removes.
https://owasp.org/www-community/attacks/CSV_Injection · https://www.rfc-editor.org/rfc/rfc3966
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

import phonenumbers

from alerts.phone_numbers import split_dialed
from people.checking import MOST_NUMBERS
from people.contact import Contact

COLUMNS = (
    "Name", "Number", "Number 2", "Number 3", "Groups", "Language", "Time zone", "Notes",
)  # fmt: skip
# The second form is text that the import would take for such an apostrophe.
LIKE_A_FORMULA = re.compile(r"[=+\-@]|'['=+\-@\d]")


def write_csv(people: Iterable[Contact]) -> bytes:
    """Return a CSV file (UTF-8 with a byte order mark, for Excel), with a row for each person."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for each in people:
        numbers = [_address(number) for number in each.numbers]
        numbers += [""] * (MOST_NUMBERS - len(numbers))
        rest = ("; ".join(each.groups), each.language, each.time_zone, each.notes)
        writer.writerow([_guarded(each.name), *numbers, *map(_guarded, rest)])
    return written.getvalue().encode("utf-8-sig")


def _address(number: str) -> str:
    e164, extension = split_dialed(number)
    address = phonenumbers.format_number(
        phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.RFC3966
    )
    # Pauses before an extension are beyond that standard, so it follows as a phone stores it.
    return f"{address},{extension}" if extension else address


def _guarded(cell: str) -> str:
    return f"'{cell}" if LIKE_A_FORMULA.match(cell) else cell
