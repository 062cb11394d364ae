"""The editor's right side: what is bad now, what would have alerted, and switching the rule on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from htmltools import Tag, TagList, tags

from alerts import UnusableInput
from alerts.message.call_twiml import check_call, write_document
from alerts.phone_numbers import international
from dashboard.alert_status import clock, shape_tag
from dashboard.page_parts import button, icon
from dashboard.rules.charts import month
from dashboard.rules.parts import rows_words, sheet
from rules.preview import PastAlerts, Preview, PreviewRow
from rules.rule import WHOLE_ROW, Rule, alert_request

ROWS_SHOWN = 3
MOST_ROWS_LISTED = 500
AS_SEEN = "It is on, as you see it here."
Telling = Literal["none", "choose"]


@dataclass(frozen=True, slots=True)
class Seen:
    """The last good preview, the rule it is of, and when it was made."""

    rule: Rule
    preview: Preview
    at: datetime


# --- Bad now ------------------------------------------------------------------------------------


def bad_now(seen: Seen | None, problem: str, zone: str, *, is_reading: bool) -> Tag:
    """Return what is bad now: the rows, who would be told of each, and in which words.

    With a `problem`, the last preview stays, with the time it was made.
    """
    if seen is None:
        words = "Reading…" if is_reading else "What is bad shows here once there is a query."
        return tags.div(
            tags.div(tags.h2("Bad now"), class_="card-heading"),
            tags.p(words, class_="cb-quiet nothing"),
        )
    preview = seen.preview
    at = clock(seen.at, zone)
    shown = preview.rows[:ROWS_SHOWN]
    aside = f"as of {at}, before the mistake" if problem else f"at {at}"
    if not problem and len(shown) < preview.total:
        aside = f"first {len(shown)}, at {at}"
    heading = f"Bad now: {rows_words(preview.total)}" if preview.total else "None bad"
    verb = "text" if seen.rule.channel == "text" else "call"
    return tags.div(
        tags.div(
            tags.h2(heading),
            tags.span(aside, class_="cb-quiet cb-small aside"),
            class_="card-heading",
        ),
        _table(seen.rule, shown, "first") if shown else None,
        tags.p(
            f"No row is bad now. If one turns bad later, the rule {verb}s about it.",
            class_="cb-quiet nothing",
        )
        if not shown
        else None,
        tags.div(
            button(f"See all {preview.total:,}", "see_all", "text-button")
            if preview.total > len(shown)
            else None,
            _changes(preview),
            button("Look again", "look_again", "text-button again"),
            class_="cb-foot",
        ),
    )


def _changes(preview: Preview) -> Tag | None:
    """Say how the rows differ from those of the saved rule."""
    if preview.same is None:
        return None
    words = f"{preview.same:,} the same, {preview.new:,} new, {preview.gone:,} gone"
    return tags.span(words, class_="cb-quiet", title="Compared with the saved rule")


def _table(rule: Rule, rows: Sequence[PreviewRow], place: str) -> Tag:
    """Return the rows; `place` keeps the ids of two tables on the page apart."""
    told = "What they read" if rule.channel == "text" else "What they hear"
    return tags.table(
        tags.thead(
            tags.tr(
                *(tags.th(each, role="columnheader") for each in ("Row", "Who", told)), role="row"
            ),
            role="rowgroup",
        ),
        tags.tbody(*(_row(rule, each, place) for each in rows), role="rowgroup"),
        class_="cb-table bad-table",
        role="table",
    )


def _row(rule: Rule, row: PreviewRow, place: str) -> Tag:
    beside = _beside(rule, row)
    return tags.tr(
        tags.td(
            tags.span(", ".join(row.title), class_="cb-strong"),
            tags.span(beside, class_="under cb-cut") if beside else None,
            role="cell",
        ),
        tags.td(*_who(row), role="cell", class_="who"),
        tags.td(_words(rule, row, place), role="cell", class_="words"),
        role="row",
        data_key=row.key,
    )


def _beside(rule: Rule, row: PreviewRow) -> str:
    """Return the first of the row's cells that isn't shown elsewhere, "" if there is none."""
    elsewhere = {*(each.casefold() for each in rule.key), rule.to_column.casefold()}
    others = (cell for name, cell in row.cells.items() if name.casefold() not in elsewhere)
    return "" if rule.key in ((), WHOLE_ROW) else next(filter(None, others), "")


def _who(row: PreviewRow) -> list[Tag]:
    if row.problem:
        return [tags.span(shape_tag("cross"), row.problem, class_="cb-status bad")]
    if not row.recipients:
        return [tags.span("–", class_="cb-quiet")]
    first, *others = row.recipients
    more = f" and {len(others)} more" if others else ""
    number = international(first.to)
    if not first.name:
        return [tags.span(number + more, class_="cb-number")]
    return [
        tags.span(first.name + more, class_="cb-cut name"),
        tags.span(number, class_="under cb-number"),
    ]


def _words(rule: Rule, row: PreviewRow, place: str) -> TagList:
    if not row.words:
        return TagList()
    twiml = document(rule, row.words) if rule.channel == "call" else ""
    of_row = f"rules-twiml-{place}-{row.key}"
    return TagList(
        tags.span(row.words, class_="two-lines", title=row.words),
        tags.span(
            tags.span(twiml, hidden="", id=of_row),
            tags.button(
                icon("play"),
                tags.span("Listen", class_="listen-label"),
                type="button",
                class_="cb-button low bare listen",
                data_listen=of_row,
            ),
            class_="listening",
        )
        if twiml
        else None,
    )


def document(rule: Rule, words: str) -> str:
    """Return the TwiML that a call would speak, "" if there is none."""
    try:
        request = alert_request(rule)
        check_call(request, words)
        return write_document(request, words).to_xml()
    except UnusableInput:
        return ""  # shown at its field


def all_rows_sheet(seen: Seen, zone: str) -> Tag:
    """Return the sheet with every bad row."""
    preview = seen.preview
    more = preview.total - min(len(preview.rows), MOST_ROWS_LISTED)
    return sheet(
        f"Bad at {clock(seen.at, zone)}: {rows_words(preview.total)}",
        TagList(
            _table(seen.rule, preview.rows[:MOST_ROWS_LISTED], "all"),
            tags.p(f"{more:,} more aren't shown.", class_="cb-quiet cb-small") if more else None,
        ),
    )


# --- The last 30 days ---------------------------------------------------------------------------


def last_month(past: PastAlerts | None, *, is_reading: bool) -> Tag:
    """Return how often the rule would have alerted, or why that can't be said."""
    if past is None:
        words = "Looking at the last 30 days…" if is_reading else ""
        return tags.div(
            tags.h2("In the last 30 days"), tags.p(words, class_="cb-quiet cb-small month-empty")
        )
    if past.problem:
        return tags.div(
            tags.h2("In the last 30 days"),
            tags.p(past.problem, class_="cb-quiet cb-small month-empty"),
        )
    total = sum(count for _, count in past.by_day)
    times = "once" if total == 1 else f"{total:,} times"
    heading = f"Would have alerted {times}" if total else "Would not have alerted"
    return tags.div(
        tags.h2(f"{heading} in the last {len(past.by_day)} days"),
        month(past.by_day),
        tags.p(_how_known(past), class_="cb-quiet cb-small") if past.time_columns else None,
    )


