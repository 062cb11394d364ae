"""Rules in TOML files, to be kept in git: reading a written file returns the same rules.

    [[rule]]
    name = "Diacetyl above limit"
    sql = '''
    SELECT batch, phone FROM tastings WHERE diacetyl_ppb > limit_ppb'''
    key = ["batch"]
    check = "weekdays at 07:00"

A field that isn't there has its default. https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from alerts.errors import UnusableInput
from people.names import name_key
from rules.guided import Guided
from rules.rule import NOT_OF_THE_DEFINITION, Rule, definition_of, wrong_fields
from rules.schedule import read_schedule, schedule_words

HEADING = "# Rules of Callboard. Load them with: python -m alerts rules load FILE\n"
TABLE = "rule"
MOST_FILE_CHARACTERS = 5_000_000
MOST_RULES = 1_000
# In a file, one entry in words replaces both fields.
SCHEDULE, OF_THE_SCHEDULE = "check", ("every_seconds", "at")
# TOML's short forms of characters that a basic string can't hold.
ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
}
# What a literal string can't hold; readers may turn \r\n into \n.
NOT_LITERAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|'''|'$")
KINDS = {str: "a text in quotes", bool: "true or false", int: "a whole number", float: "a number"}


def write_rules(rules: Iterable[Rule]) -> str:
    """Return the file's text. Only what differs from a new rule is written."""
    return HEADING + "".join(f"\n{_rule(rule)}" for rule in rules)


def read_rules(text: str, file_name: str) -> list[Rule]:
    """Return the rules in a file's text, as drafts without an id.

    Raises `UnusableInput` about `file`: one sentence that names the file and the rule.
    """
    if len(text) > MOST_FILE_CHARACTERS:
        raise UnusableInput("file", f"{file_name} is too long to be a file of rules.")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise UnusableInput("file", f"{file_name} isn't TOML: {_sentence(problem)}") from None
    entries = found.pop(TABLE, [])
    if found:
        name = next(iter(found))
        raise UnusableInput("file", f"{file_name}: {name} isn't known here. Rules are [[{TABLE}]].")
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise UnusableInput("file", f"{file_name}: begin each rule with [[{TABLE}]].")
    if len(entries) > MOST_RULES:
        raise UnusableInput("file", f"{file_name}: a file has {MOST_RULES:,} rules at most.")
    rules: dict[str, Rule] = {}
    for place, entry in enumerate(entries, start=1):
        where = f"{file_name}, {_named(entry, place)}"
        rule = _read_rule(entry, where)
        if rules.setdefault(name_key(rule.name), rule) is not rule:
            raise UnusableInput("file", f"{where}: there are two of this name: rename one.")
    return list(rules.values())


def _rule(rule: Rule) -> str:
    values, usual = definition_of(rule), definition_of(Rule())
    guided = values.pop("guided")
    lines = [f"[[{TABLE}]]"]
    for name, value in values.items():
        if name in OF_THE_SCHEDULE:
            is_first = name == OF_THE_SCHEDULE[0]
            if is_first and any(values[each] != usual[each] for each in OF_THE_SCHEDULE):
                lines.append(f"{SCHEDULE} = {_value(_schedule(rule))}")
        elif value != usual[name] or name == "name":
            lines.append(f"{name} = {_value(value)}")
    if guided:
        lines.append(f"\n[{TABLE}.guided]")
        unset = {field.name: field.default for field in fields(Guided)}
        lines += [
            f"{name} = {_value(value)}"
            for name, value in guided.items()
            if unset[name] is MISSING or _plain(value) != _plain(unset[name])
        ]
    return "\n".join(lines) + "\n"


def _schedule(rule: Rule) -> str:
    return schedule_words(rule.every_seconds, rule.at)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | list) else value


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(each) for each in value) + "]"
    if "\n" in value and not NOT_LITERAL.search(value):
        # A line break right after the opening quotes isn't part of the text.
        return f"'''\n{value}'''"
    return _text(value)


def _text(text: str) -> str:
    return '"' + "".join(_escaped(each) for each in text) + '"'


def _escaped(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x20 or 0x7F <= code < 0xA0 else character


def _named(entry: Mapping[str, Any], place: int) -> str:
    name = entry.get("name")
    return f"rule {name}" if isinstance(name, str) and name else f"rule {place}"


def _read_rule(entry: Mapping[str, Any], where: str) -> Rule:
    values = dict(entry)
    schedule, guided = values.pop(SCHEDULE, None), values.pop("guided", None)
    types = get_type_hints(Rule)
    # The guided way has a table of its own, and the schedule is written in words.
    for name in (*NOT_OF_THE_DEFINITION, "guided", *OF_THE_SCHEDULE):
        del types[name]
    rule = Rule(**_read_values(values, types, where, also=(SCHEDULE, "guided")))
    if schedule is not None:
        if not isinstance(schedule, str):
            raise UnusableInput("file", f"{where}: {SCHEDULE} must be {KINDS[str]}.")
        try:
            every, at = read_schedule(schedule)
        except UnusableInput as problem:
            raise UnusableInput("file", f"{where}: {SCHEDULE}: {problem}") from None
        rule = replace(rule, at=at, every_seconds=every or rule.every_seconds)
    if guided is not None:
        rule = replace(rule, guided=_read_guided(guided, f"{where}, guided"))
    for field, wrong in wrong_fields(rule).items():
        raise UnusableInput("file", f"{where}: {field}: {wrong}")
    return rule


def _read_guided(entry: Any, where: str) -> Guided:
    if not isinstance(entry, dict):
        raise UnusableInput("file", f"{where}: begin it with [{TABLE}.guided].")
    values = _read_values(entry, get_type_hints(Guided), where)
    for field in fields(Guided):
        if field.default is MISSING and field.name not in values:
            raise UnusableInput("file", f"{where}: {field.name} is missing.")
    return Guided(**values)


def _read_values(
    entry: Mapping[str, Any], types: Mapping[str, Any], where: str, also: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the values with their types. Raises `UnusableInput` for a name or type unknown."""
    values = {}
    for name, value in entry.items():
        if name not in types:
            close = difflib.get_close_matches(name, [*types, *also], n=1)
            meant = f" Do you mean {close[0]}?" if close else ""
            raise UnusableInput("file", f"{where}: {name} isn't known here.{meant}")
        values[name] = _read_value(value, types[name], f"{where}: {name}")
    return values


def _read_value(value: Any, kind: Any, where: str) -> Any:
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if value not in choices:
            raise UnusableInput("file", f"{where} must be one of {', '.join(choices)}.")
        return value
    if get_origin(kind) is tuple:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise UnusableInput("file", f'{where} must be a list of texts, such as ["batch"].')
        return tuple(value)
    # In Python, True is an int too.
    is_right = isinstance(value, (int, float) if kind is float else kind)
    if not is_right or (isinstance(value, bool) and kind is not bool):
        raise UnusableInput("file", f"{where} must be {KINDS[kind]}.")
    return value


def _sentence(problem: tomllib.TOMLDecodeError) -> str:
    words = str(problem)
    return words if words.endswith(".") else f"{words}."
