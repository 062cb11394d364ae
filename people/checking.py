"""What was typed about a person, checked field by field: usable, or one sentence each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import TypeVar
from zoneinfo import available_timezones

from babel import Locale

from alerts import UnusableInput
from alerts.message.languages import LANGUAGE_NAMES
from alerts.phone_numbers import Regions, read_number, shortened
from people.contact import Contact
from people.names import name_key

MOST_NAME_CHARACTERS = 100
MOST_GROUP_CHARACTERS = 60
MOST_NOTES_CHARACTERS = 2_000
MOST_NUMBERS = 3
NUMBER_FIELDS = tuple(f"number_{place}" for place in range(1, MOST_NUMBERS + 1))
# They separate names when several are typed at once.
SEPARATORS = ",;\n"
# Other programs write them between the groups of a person, so a file may too.
BETWEEN_GROUPS_IN_FILES = ("|", ":::")
SEPARATES_GROUPS = "Leave commas, semicolons, | and ::: out of a group's name: they separate names."
# Characters that a database can't keep, or that people can't see.
REFUSED_CATEGORIES = {"Cc", "Cs", "Co", "Cn"}
# How a spreadsheet shows a long number once it has rounded it, such as 4.12555E+09.
ROUNDED = re.compile(r"\d(?:[.,]\d+)?E\+?\d{1,2}", re.IGNORECASE)

Read = TypeVar("Read")


def check_contact(typed: Contact, regions: Regions) -> tuple[Contact, dict[str, UnusableInput]]:
    """Return the contact as it can be saved, and what is wrong with it, by field.

    The fields are `name`, `number_1` to `number_3`, `language`, `time_zone`, `notes` and `groups`.
    A field that is wrong is left as it was typed.
    """
    problems: dict[str, UnusableInput] = {}

    def read(field: str, work: Callable[[], Read], otherwise: Read) -> Read:
        try:
            return work()
        except UnusableInput as problem:
            problems[field] = UnusableInput(field, str(problem))
            return otherwise

    numbers: list[str] = []
    for field, text in zip(NUMBER_FIELDS, typed.numbers, strict=False):
        if text.strip():
            number = read(field, partial(_read_number, text, regions), text)
            if number in numbers:
                problems[field] = UnusableInput(field, "This number is there already.")
            numbers.append(number)
    if not numbers:
        problems["number_1"] = UnusableInput("number_1", "Type a phone number.")
    if len(typed.numbers) > MOST_NUMBERS:
        problems["number_3"] = UnusableInput(
            "number_3", f"A person can have {MOST_NUMBERS} numbers: leave the others out."
        )
    checked = replace(
        typed,
        name=read("name", lambda: read_name(typed.name), typed.name),
        numbers=tuple(numbers),
        language=read(
            "language", lambda: read_language(typed.language, regions.default), typed.language
        ),
        time_zone=read("time_zone", lambda: read_time_zone(typed.time_zone), typed.time_zone),
        notes=read("notes", lambda: read_notes(typed.notes), typed.notes),
        groups=read("groups", lambda: read_groups(typed.groups), typed.groups),
    )
    return checked, problems


def _read_number(text: str, regions: Regions) -> str:
    refuse_rounded(text)
    return read_number(text, regions).dialed


def refuse_rounded(text: str) -> None:
    """Raise `UnusableInput` for a number that a spreadsheet has rounded."""
    if ROUNDED.fullmatch(text.strip()):
        raise UnusableInput(
            "number", "A spreadsheet has rounded this number, so digits are lost: type all of them."
        )


def read_name(text: str) -> str:
    """Return a person's name with single spaces. Raises `UnusableInput`."""
    name = _tidy(text)
    if not name_key(name):
        raise UnusableInput("name", "Type a name.")
    _check_characters("name", "The name", name, MOST_NAME_CHARACTERS)
    return name


def read_group_name(text: str, field: str = "groups") -> str:
    """Return a group's name with single spaces. Raises `UnusableInput`."""
    name = _tidy(text)
    if not name_key(name):
        raise UnusableInput(field, "Type a name for the group.")
    _check_characters(field, "The group's name", name, MOST_GROUP_CHARACTERS)
    if any(separator in name for separator in SEPARATORS):
        raise UnusableInput(field, SEPARATES_GROUPS)
    return name


def check_new_group_name(name: str, field: str) -> None:
    """Raise `UnusableInput` for the name of a new group that an import would split.

    Groups of earlier versions may have such a name, and stay usable.
    """
    if any(separator in name for separator in BETWEEN_GROUPS_IN_FILES):
        raise UnusableInput(field, SEPARATES_GROUPS)


def read_groups(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the groups' names, each once. Raises `UnusableInput`."""
    by_key: dict[str, str] = {}
    for name in filter(str.strip, names):
        tidy = read_group_name(name)
        by_key.setdefault(name_key(tidy), tidy)
    return tuple(by_key.values())


def read_language(text: str, region: str = "US") -> str:
    """Return the code of a language in LANGUAGES; "" for "". Raises `UnusableInput`.

    Codes and names are accepted: "en", "pt-BR", "German", "Deutsch". If several fit, such as for
    "English", the one of `region` is chosen, else the first.
    """
    key = name_key(text).replace("_", "-")
    if not key:
        return ""
    found = _languages().get(key) or _languages().get(key.partition("-")[0])
    if found is None:
        raise UnusableInput(
            "language",
            f"“{shortened(text)}” isn't a language that calls are spoken in. Choose another one.",
        )
    return next((code for code in found if code.endswith(f"-{region}")), found[0])


def read_time_zone(text: str) -> str:
    """Return an IANA time zone's name as it is written; "" for "". Raises `UnusableInput`."""
    key = "_".join(text.casefold().split())
    if not key:
        return ""
    if key not in _time_zones():
        raise UnusableInput(
            "time_zone",
            f"“{shortened(text)}” isn't a time zone. Name one such as America/New_York.",
        )
    return _time_zones()[key]


def read_notes(text: str) -> str:
    """Return notes without white space around them. Raises `UnusableInput`."""
    notes = "\n".join(line.rstrip() for line in unicodedata.normalize("NFC", text).splitlines())
    notes = notes.replace("\t", " ").strip()
    for line in notes.splitlines():
        _check_characters("notes", "The notes", line, MOST_NOTES_CHARACTERS)
    if len(notes) > MOST_NOTES_CHARACTERS:
        raise UnusableInput(
            "notes", f"Notes hold {MOST_NOTES_CHARACTERS:,} characters; these have {len(notes):,}."
        )
    return notes


def _tidy(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _check_characters(field: str, what: str, text: str, most: int) -> None:
    if len(text) > most:
        raise UnusableInput(
            field, f"{what} can have {most:,} characters; this one has {len(text):,}."
        )
    if any(unicodedata.category(each) in REFUSED_CATEGORIES for each in text):
        raise UnusableInput(
            field,
            f"{what} can't be saved with invisible or control characters in it: remove them.",
        )


@cache
def _languages() -> dict[str, list[str]]:
    """Return the codes that each way to write a language may mean."""
    found: dict[str, list[str]] = {}
    for code, name in LANGUAGE_NAMES.items():
        base = code.partition("-")[0]
        own = Locale.parse(base).get_display_name(base) or ""
        bare = name.partition(" (")[0]
        for written in {code, base, name, bare, own} | ({"no"} if base == "nb" else set()):
            found.setdefault(name_key(written), []).append(code)
    return found


@cache
def _time_zones() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()}
