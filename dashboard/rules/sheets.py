"""The sheets about a rule: its versions, uploads and removal; and its list of episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import zip_longest

from htmltools import Tag, TagList, tags

from dashboard.alert_status import Tone, clock, shape_tag
from dashboard.page_parts import button
from dashboard.rules.parts import rows_words, sheet, when
from rules.check import CheckReport
from rules.overview import EpisodeRow
from rules.rule import NOT_OF_THE_DEFINITION, Rule
from rules.sources import Upload

MOST_EPISODES = 20
# Saves of one person that follow each other this soon are shown as one.
SECONDS_BETWEEN_VERSIONS = 600
FIELD_WORDS: Mapping[str, str] = {
    "sql": "which rows are bad",
    "guided": "which rows are bad",
    "key": "what a row is known by",
    "message_for_many": "the message for several",
    "to_column": "whom it tells",
    "to": "whom it tells",
    "then_to": "whom it tries next",
    "owner": "who hears of trouble",
    "every_seconds": "how often",
    "at": "how often",
    "pending_checks": "how long a row has to be bad",
    "pending_minutes": "how long a row has to be bad",
    "most_at_once": "how many at once",
    "recovery_checks": "when a row is over",
    "gather_minutes": "gathering",
    "reminders": "reminders",
    "reminder_minutes": "reminders",
    "tell_recovery": "what is told afterwards",
    "once_ever": "what is told afterwards",
    "stale_after_minutes": "when data is late",
    "time_column": "the time column",
    "minutes_between_tries": "tries",
    "then_text": "tries",
    "acknowledge": "the key press",
    "quiet_hours": "quiet hours",
}
# Where an episode stands: shape, tone and words.
STATES: Mapping[str, tuple[str, Tone, str]] = {
    "firing": ("mark", "bad", "Bad"),
    "pending": ("clock", "wait", "Bad, waits for another check"),
    "known": ("dash", "off", "Bad, nobody is told"),
    "held": ("mark", "wait", "Held"),
    "recovering": ("half", "wait", "Not listed, over soon"),
    "over": ("tick", "good", "No longer listed"),
}


def tools(rule: Rule, muted: int) -> Tag | None:
    """Return what else can be done with a rule that is saved."""
    if not rule.id:
        return None
    mutes = f"Mute… ({muted} muted)" if muted else "Mute…"
    return tags.div(
        button("Check now", "check_now", "low") if rule.is_checked else None,
        button("Turn off", "turn_off", "low") if rule.is_checked else None,
        button(mutes, "mute_sheet", "low bare"),
        button("Versions", "versions", "low bare"),
        button("Export TOML", "export", "low bare"),
        button("Remove…", "remove", "low bare"),
        role="group",
        aria_label="More about this rule",
    )


# --- Versions -----------------------------------------------------------------------------------


def changed_fields(before: Rule | None, after: Rule) -> str:
    """Name what is different: "message, how often"."""
    if before is None:
        return "first saved"
    names = [
        each.name
        for each in fields(Rule)
        if each.name not in NOT_OF_THE_DEFINITION
        and getattr(before, each.name) != getattr(after, each.name)
    ]
    words = dict.fromkeys(FIELD_WORDS.get(each, each.replace("_", " ")) for each in names)
    return ", ".join(words) or "nothing"


def grouped(versions: Sequence[Rule]) -> list[tuple[Rule, Rule | None]]:
    """Return each version to show, newest first, with the one before it.

    Of saves by one person within SECONDS_BETWEEN_VERSIONS of each other, only the last is returned.
    """
    found: list[tuple[Rule, Rule | None]] = []
    for version, before in zip_longest(versions, versions[1:]):
        if found and _goes_on(version, found[-1][0]):
            found[-1] = (found[-1][0], before)
        else:
            found.append((version, before))
    return found


def _goes_on(earlier: Rule, later: Rule) -> bool:
    if earlier.changed_by != later.changed_by or not (earlier.changed_at and later.changed_at):
        return False
    apart = (later.changed_at - earlier.changed_at).total_seconds()
    return apart < SECONDS_BETWEEN_VERSIONS


def versions_sheet(versions: Sequence[Rule], zone: str) -> Tag:
    """Return the sheet with who changed what, and when."""
    items = []
    for place, (version, before) in enumerate(grouped(versions)):
        by = version.changed_by or "Unknown person"
        at = clock(version.changed_at, zone) if version.changed_at else ""
        items.append(
            tags.li(
                tags.div(
                    tags.span(f"{by}, {at}", class_="cb-strong"),
                    tags.span(changed_fields(before, version), class_="under"),
                ),
                button(
                    "Bring back", "bring_back", "low", data_id=str(version.revision),
                    aria_label=f"Bring back revision {version.revision}",
                )
                if place
                else tags.span("as it is saved", class_="cb-quiet cb-small"),
            )
        )  # fmt: skip
    if not items:
        return sheet("Versions", tags.p("This rule has no versions before it is saved."))
    return sheet("Versions", tags.ul(*items, class_="sheet-list"))


# --- Removing, and uploads ----------------------------------------------------------------------


def removal_sheet(rule: Rule) -> Tag:
    """Ask whether a rule is to be removed."""
    return sheet(
        f"Remove {rule.name}?",
        tags.p(
            "It is checked no more, and its versions go. What it has sent stays in the history, "
            "and alerts under way go on."
        ),
        button("Remove", "really_remove", "ink"),
        button("Keep", "close", "bare"),
    )


def upload_words(
    uploads: Sequence[Upload], zone: str, *, problem: str = "", said: str = ""
) -> TagList:
    """Return what is known of the file just read, and the files uploaded before."""
    sentence = None
    if problem:
        sentence = tags.p(shape_tag("cross", "bad"), problem, class_="cb-note bad", role="alert")
    elif said:
        sentence = tags.p(shape_tag("tick", "good"), said, class_="cb-note")
    rows = [
        tags.li(
            tags.div(
                tags.span(each.name, class_="cb-strong"),
                tags.span(f"{each.file_name}, {_uploaded(each, zone)}", class_="under"),
            ),
            button(
                "Remove", "remove_upload", "low", data_id=each.name,
                aria_label=f"Remove {each.name}",
            ),
        )
        for each in uploads
    ]  # fmt: skip
    return TagList(
        sentence,
        tags.h3("Uploaded") if rows else None,
        tags.ul(*rows, class_="sheet-list") if rows else None,
    )


def _uploaded(upload: Upload, zone: str) -> str:
    at = clock(datetime.fromisoformat(upload.at), zone)
    return f"{at} by {upload.by}" if upload.by else at


# --- Episodes -----------------------------------------------------------------------------------


def episodes_tag(rule: Rule, episodes: Sequence[EpisodeRow], zone: str) -> Tag | None:
    """Return what was bad lately, with links to the alerts about it."""
    if not episodes:
        return None
    actions = tags.span("Actions", class_="visually-hidden")
    heads = ("Row", "Now", "Bad since", "Over", actions)
    return tags.section(
        tags.div(
            tags.h2("What was bad"),
            tags.a(
                "Its alerts in Activity",
                href=f"?page=activity&rule={rule.id}",
                data_leave="",
                class_="cb-small",
            ),
            class_="card-heading",
        ),
        tags.table(
            tags.thead(
                tags.tr(*(tags.th(each, role="columnheader") for each in heads), role="row"),
                role="rowgroup",
            ),
            tags.tbody(
                *(_episode(rule, each, zone) for each in episodes[:MOST_EPISODES]), role="rowgroup"
            ),
            class_="cb-table episodes-table",
            role="table",
        ),
        class_="cb-card episodes",
    )


def _episode(rule: Rule, each: EpisodeRow, zone: str) -> Tag:
    shape, tone, words = STATES[each.state]
    is_open = each.state != "over"
    if each.state == "firing":
        told = f"told {when(each.fired_at, zone)}" if each.fired_at else "told"
        words += f", {told}" if each.is_told else ", not told yet"
    return tags.tr(
        tags.td(tags.span(each.words, class_="cb-strong"), role="cell"),
        tags.td(tags.span(shape_tag(shape), words, class_=f"cb-status {tone}"),
            role="cell",
            class_="state",
        ),
        tags.td(when(each.began_at, zone), role="cell", class_="cb-number since"),
        tags.td(when(each.over_at, zone), role="cell", class_="cb-number over"),
        tags.td(
            button(
                "Mute…", "mute_key", "low bare", data_id=each.key_hash, data_value=each.words,
                aria_label=f"Mute {each.words}",
            )
            if is_open
            else None,
            role="cell",
            class_="tools",
        ),
        role="row",
        data_key=f"{each.key_hash}-{each.number}",
    )  # fmt: skip


def report_words(report: CheckReport) -> str:
    """Say what a check found and did, in a sentence or two."""
    if report.failure:
        return f"Can't check: {report.failure}"
    if report.bad is None:
        return "This check doesn't count, because the rule was changed or checked meanwhile."
    bad = f"{rows_words(report.bad)} bad" if report.bad else "None bad"
    told = len(report.fired)
    parts = [f"{told:,} told now" if told else "nobody is told now"]
    if report.held:
        parts.append(f"{len(report.held):,} held")
    return f"Checked: {bad}, {', '.join(parts)}."
