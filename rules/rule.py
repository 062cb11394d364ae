"""Rule: a query whose rows are bad things, and whom to tell about them."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal

from alerts.alert import AlertRequest, Channel
from alerts.errors import UnusableInput
from alerts.message.compose import MOST_FURTHER_NUMBERS, MOST_TEMPLATE_CHARACTERS, compose
from alerts.phone_numbers import Regions
from database.characters import can_be_kept
from rules.guided import Guided
from rules.schedule import check_at

# draft: never switched on · on: checked · paused: switched off · held: checked, but what turns bad
# waits for a person's decision.
State = Literal["draft", "on", "paused", "held"]

# The key of a rule whose rows have none of their own: a row is the same if all its cells are.
WHOLE_ROW = ("*",)

USUAL_SECONDS = 300.0
MOST_NAME_CHARACTERS = 100
MOST_SQL_BYTES = 20_000
MOST_KEY_COLUMNS = 5
MOST_COLUMN_CHARACTERS = 200
MOST_RECIPIENT_CHARACTERS = 20_000
MOST_REMINDERS = 3
MOST_AT_ONCE = 10_000
DAY_MINUTES = 24 * 60
# Characters that a database can't keep, or that people can't see.
REFUSED_CATEGORIES = {"Cc", "Cs", "Co", "Cn"}

# Fields that say in which state a rule is, not what it does.
NOT_OF_THE_DEFINITION = ("id", "state", "revision", "changed_by", "changed_at")
# Fields of a rule that `AlertRequest` has too, with the same meaning.
OF_THE_ALERT = (
    "channel", "voice", "language", "repeat", "acknowledge", "voicemail", "tries",
    "minutes_between_tries", "then_text", "quiet_hours", "urgent", "time_zone",
)  # fmt: skip
# The number stands for the recipients, who are known only when a row is bad.
SPECIMEN = AlertRequest("call", "+14128574309", "Something is bad.", template=False)
SPECIMEN_REGIONS = Regions()


@dataclass(frozen=True, slots=True)
class Rule:
    """Which rows are bad, what makes them the same thing, whom to tell what, and when to look.

    `key` are 1 to 5 columns of the query, or WHOLE_ROW. `message` may hold `{{ column }}` of each
    column; `message_for_many` also `{{ count }}` and `{{ list }}`, and is for several rows at once.
    Recipients are in the column `to_column` (a number, a contact's or a group's name), or those
    named in `to`; `owner` is told when the rule can't be checked. Both are as people type them. The
    fields of delivery mean what they do in `AlertRequest`; in `then_to` names are allowed too.

    It is checked every `every_seconds`, or at the times of the cron line `at` ("0 7 * * 1-5") in
    `time_zone` (an IANA name, "" for TIME_ZONE). A row fires once it was bad in `pending_checks`
    checks and for `pending_minutes`, and is over once `recovery_checks` didn't list it. If more
    than `most_at_once` fire in one check, all are held for a person. Alerts are gathered for
    `gather_minutes`. Until a recipient acknowledges, `reminders` follow, `reminder_minutes` apart.
    With `once_ever`, a key that has been over never fires again. The owner is told if the newest
    row (by `time_column`) or file is older than `stale_after_minutes` (0: never).

    `guided` has the choices of the guided way, if that wrote `sql`. `changed_at` is in UTC.
    """

    id: str = ""
    name: str = ""
    sql: str = ""
    key: tuple[str, ...] = ()
    message: str = ""
    message_for_many: str = ""
    to_column: str = ""
    to: str = ""
    owner: str = ""
    channel: Channel = "call"
    voice: str = "alice"
    language: str = "en-GB"
    repeat: int = 3
    acknowledge: bool = False
    voicemail: str = ""
    tries: int = 1
    minutes_between_tries: float = 5
    then_text: bool = False
    then_to: tuple[str, ...] = ()
    quiet_hours: str = ""
    urgent: bool = False
    every_seconds: float = USUAL_SECONDS
    at: str = ""
    time_zone: str = ""
    pending_checks: int = 1
    pending_minutes: float = 0
    recovery_checks: int = 2
    most_at_once: int = 10
    gather_minutes: float = 0
    reminders: int = 0
    reminder_minutes: float = 60
    tell_recovery: bool = False
    once_ever: bool = False
    stale_after_minutes: float = 0
    time_column: str = ""
    guided: Guided | None = None
    state: State = "draft"
    revision: int = 0
    changed_by: str = ""
    changed_at: datetime | None = None

    @property
    def is_checked(self) -> bool:
        """Whether it is checked when it is due: it is on, or held."""
        return self.state in ("on", "held")

    @property
    def fingerprint(self) -> str:
        """A fingerprint of the definition: equal for two rules with the same name and effect."""
        text = json.dumps(definition_of(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


# The least and most of each number, and the sentence for values outside.
LIMITS: Mapping[str, tuple[float, float, str]] = {
    "every_seconds": (1, 31 * DAY_MINUTES * 60, "Check it every second to every 31 days."),
    "pending_checks": (1, 100, "Ask for 1 to 100 bad checks in a row."),
    "pending_minutes": (0, 7 * DAY_MINUTES, "Wait 0 to 10,080 minutes (a week)."),
    "recovery_checks": (1, 100, "Ask for 1 to 100 good checks in a row."),
    "most_at_once": (1, MOST_AT_ONCE, f"Let 1 to {MOST_AT_ONCE:,} alert at once."),
    "gather_minutes": (0, DAY_MINUTES, "Gather them for 0 to 1,440 minutes (a day)."),
    "reminders": (0, MOST_REMINDERS, f"Remind 0 to {MOST_REMINDERS} times."),
    "reminder_minutes": (1, 7 * DAY_MINUTES, "Remind after 1 to 10,080 minutes (a week)."),
    "stale_after_minutes": (0, 366 * DAY_MINUTES, "Name 0 to 527,040 minutes (a year)."),
    "repeat": (0, 100, "Say it 1 to 100 times, or 0 for until they hang up."),
}
COUNTS = ("pending_checks", "recovery_checks", "most_at_once", "reminders", "repeat")


def same_columns(columns: Sequence[str], others: Sequence[str]) -> bool:
    """Whether these are the same columns in the same order, ignoring upper and lower case."""
    return [each.casefold() for each in columns] == [each.casefold() for each in others]


def check_rule(rule: Rule) -> None:
    """Raise `UnusableInput` for the first field that keeps the rule from being saved."""
    for problem in wrong_fields(rule).values():
        raise problem


def check_complete(rule: Rule) -> None:
    """Raise `UnusableInput` for the first field that keeps the rule from being checked."""
    for problem in {**wrong_fields(rule), **missing_fields(rule)}.values():
        raise problem


def wrong_fields(rule: Rule) -> dict[str, UnusableInput]:
    """Return what keeps a rule, even a draft, from being saved, by field.

    This doesn't look at sources, the query's columns or people: see preview.py.
    """
    problems = [
        *_wrong_texts(rule),
        *_wrong_key(rule),
        *_wrong_numbers(rule),
        *_wrong_delivery(rule),
        *_wrong_messages(rule),
        *_wrong_times(rule),
    ]
    found: dict[str, UnusableInput] = {}
    for each in problems:
        found.setdefault(each.field, each)
    return found


def missing_fields(rule: Rule) -> dict[str, UnusableInput]:
    """Return, by field, what an otherwise valid rule still lacks before it can be checked."""
    found = []
    if not rule.sql.strip():
        found.append(UnusableInput("sql", "Write a query whose rows are what is bad."))
    if not rule.key:
        found.append(UnusableInput("key", "Choose the columns that a bad row is known by."))
    if not rule.message.strip():
        found.append(UnusableInput("message", "Write a message."))
    if not rule.to_column and not rule.to.strip():
        found.append(UnusableInput("to", "Say whom to tell: a column, or people and numbers."))
    return {each.field: each for each in found}


def definition_of(rule: Rule) -> dict[str, Any]:
    """Return the rule's definition as JSON values, without its id, state and revision."""
    if rule.at:
        # With a cron line, an earlier interval no longer counts.
        rule = replace(rule, every_seconds=USUAL_SECONDS)
    values = {
        name: value for name, value in asdict(rule).items() if name not in NOT_OF_THE_DEFINITION
    }
    return {name: _json_value(value) for name, value in values.items()}


