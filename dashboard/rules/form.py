"""The editor's form, as rules.js sends it whole, and the rule that it describes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alerts import AlertRequest, UnusableInput
from dashboard.inputs import choice, count, number, switch, text
from dashboard.send.form import MOST_REPEATS
from dashboard.send.if_nobody_answers import CHANNELS, with_escalation
from rules.guided import Comparison, Guided
from rules.rule import Rule
from rules.schedule import read_schedule, schedule_words

WAYS = {"sql": "SQL", "guided": "Without SQL"}
COMPARISONS: dict[Comparison, str] = {
    "over": "is over",
    "under": "is under",
    "is": "is",
    "missing": "has not come for",
    "jump": "jumps by more than",
}
SCHEDULES = (
    "every 10 seconds",
    "every 30 seconds",
    "every minute",
    "every 5 minutes",
    "every 15 minutes",
    "every hour",
    "daily at 07:00",
    "weekdays at 07:00",
)
OWN_TIMES = "own"
PENDING_CHECKS = (1, 2, 3, 5)
PENDING_MINUTES = (10, 30, 60)
MOST_AT_ONCE = (5, 10, 20, 50, 100, 500)
NUMBERS = ("stale_after_minutes", "gather_minutes", "reminder_minutes")
COUNTS = ("recovery_checks", "reminders")
SWITCHES = ("tell_recovery", "once_ever", "urgent")
TEXTS = ("name", "message", "message_for_many", "to_column", "to", "owner", "time_column")


def read_form(fields: Mapping[str, object], base: Rule) -> Rule:
    """Return `base` with what the form holds; the key is chosen outside the form.

    Raises `UnusableInput` for values that no such form sends, or that are too long for any field.
    """
    values: dict[str, Any] = {
        name: text(fields.get(name, getattr(base, name)), name) for name in TEXTS
    }
    if values["to_column"]:
        values["to"] = ""
    values |= {name: number(fields.get(name, getattr(base, name)), name) for name in NUMBERS}
    values |= {name: _count(fields, name, base) for name in COUNTS}
    values |= {name: switch(fields.get(name, getattr(base, name)), name) for name in SWITCHES}
    rule = _schedule(fields, _delivery(fields, replace(base, **values)))
    if choice(fields.get("way", "sql"), "way", WAYS) == "guided":
        return replace(rule, guided=_guided(fields, rule))
    return replace(rule, guided=None, sql=text(fields.get("sql", rule.sql), "sql"))


def _delivery(fields: Mapping[str, object], rule: Rule) -> Rule:
    channel = choice(fields.get("channel", rule.channel), "channel", CHANNELS)
    asked = AlertRequest("text" if channel == "text" else "call", "", "")
    asked = with_escalation(asked, lambda name: fields.get(name, _sent(rule, name)))
    return replace(
        rule,
        channel=asked.channel,
        voice=text(fields.get("voice", rule.voice), "voice"),
        language=text(fields.get("language", rule.language), "language"),
        repeat=count(fields.get("repeat", str(rule.repeat)), "repeat", MOST_REPEATS),
        acknowledge=switch(fields.get("acknowledge", rule.acknowledge), "acknowledge"),
        voicemail=asked.voicemail,
        tries=asked.tries,
        minutes_between_tries=asked.minutes_between_tries,
        then_text=asked.then_text,
        then_to=asked.then_to,
        quiet_hours=asked.quiet_hours,
    )


def _sent(rule: Rule, name: str) -> object:
    """Return what the form's field of this name would send for the rule."""
    value = getattr(rule, name)
    if name == "then_to":
        return "\n".join(value)
    if name == "tries":
        return str(value)
    return bool(value) if name == "quiet_hours" else value


