"""What the columns of a file mean: guessed from their names and values, to be changed by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from alerts import UnusableInput
from people.names import name_key
from people.sheet import FEWEST_DIGITS, Sheet, digits_of

# What a column can hold, with the words for people; "" leaves it out. Several columns may have
# numbers, groups or notes.
TARGETS: Mapping[str, str] = {
    "name": "Name",
    "first_name": "First name",
    "last_name": "Last name",
    "number": "Number",
    "group": "Group",
    "language": "Language",
    "time_zone": "Time zone",
    "notes": "Notes",
    "": "Leave out",
}
SEVERAL = {"number", "group", "notes"}
ROWS_LOOKED_AT = 200
# Column names in several languages, as `_key` writes them.
NAMES: Mapping[str, str] = {
    "name": "name, full name, contact, contact name, display name, person, who, nom, "
    "nombre completo, nome, naam, navn",
    "first_name": "first name, firstname, first, given name, vorname, prenom, nombre",
    "last_name": "last name, lastname, last, family name, surname, nachname, apellido, apellidos",
    "group": "group, groups, site, team, department, category, categories, group membership, "
    "labels, plant, location, gruppe, gruppen, grupo, groupe",
    "language": "language, lang, locale, sprache, idioma, langue",
    "time_zone": "time zone, timezone, tz, zeitzone",
    "notes": "notes, note, comment, comments, remark, remarks, title, job title, role, position, "
    "notizen, notas",
}
PHONES = re.compile(
    r"\b(phones?|telephones?|tel|mobiles?|mobil|cell|cellphone|numbers?|nr|telefon|telefono|handy|movil"
    r"|celular|portable|rufnummer|telefonnummer|landline|office|work|home)\b"
)
NO_PHONES = re.compile(r"\b(type|label|fax|pager|extension|ext|id|e ?mail|street|city|address)\b")


def guess_mapping(sheet: Sheet) -> tuple[str, ...]:
    """Return the target of each column, a key of TARGETS."""
    found = [""] * len(sheet.columns)
    sample = sheet.rows[:ROWS_LOOKED_AT]
    values = [[row.cells[at] for row in sample if row.cells[at]] for at in range(len(found))]
    keys = [_key(column) for column in sheet.columns]
    for target, names in NAMES.items():
        for at, key in enumerate(keys):
            if (
                key in names.split(", ")
                and not found[at]
                and (target in SEVERAL or target not in found)
            ):
                found[at] = target
    for at, key in enumerate(keys):
        if not found[at] and PHONES.search(key) and not NO_PHONES.search(key):
            found[at] = "number" if not values[at] or _has_numbers(values[at]) else ""
    if "number" not in found:
        likely = (at for at, target in enumerate(found) if not target and _has_numbers(values[at]))
        for at in likely:
            found[at] = "number"
    if not {"name", "first_name", "last_name"} & set(found):
        likely = (at for at, target in enumerate(found) if not target and _has_words(values[at]))
        for at in likely:
            found[at] = "name"
            break
    return tuple(found)


def read_mapping(sheet: Sheet, given: Sequence[str]) -> tuple[str, ...]:
    """Return the guessed mapping, changed by what is given, each as "target=column".

    `number=Mobile` takes numbers from the column Mobile instead of those that were guessed; given
    twice, from both. Raises `UnusableInput` (field `map`).
    """
    mapping = list(guess_mapping(sheet))
    chosen: dict[int, str] = {}
    for each in given:
        target, equals, column = each.partition("=")
        target = target.strip().replace(" ", "_").replace("-", "_").lower().rstrip("s")
        target = {"note": "notes", "": ""}.get(target, target)
        if not equals or target not in TARGETS:
            targets = ", ".join(filter(None, TARGETS))
            raise UnusableInput(
                "map",
                f"“{each}” doesn't say where a column goes: "
                f"write TARGET=COLUMN, where TARGET is one of {targets}.",
            )
        places = [at for at, name in enumerate(sheet.columns) if _key(name) == _key(column)]
        if not places:
            columns = ", ".join(sheet.columns)
            raise UnusableInput("map", f"There is no column “{column}”. There are: {columns}.")
        chosen[places[0]] = target
    replaced = set(chosen.values())
    mapping = ["" if target in replaced else target for target in mapping]
    for at, target in chosen.items():
        mapping[at] = target
    return tuple(mapping)


def check_mapping(mapping: Sequence[str]) -> None:
    """Raise `UnusableInput` (field `mapping`) unless there are columns with names and numbers."""
    if "number" not in mapping:
        raise UnusableInput("mapping", "No column has phone numbers. Say which one does.")
    if not {"name", "first_name", "last_name"} & set(mapping):
        raise UnusableInput("mapping", "No column has names. Say which one does.")
    for target in set(TARGETS) - SEVERAL - {""}:
        if list(mapping).count(target) > 1:
            raise UnusableInput(
                "mapping", f"Two columns go to {TARGETS[target]}. Leave one of them out."
            )


def _key(column: str) -> str:
    """Return a column's name as separate words in lower case: "phone number"."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", name_key(apart)).split())


def _has_numbers(values: Sequence[str]) -> bool:
    """Whether most of the values may be phone numbers."""
    likely = [len(digits_of(each)) >= FEWEST_DIGITS and "@" not in each for each in values]
    return sum(likely) * 2 > len(likely)


def _has_words(values: Sequence[str]) -> bool:
    """Whether most of the values may be names."""
    likely = [
        any(map(str.isalpha, each)) and "@" not in each and not digits_of(each) for each in values
    ]
    return sum(likely) * 2 > len(likely)
