"""The editor's options: how a rule calls, what comes afterwards, and how often data are checked."""

from __future__ import annotations

from collections.abc import Sequence

from htmltools import Tag, TagList, tags
from shiny import ui

from alerts.message.languages import voices_for
from dashboard.rules import form
from dashboard.rules.parts import UNBOUND, field, line, select, switch, text_area, text_input
from dashboard.send.form import languages_to_choose, repeats_to_choose, voices_to_choose
from dashboard.send.if_nobody_answers import CHANNELS, if_nobody_answers_inputs, summary
from rules.rule import Rule, alert_request


def options(rule: Rule) -> Tag:
    """Return the options, folded away under lines that sum them up, and how often it is checked."""
    return tags.div(_how_it_calls(rule), _afterwards(rule), _sentence(rule), class_="lines")


def _how_it_calls(rule: Rule) -> Tag:
    request = alert_request(rule)
    then_to = tags.div(
        field(
            "Then try these people",
            text_area(
                "then_to", "\n".join(rule.then_to), "rules-then_to",
                placeholder="Names or numbers, one per line",
                aria_describedby="rules-line-then_to",
            ),
            line("then_to"),
        )
    )  # fmt: skip
    return tags.details(
        tags.summary(
            tags.span(
                tags.span("How it calls", class_="for-call"),
                tags.span("How it texts", class_="for-text"),
                class_="cb-strong",
            ),
            tags.span(class_="cb-quiet", data_part="how"),
        ),
        tags.div(
            tags.div(
                unbound(ui.input_radio_buttons("channel", "Call or text", CHANNELS,
                                               selected=rule.channel, inline=True)),
                class_="segmented",
            ),
            tags.div(
                tags.label("Said by", for_="rules-voice", class_="control-label"),
                tags.span(voices(rule), data_part="voices"),
                tags.label("in", for_="rules-language", class_="control-label"),
                select(
                    "language", languages_to_choose(rule.language), rule.language,
                    id="rules-language",
                ),
                select(
                    "repeat", repeats_to_choose(rule.repeat), str(rule.repeat), label="How often"
                ),
                class_="how-to-say-it for-call",
            ),
            switch(
                "acknowledge",
                TagList(
                    tags.span("Ask them to press 1 to confirm", class_="for-call"),
                    tags.span("Ask them to reply 1 to confirm", class_="for-text"),
                ),
                is_on=rule.acknowledge,
                id="rules-acknowledge",
            ),
            unbound(tags.div(if_nobody_answers_inputs(request, then_to))),
            line("delivery"),
            class_="if-nobody-answers inside",
        ),
        class_="how",
    )  # fmt: skip


def voices(rule: Rule) -> Tag:
    """Return the choice of a voice that speaks the rule's language."""
    offered = voices_to_choose(rule.language, rule.voice) or {rule.voice: rule.voice}
    chosen = rule.voice if rule.voice in offered else next(iter(offered))
    return select("voice", offered, chosen, id="rules-voice")


def how_words(rule: Rule) -> str:
    """Sum up how it calls: "Alice, 3 times; press 1; 3 tries, 5 minutes apart"."""
    escalation = summary(alert_request(rule)).replace(" · ", "; ")
    escalation = escalation[0].lower() + escalation[1:]
    if rule.channel == "text":
        asked = ["reply 1"] if rule.acknowledge else []
        return "; ".join(["A text", *asked, escalation])
    voice = voices_for(rule.language).get(rule.voice, rule.voice)
    asked = ["press 1"] if rule.acknowledge else []
    said = f"{voice}, {repeats_to_choose(rule.repeat)[str(rule.repeat)]}"
    return "; ".join([said, *asked, escalation])


def unbound(tag: Tag) -> Tag:
    """Keep Shiny from sending each of these inputs separately from their form."""
    for child in (tag, *tag.children):
        if isinstance(child, Tag):
            if child.name in ("input", "select", "textarea"):
                child.attrs.update(UNBOUND)
            elif child is not tag:
                unbound(child)
            if {"shiny-input-radiogroup", "shiny-input-checkboxgroup"} & set(
                str(child.attrs.get("class", "")).split()
            ):
                child.attrs.update(UNBOUND)
    return tag