def _schedule(fields: Mapping[str, object], rule: Rule) -> Rule:
    when = text(fields.get("when", schedule_value(rule)), "schedule")
    if when == OWN_TIMES:
        when = text(fields.get("schedule", ""), "schedule")
    every, at = read_schedule(when)
    rule = replace(rule, at=at, every_seconds=every or rule.every_seconds)
    kind, _, value = text(fields.get("pending", pending_value(rule)), "pending").partition(" ")
    if kind == "checks":
        checks = int(_figure(value, "pending_checks"))
        rule = replace(rule, pending_checks=checks, pending_minutes=0)
    elif kind == "minutes":
        rule = replace(rule, pending_checks=1, pending_minutes=_figure(value, "pending_minutes"))
    most = fields.get("most_at_once", str(rule.most_at_once))
    return replace(rule, most_at_once=int(_figure(most, "most_at_once")))


def _guided(fields: Mapping[str, object], rule: Rule) -> Guided:
    known = rule.guided or Guided("", "", "over")
    comparison = choice(fields.get("g_comparison", known.comparison), "comparison", COMPARISONS)
    minutes = number(fields.get("g_minutes", known.minutes), "minutes")
    return replace(
        known,
        source=text(fields.get("source", known.source), "source"),
        column=text(fields.get("g_column", known.column), "column"),
        comparison=next(each for each in COMPARISONS if each == comparison),
        limit=text(fields.get("g_limit", known.limit), "limit").strip(),
        limit_column=text(fields.get("g_limit_column", known.limit_column), "limit_column"),
        time_column=text(fields.get("g_time_column", known.time_column), "time_column"),
        minutes=minutes,
    )


def _count(fields: Mapping[str, object], name: str, rule: Rule) -> int:
    """Return a whole number; for anything else, one that the rule refuses at its field."""
    value = number(fields.get(name, getattr(rule, name)), name)
    return int(value) if math.isfinite(value) and value == int(value) else -1


def _figure(value: object, field: str) -> float:
    """Return the number in one of a select's own values."""
    try:
        figure = float(str(value))
    except ValueError:
        figure = math.nan
    if not math.isfinite(figure):
        raise UnusableInput(field, "What the page sent isn't one of the choices: reload the page.")
    return figure


# --- The choices, in which what the rule has is always one --------------------------------------


def schedule_value(rule: Rule) -> str:
    """Return the key of the rule's choice in `schedules`."""
    return schedule_words(rule.every_seconds, rule.at)


def schedules(rule: Rule) -> dict[str, str]:
    """Return the choices of how often a rule is checked, with one for other times."""
    offered = dict.fromkeys((*SCHEDULES, schedule_value(rule)))
    return {each: each for each in offered} | {OWN_TIMES: "at other times…"}


def pending_value(rule: Rule) -> str:
    """Return the key of the rule's choice in `pendings`."""
    if rule.pending_minutes:
        return f"minutes {rule.pending_minutes:g}"
    return f"checks {rule.pending_checks}"


def pendings(rule: Rule) -> dict[str, str]:
    """Return the choices of how long a row has to be bad."""
    checks = sorted({*PENDING_CHECKS, rule.pending_checks})
    minutes = sorted({*PENDING_MINUTES, *({rule.pending_minutes} if rule.pending_minutes else ())})
    offered = {f"checks {each}": f"{each} check{'s' * (each != 1)}" for each in checks}
    offered |= {f"minutes {each:g}": f"{each:g} minutes" for each in minutes}
    return offered


def most_choices(rule: Rule) -> dict[str, str]:
    """Return the choices of how many rows may turn bad at once."""
    return {
        str(each): f"{each} row{'s' * (each != 1)}"
        for each in sorted({*MOST_AT_ONCE, rule.most_at_once})
    }


def keys_in(fields: Mapping[str, object]) -> set[str]:
    """Return the keys of the rows that were chosen in a sheet."""
    keys = fields.get("keys")
    listed = keys if isinstance(keys, (list, tuple)) else ()
    return {each for each in listed if isinstance(each, str)}