def _how_known(past: PastAlerts) -> str:
    known = f"By the time in {', '.join(past.time_columns)}."
    if not past.bad_before:
        return known
    rows = "1 row was" if past.bad_before == 1 else f"{past.bad_before:,} rows were"
    return f"{known} {rows} bad before that."


# --- Switching on -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decision:
    """What the card about switching on shows.

    `why_not` keeps the button off and says why. `telling` is what to do about rows that are bad
    already, `chosen` the keys to tell about. `is_changed` means that the form has unsaved changes.
    """

    rule: Rule
    seen: Seen | None
    why_not: str
    telling: Telling
    chosen: frozenset[str]
    is_changed: bool


def turn_on(decision: Decision) -> Tag:
    """Return the decision about the rows that are bad already, and the button."""
    if decision.rule.is_checked:
        return _save(decision)
    bad = decision.seen.preview.total if decision.seen else 0
    are = "row is" if bad == 1 else "rows are"
    heading = f"{bad:,} {are} bad already" if bad else "No row is bad yet"
    if decision.seen is None:
        heading = "Not known yet what is bad"
    count = len(decision.chosen) if decision.telling == "choose" and bad else 0
    verb = "text" if decision.rule.channel == "text" else "call"
    about = "1 row" if count == 1 else f"{count:,} rows"
    words = f"Turn on and {verb} about {about}" if count else "Turn on"
    return tags.div(
        tags.h2(heading, id="rules-already"),
        tags.div(
            _choice(
                decision, "none", "Stay silent about them" if bad != 1 else "Stay silent about it"
            ),
            _choice(decision, "choose", f"Choose which to {verb} about…"),
            role="radiogroup",
            aria_labelledby="rules-already",
            class_="choices",
        )
        if bad
        else None,
        _wide_button(words, "turn_on", "ring" if count else "ink", decision),
        tags.p(decision.why_not or _what_happens(decision, count), class_="why", id="rules-why"),
    )


def _save(decision: Decision) -> Tag:
    """Return the card that saves changes of a rule that is on; its known rows stay known."""
    why_not = decision.why_not
    is_held = decision.rule.state == "held"
    if not why_not and not decision.is_changed:
        why_not = "It waits for your decision: see Rules." if is_held else AS_SEEN
    new_key = decision.seen is not None and decision.seen.preview.new_baseline
    note = (
        "The key has changed, so what is bad now silently counts as known."
        if new_key
        else "What is bad already stays as it is; nobody is told of it again."
    )
    return tags.div(
        tags.h2("This rule is held" if is_held else "This rule is on"),
        _wide_button("Save changes", "save", "ink", decision, why_not),
        tags.p(why_not or note, class_="why", id="rules-why"),
    )


def _wide_button(
    words: str, act: str, kind: str, decision: Decision, why_not: str | None = None
) -> Tag:
    refused = decision.why_not if why_not is None else why_not
    return tags.button(
        words,
        type="button",
        class_=f"cb-button wide {kind}",
        data_act=act,
        # Not `disabled`, so that keyboards and screen readers still reach the button and its
        # reason.
        aria_disabled="true" if refused else None,
        aria_describedby="rules-why",
        id="rules-turn-on",
    )


def _choice(decision: Decision, value: Telling, words: str) -> Tag:
    return tags.label(
        tags.input(
            type="radio",
            name="telling",
            value=value,
            data_act="telling",
            data_value=value,
            checked="" if decision.telling == value else None,
        ),
        tags.span(words),
        class_="check",
    )


def _what_happens(decision: Decision, count: int) -> str:
    done = "texted" if decision.rule.channel == "text" else "called"
    if count:
        return f"Those are {done} at once; the others stay silent."
    if decision.telling == "choose" and decision.seen and decision.seen.preview.total:
        return "None is chosen, so nobody is told of them."
    return f"Nobody is {done} now; only about rows that turn bad later."