def rule_from(definition: Mapping[str, Any]) -> Rule:
    """Return the rule with a definition that `definition_of` wrote, perhaps another version's."""
    known = {field.name for field in fields(Rule)}
    values = {name: value for name, value in definition.items() if name in known}
    for name in ("key", "then_to"):
        values[name] = tuple(values.get(name, ()))
    if guided := values.get("guided"):
        of_guided = {field.name for field in fields(Guided)}
        filled_in = {name: value for name, value in guided.items() if name in of_guided}
        columns = {name: tuple(filled_in.get(name, ())) for name in ("key", "also")}
        values["guided"] = Guided(**filled_in | columns)
    return Rule(**values)


def alert_request(rule: Rule) -> AlertRequest:
    """Return the options of the rule's alerts as a request without recipient and words."""
    shared = {name: getattr(rule, name) for name in OF_THE_ALERT}
    return AlertRequest(to="", message=rule.message, user=rule.name, **shared)


def _json_value(value: Any) -> Any:
    """Return the same JSON value for equal values: 5 and 5.0 are the same minutes."""
    if isinstance(value, dict):
        return {name: _json_value(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return list(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _wrong_texts(rule: Rule) -> list[UnusableInput]:
    found = []
    if not rule.name.strip():
        found.append(UnusableInput("name", "Give the rule a name."))
    for field, what, most in (
        ("name", "A rule's name", MOST_NAME_CHARACTERS),
        ("to_column", "A column's name", MOST_COLUMN_CHARACTERS),
        ("time_column", "A column's name", MOST_COLUMN_CHARACTERS),
        ("to", "This list", MOST_RECIPIENT_CHARACTERS),
        ("owner", "This list", MOST_RECIPIENT_CHARACTERS),
    ):
        text = getattr(rule, field)
        if len(text) > most:
            sentence = f"{what} has {most:,} characters at most; this one has {len(text):,}."
            found.append(UnusableInput(field, sentence))
    if not _can_be_read(rule.name):
        found.append(UnusableInput("name", "The name holds an invisible character: retype it."))
    size = len(rule.sql.encode(errors="replace"))
    if size > MOST_SQL_BYTES:
        sentence = f"A query has {MOST_SQL_BYTES:,} bytes at most; this one has {size:,}."
        found.append(UnusableInput("sql", sentence))
    for field in ("sql", "to", "owner", "to_column", "time_column", "message", "message_for_many"):
        if not can_be_kept(getattr(rule, field)):
            sentence = "It holds a broken character (half an emoji) or a zero byte: delete it."
            found.append(UnusableInput(field, sentence))
    if rule.to_column and rule.to.strip():
        sentence = "Choose one: recipients from a column, or the same people for every row."
        found.append(UnusableInput("to", sentence))
    return found


def _wrong_key(rule: Rule) -> list[UnusableInput]:
    if rule.key == WHOLE_ROW:
        return []
    sentence = ""
    if len(rule.key) > MOST_KEY_COLUMNS:
        sentence = f"A row is known by {MOST_KEY_COLUMNS} columns at most: leave some out."
    elif any(not each.strip() or len(each) > MOST_COLUMN_CHARACTERS for each in rule.key):
        sentence = "Name the columns that a bad row is known by, each by its name."
    elif len({each.casefold() for each in rule.key}) < len(rule.key):
        sentence = "A column is there twice: name it once."
    elif WHOLE_ROW[0] in rule.key:
        sentence = "Choose the whole row or some of its columns, not both."
    return [UnusableInput("key", sentence)] if sentence else []


def _wrong_numbers(rule: Rule) -> list[UnusableInput]:
    found = []
    for field, (least, most, sentence) in LIMITS.items():
        value = getattr(rule, field)
        # Written this way round so that NaN is refused too.
        if not least <= value <= most or (field in COUNTS and not float(value).is_integer()):
            found.append(UnusableInput(field, sentence))
    return found


def _wrong_delivery(rule: Rule) -> list[UnusableInput]:
    """Return why an alert with these options would be refused for any recipient."""
    found: list[UnusableInput] = []
    request = replace(
        alert_request(rule), to=SPECIMEN.to, message=SPECIMEN.message, user="", template=False
    )
    if rule.voicemail:
        request = replace(request, voicemail=SPECIMEN.message)
    if not 0 <= rule.repeat <= 100:
        request = replace(request, repeat=SPECIMEN.repeat)
    # `compose` stops at the first mistake, so correct that field and look for the next.
    for _ in OF_THE_ALERT:
        try:
            compose(request, SPECIMEN_REGIONS)
            break
        except UnusableInput as problem:
            found.append(problem)
            if problem.field not in OF_THE_ALERT:
                break
            request = replace(request, **{problem.field: getattr(SPECIMEN, problem.field)})
    if len(rule.then_to) > MOST_FURTHER_NUMBERS:
        sentence = f"Name {MOST_FURTHER_NUMBERS} further people at most."
        found.append(UnusableInput("then_to", sentence))
    return found


def _wrong_messages(rule: Rule) -> list[UnusableInput]:
    # Jinja2 takes 25 ms to import, and the first page doesn't need it.
    from alerts.message.templates import UnknownVariable, render  # noqa: PLC0415

    found = []
    for field in ("message", "message_for_many", "voicemail"):
        text = getattr(rule, field)
        if len(text) > MOST_TEMPLATE_CHARACTERS:
            most = f"{MOST_TEMPLATE_CHARACTERS:,}"
            found.append(UnusableInput(field, f"A message holds {most} characters at most."))
            continue
        try:
            render(text, {})
        except UnknownVariable:
            pass  # the columns are known only when the query has run
        except UnusableInput as problem:
            found.append(UnusableInput(field, str(problem)))
    return found


def _wrong_times(rule: Rule) -> list[UnusableInput]:
    if not rule.at:
        return []
    try:
        check_at(rule.at)
    except UnusableInput as problem:
        return [problem]
    return []


def _can_be_read(text: str) -> bool:
    return not any(unicodedata.category(each) in REFUSED_CATEGORIES for each in text)