def _afterwards(rule: Rule) -> Tag:
    return tags.details(
        tags.summary(
            tags.span("Afterwards, and trouble", class_="cb-strong"),
            tags.span(class_="cb-quiet", data_part="after"),
        ),
        tags.div(
            tags.div(
                _figure(
                    "recovery_checks", "Good checks until a row is over", rule.recovery_checks, 1
                ),
                _figure("gather_minutes", "Minutes to gather bad rows", rule.gather_minutes),
                _figure("reminders", "Reminders", rule.reminders, most=3),
                _figure(
                    "reminder_minutes", "Minutes between reminders", rule.reminder_minutes, 1
                ),
                class_="two",
            ),
            switch(
                "tell_recovery", "Say when a row is no longer listed",
                is_on=rule.tell_recovery, id="rules-tell_recovery",
            ),
            switch(
                "once_ever", "Never tell about the same row again",
                is_on=rule.once_ever, id="rules-once_ever",
            ),
            switch(
                "urgent", "Urgent: also in quiet hours", is_on=rule.urgent, id="rules-urgent"
            ),
            field(
                "Message for several rows at once",
                text_area(
                    "message_for_many", rule.message_for_many, "rules-message_for_many",
                    placeholder="{{ count }} batches are off: {{ list }}.",
                    aria_describedby="rules-line-message_for_many",
                ),
                line("message_for_many"),
            ),
            tags.div(
                field(
                    "Who hears of trouble with this rule",
                    text_input(
                        "owner", rule.owner, "rules-owner", placeholder="A name or number",
                        aria_describedby="rules-line-owner",
                    ),
                    line("owner"),
                ),
                tags.div(data_part="time-column"),
                _figure(
                    "stale_after_minutes", "Data is late after this many minutes",
                    rule.stale_after_minutes,
                ),
                class_="two",
            ),
            class_="inside",
        ),
        class_="after",
    )  # fmt: skip


def time_column(rule: Rule, columns: Sequence[str]) -> Tag:
    """Return the choice of the column that says when a row is from."""
    offered = {"": "none"} | {each: each for each in columns}
    if rule.time_column:
        offered |= {rule.time_column: rule.time_column}
    control = select("time_column", offered, rule.time_column, id="rules-time_column")
    return field("Column with each row's time", control)


def after_words(rule: Rule) -> str:
    """Sum up what comes after: "Over after 2 good checks; 1 reminder; Ruth hears of trouble"."""
    checks = f"Over after {rule.recovery_checks} good check{'s' * (rule.recovery_checks != 1)}"
    one = rule.gather_minutes == 1
    minutes = "1 minute" if one else f"{rule.gather_minutes:g} minutes"
    parts = [
        (checks, True),
        (f"gathered for {minutes}", rule.gather_minutes),
        (f"{rule.reminders} reminder{'s' * (rule.reminders != 1)}", rule.reminders),
        ("once ever", rule.once_ever),
        (f"{rule.owner} hears of trouble", rule.owner.strip()),
    ]
    return "; ".join(words for words, is_on in parts if is_on)


def _figure(name: str, label: str, value: float, least: int = 0, most: int | None = None) -> Tag:
    control = text_input(
        name, f"{value:g}", f"rules-{name}", type="number", min=str(least), step="any",
        max=None if most is None else str(most), aria_describedby=f"rules-line-{name}",
    )  # fmt: skip
    return field(label, control, line(name))


def _sentence(rule: Rule) -> Tag:
    return tags.div(
        tags.p(
            tags.label("Check", for_="rules-when"),
            select("when", form.schedules(rule), form.schedule_value(rule), id="rules-when"),
            text_input(
                "schedule", "", "rules-schedule", aria_label="Times of your own",
                placeholder="weekdays at 06:30", aria_describedby="rules-line-schedule",
            ),
            " and ",
            tags.span("call", class_="for-call"),
            tags.span("text", class_="for-text"),
            " once a row is bad for ",
            select("pending", form.pendings(rule), form.pending_value(rule), label="Bad for"),
            " in a row. If more than ",
            select(
                "most_at_once", form.most_choices(rule), str(rule.most_at_once), label="Limit"
            ),
            " turn bad at once, hold them all and ask.",
        ),
        line("schedule"),
        class_="sentence ghost",
    )  # fmt: skip
