"""The sheets about a rule: its versions, who isn't told, removing it; and its episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from htmltools import Tag, TagList, tags

from dashboard.alert_status import Tone, clock, shape_tag
from dashboard.rules.parts import button, rows_words, sheet, when, when_next
from rules.check import CheckReport
from rules.mutes import Mute
from rules.overview import EpisodeRow
from rules.rule import NOT_OF_THE_DEFINITION, Rule

MOST_EPISODES = 20
# Saves of one person that follow so soon are shown as one.
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
MUTE_CHOICES = {
    "60": "for an hour",
    "480": "for 8 hours",
    "1440": "for a day",
    "10080": "for a week",
    "": "until somebody ends it",
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
    """Say in words what is different: "message, how often"."""
    if before is None:
        return "first saved"
    names = [
        field.name
        for field in fields(Rule)
        if field.name not in NOT_OF_THE_DEFINITION
        and getattr(before, field.name) != getattr(after, field.name)
    ]
    words = dict.fromkeys(FIELD_WORDS.get(each, each.replace("_", " ")) for each in names)
    return ", ".join(words) or "nothing"


def grouped(versions: Sequence[Rule]) -> list[tuple[Rule, Rule | None]]:
    """Return each version to show, newest first, with the one before it.

    Of what one person saved within SECONDS_BETWEEN_VERSIONS of the next, the last is shown.
    """
    found: list[tuple[Rule, Rule | None]] = []
    for version, before in zip(versions, [*versions[1:], None], strict=True):
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
        at = clock(version.changed_at, zone) if version.changed_at else ""
        items.append(
            tags.li(
                tags.div(
                    tags.span(f"{version.changed_by or 'Somebody'}, {at}", class_="cb-strong"),
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
    return sheet("Versions", tags.ul(*items, class_="sheet-list"))


# --- Who isn't told -----------------------------------------------------------------------------


def mute_sheet(
    rule: Rule, mutes: Sequence[Mute], zone: str, *, key: str = "", words: str = ""
) -> Tag:
    """Return the sheet that mutes a rule, or one of its rows, and ends what is muted.

    `key` is the hash of the row's key, and `words` what people call it.
    """
    what = f"{rule.name}, {words}" if key else rule.name
    choices = [
        button(each, "mute", "low", data_id=key, data_value=minutes)
        for minutes, each in MUTE_CHOICES.items()
    ]
    items = [
        tags.li(
            tags.div(
                tags.span(_muted(each), class_="cb-strong"),
                tags.span(_until(each, zone), class_="under"),
            ),
            button("End", "unmute", "low", data_id=each.id, aria_label=f"End: {_muted(each)}"),
        )
        for each in mutes
    ]
    return sheet(
        f"Mute {what}",
        TagList(
            tags.p(
                "Nobody is told meanwhile. What is still bad at the end is told then, together.",
                class_="cb-quiet cb-small",
            ),
            tags.div(*choices, class_="mute-choices", role="group", aria_label="For how long"),
            tags.h3("Muted now") if items else None,
            tags.ul(*items, class_="sheet-list") if items else None,
        ),
    )


def _muted(mute: Mute) -> str:
    what = mute.key_words or ("all of it" if not mute.recipient else "")
    return " to ".join(each for each in (what, mute.recipient) if each)


def _until(mute: Mute, zone: str) -> str:
    by = f", by {mute.muted_by}" if mute.muted_by else ""
    if mute.weekly:
        return f"weekly, {mute.weekly}{by}"
    until = f"until {when_next(mute.until, zone)}" if mute.until else "until somebody ends it"
    return until + by


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


def upload_sheet_words(problem: str = "", said: str = "") -> TagList:
    """Return what is said in the sheet for a file after it was read."""
    if problem:
        return TagList(
            tags.p(shape_tag("cross", "bad"), problem, class_="cb-note bad", role="alert")
        )
    return TagList(tags.p(said, class_="cb-quiet") if said else None)


# --- Episodes -----------------------------------------------------------------------------------


def episodes_tag(rule: Rule, episodes: Sequence[EpisodeRow], zone: str) -> Tag | None:
    """Return what was bad lately, and the way to the alerts about it."""
    if not episodes:
        return None
    heads = ("Row", "Now", "Bad since", "Over", "")
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
        return "Checked; nothing counts, because the rule was changed or checked meanwhile."
    bad = f"{rows_words(report.bad)} bad" if report.bad else "None bad"
    told = len(report.fired)
    parts = [f"{told:,} told now" if told else "nobody is told now"]
    if report.held:
        parts.append(f"{len(report.held):,} held")
    return f"Checked: {bad}, {', '.join(parts)}."
