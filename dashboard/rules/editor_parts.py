"""Every part of the editor that changes, for the rule as it is in the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from htmltools import Tag, TagChild, TagList, tags

from alerts import UnusableInput
from dashboard.alert_status import clock
from dashboard.rules import editor, options, result
from dashboard.rules.guided_form import guided_tag
from dashboard.rules.looking import Looking
from dashboard.rules.parts import wrong
from dashboard.rules.result import Decision, Telling
from rules.guided import Guided, guided_sql
from rules.rule import Rule, missing_fields

# Fields with a line of their own under them. Mistakes in others are shown under the options.
LINES = (
    "name", "source", "message", "message_for_many", "then_to", "owner", "schedule", "delivery",
    "recovery_checks", "gather_minutes", "reminders", "reminder_minutes", "stale_after_minutes",
)  # fmt: skip
OWN_PLACES = ("sql", "key", "to", "to_column", *LINES)
STATES = {"draft": "Draft", "on": "On", "paused": "Off", "held": "Held"}


@dataclass(frozen=True, slots=True)
class EditorState:
    """The rule in the form, the rule as saved, and what is known about both.

    `source` is the one whose columns are offered. `problems` are sentences by field; while the rule
    is new, only those of touched fields are shown. `chosen` are keys of bad rows.
    """

    rule: Rule
    saved: Rule | None
    source: str
    problems: Mapping[str, str]
    save_problem: str
    telling: Telling
    chosen: frozenset[str]
    by: str
    zone: str

    @property
    def is_changed(self) -> bool:
        """Whether the form has unsaved changes."""
        return self.saved is None or self.saved.fingerprint != self.rule.fingerprint


def parts_of(state: EditorState, looking: Looking) -> dict[str, TagChild]:
    """Return each part of the editor that changes, by its name."""
    rule = state.rule
    names = offered(rule, state.source, looking)
    problems = {**looking.problems, **state.problems}
    return {
        "saved": saved_words(state),
        **_lines(state, problems),
        **_query(state, looking),
        "key": editor.key_and_recipients(rule, names, problems),
        "variables": editor.variables([each for each in names if each.isidentifier()]),
        "how": options.how_words(rule),
        "after": options.after_words(rule),
        "voices": options.voices(rule),
        "time-column": options.time_column(
            rule, [each.name for each in looking.columns(state.source)]
        ),
        "bad-now": result.bad_now(
            looking.seen,
            str(looking.mistake or looking.trouble or next(iter(looking.problems.values()), "")),
            state.zone,
            is_reading=looking.is_previewing,
        ),
        "month": result.last_month(
            looking.past, is_reading=looking.is_previewing or looking.is_looking_back
        ),
        "turn-on": result.turn_on(
            Decision(
                rule,
                looking.seen,
                why_not(state, looking),
                state.telling,
                state.chosen,
                state.is_changed,
            )
        ),
    }


def offered(rule: Rule, source: str, looking: Looking) -> Sequence[str]:
    """Return the columns that a key, a recipient and a message can have."""
    of_query = looking.seen.preview.columns if looking.seen else ()
    if not rule.guided:
        return of_query
    return list(dict.fromkeys([*(each.name for each in looking.columns(source)), *of_query]))


def why_not(state: EditorState, looking: Looking) -> str:
    """Say what keeps the rule from being switched on, "" if nothing does."""
    rule, mistake = state.rule, looking.mistake
    sentences: list[str] = []
    if mistake is not None:
        line = mistake.line
        sentences.append(f"Line {line} needs a fix first." if line else "The query needs a fix.")
    if rule.guided:
        sentences.append(unwritten(rule.guided))
    sentences += [looking.trouble, *state.problems.values()]
    sentences += map(str, missing_fields(rule).values())
    sentences += looking.problems.values()
    sentences.append(state.save_problem)
    if not looking.is_about(rule):
        sentences.append("Looking at the data first…")
    return next(filter(None, sentences), "")


def unwritten(guided: Guided) -> str:
    """Say why the guided way writes no query yet, "" if it does."""
    try:
        guided_sql(guided)
    except UnusableInput as problem:
        return str(problem)
    return ""


def saved_words(state: EditorState) -> Tag:
    """Say whether what is in the form is saved, since when, and by whom."""
    rule, saved = state.rule, state.saved
    if state.save_problem:
        return wrong(state.save_problem)
    if saved is None:
        return tags.span("Not saved yet")
    at = clock(saved.changed_at, state.zone) if saved.changed_at else ""
    verb = "changed since" if state.is_changed else "saved"
    by = f" by {saved.changed_by}" if saved.changed_by not in ("", state.by) else ""
    return tags.span(f"{STATES[rule.state]}, {verb} {at}{by}")


def _lines(state: EditorState, problems: Mapping[str, str]) -> dict[str, TagChild]:
    elsewhere = [sentence for field, sentence in problems.items() if field not in OWN_PLACES]
    sentences = {name: problems.get(name, "") for name in LINES} | {"delivery": " ".join(elsewhere)}
    if state.saved is None and not state.rule.name.strip():
        sentences["name"] = ""  # a rule that was just begun isn't wrong yet
    return {
        f"line-{name}": wrong(sentence) if sentence else TagList()
        for name, sentence in sentences.items()
    }


def _query(state: EditorState, looking: Looking) -> dict[str, TagChild]:
    rule, source = state.rule, state.source
    columns = looking.columns(source)
    guided = rule.guided or replace(Guided(source, "", "over"), key=rule.key)
    unread = looking.unread.get(source)
    notes, change = looking.notes(source), looking.change(source)
    chips = editor.column_chips(source, columns, notes, change)
    return {
        "columns": editor.no_columns(unread.problem, unread.change) if unread else chips,
        "guided": guided_tag(guided, columns),
        "written-sql": rule.sql if rule.guided else "",
        "sql-line": _sql_line(state, looking, guided),
    }


def _sql_line(state: EditorState, looking: Looking, guided: Guided) -> TagList:
    rule, mistake = state.rule, looking.mistake
    if mistake is not None:
        return editor.sql_mistake(mistake.sentence, mistake.line, mistake.fix)
    if sentence := state.problems.get("sql") or looking.trouble:
        return editor.sql_mistake(sentence)
    if not rule.sql.strip():
        hint = unwritten(guided) if rule.guided else "Each row that it returns is bad."
        return TagList(tags.span(hint, class_="cb-quiet"))
    if looking.is_previewing or looking.seen is None:
        return TagList(tags.span("Reading…", class_="cb-quiet"))
    preview = looking.seen.preview
    return editor.sql_fine(preview.total, preview.seconds)
