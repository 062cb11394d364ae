"""The editor's left side: what a rule watches, which rows are bad, whom to tell, and how often.

The frame is made once for a rule that is opened; the parts in it that change are put in later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from htmltools import Tag, TagList, tags
from shiny import ui

from alerts.message.languages import LANGUAGE_NAMES, voices_for
from dashboard.alert_status import shape_tag
from dashboard.icons import icon
from dashboard.rules import form
from dashboard.rules.overview import link
from dashboard.rules.parts import (
    UNBOUND,
    button,
    field,
    line,
    seconds_words,
    select,
    switch,
    text_area,
    text_input,
    wrong,
)
from dashboard.send.if_nobody_answers import CHANNELS, if_nobody_answers_inputs, summary
from rules.guided import identifier
from rules.rule import WHOLE_ROW, Rule, alert_request
from rules.sandbox import Column, Fix

NAMED_PEOPLE = {"": "the same people each time"}
MESSAGE_PLACEHOLDER = "Hello {{ name }}, batch {{ batch }} is off. Please hold it back."
MOST_CHIPS = 40


def frame(rule: Rule, generation: int, sources: Mapping[str, str], source: str) -> Tag:
    """Return the whole editor for a rule; `sources` are the names, each with its description.

    `source` is the one whose columns are offered first. What comes back of the form names its
    `generation`.
    """
    return tags.form(
        tags.div(
            tags.a("Rules", href=link(), class_="crumb", data_go=""),
            icon("right"),
            tags.h1(rule.name or "New rule", id="rules-heading", tabindex="-1"),
            tags.span(class_="cb-quiet cb-small saved", data_part="saved"),
            class_="rules-head",
        ),
        tags.div(
            tags.section(
                tags.div(_name(rule), _watches(sources, source), class_="two"),
                _bad_rows(rule),
                tags.div(class_="two", data_part="key"),
                _message(rule),
                tags.div(_how_it_calls(rule), _afterwards(rule), _sentence(rule), class_="lines"),
                class_="cb-card cause",
                aria_label="The rule",
            ),
            tags.div(
                tags.section(class_="cb-card bad-now", data_part="bad-now", aria_label="Bad now"),
                tags.section(class_="cb-card month", data_part="month", aria_label="Last 30 days"),
                tags.section(class_="cb-card turn-on", data_part="turn-on", aria_label="Turn on"),
                class_="result",
            ),
            class_="editor-columns",
        ),
        tags.div(class_="rule-tools", data_part="tools"),
        tags.div(data_part="episodes"),
        class_="rule-editor",
        data_generation=str(generation),
        autocomplete="off",
        novalidate="",
    )


def _name(rule: Rule) -> Tag:
    control = text_input("name", rule.name, "rules-name", aria_describedby="rules-line-name")
    return field("Name", control, line("name"))


def _watches(sources: Mapping[str, str], source: str) -> Tag:
    described = {name: f"{name}: {words}" if words else name for name, words in sources.items()}
    return tags.div(
        tags.div(
            tags.label("Watches", for_="rules-source", class_="control-label"),
            button("Upload a file…", "upload", "text-button"),
            class_="label-row",
        ),
        select("source", described or {"": "No source yet"}, source, id="rules-source"),
        line("source"),
        class_="form-group",
    )


def source_choices(sources: Mapping[str, str], chosen: str) -> Tag:
    """Return the choice of sources again, when there is another one."""
    described = {name: f"{name}: {words}" if words else name for name, words in sources.items()}
    return select("source", described or {"": "No source yet"}, chosen, id="rules-source")


# --- Which rows are bad -------------------------------------------------------------------------


def _bad_rows(rule: Rule) -> Tag:
    chosen = "guided" if rule.guided else "sql"
    ways = tags.div(
        *(
            tags.label(
                tags.input(
                    type="radio",
                    name="way",
                    value=value,
                    checked="" if value == chosen else None,
                    **UNBOUND,
                ),
                tags.span(words),
                class_="radio-inline",
            )
            for value, words in form.WAYS.items()
        ),
        class_="shiny-options-group",
        role="radiogroup",
        aria_label="How to say which rows are bad",
    )
    return tags.div(
        tags.div(
            tags.span("Rows that are bad", id="rules-sql-label", class_="control-label"),
            tags.div(ways, class_="segmented low"),
            class_="label-row",
        ),
        tags.div(
            tags.div(class_="columns", data_part="columns"),
            tags.div(
                ui.input_code_editor(
                    "sql", None, rule.sql, language="sql", word_wrap=True, fill=False, **UNBOUND
                ),
                class_="sql",
            ),
            class_="by-sql",
        ),
        tags.div(
            tags.div(class_="guided ghost", data_part="guided"),
            tags.details(
                tags.summary(
                    tags.span("The SQL this writes", class_="cb-strong"),
                ),
                tags.pre(
                    class_="cb-mono written-sql",
                    data_part="written-sql",
                    tabindex="0",
                    aria_label="The SQL this writes",
                ),
                button("Go on in SQL", "to_sql", "low"),
            ),
            class_="by-guided",
        ),
        tags.div(class_="sql-line", id="rules-line-sql", data_part="sql-line"),
        class_="bad-rows",
    )


def column_chips(source: str, columns: Sequence[Column], problem: str = "") -> TagList:
    """Return a button for each column of a source, which writes its name into the query."""
    if problem:
        return TagList(tags.span(problem, class_="feedback bad"))
    more = len(columns) - MOST_CHIPS
    return TagList(
        tags.div(
            *(
                tags.button(
                    each.name,
                    type="button",
                    class_="chip",
                    title=each.type,
                    data_put=identifier(each.name),
                    data_into="sql",
                )
                for each in columns[:MOST_CHIPS]
            ),
            tags.span(f"and {more} more", class_="cb-quiet cb-small") if more > 0 else None,
            class_="chips",
            role="group",
            aria_label=f"Insert a column of {source}",
        )
    )


def sql_line(
    rows: int | None, seconds: float, sentence: str = "", at_line: int | None = None,
    fix: Fix | None = None,
) -> TagList:  # fmt: skip
    """Return what the query came to: its rows, or what is wrong and a button that mends it."""
    if sentence:
        where = f"Line {at_line}: " if at_line else ""
        words = where + (
            sentence[0].lower() + sentence[1:] if where and _is_word(sentence) else sentence
        )
        return TagList(
            tags.span(shape_tag("cross"), words, class_="cb-status bad problem"),
            button(f"Use {fix.replace}", "fix", "low", data_id=fix.find, data_value=fix.replace)
            if fix
            else None,
        )
    if rows is None:
        return TagList(tags.span("Reading…", class_="cb-quiet cb-small"))
    words = f"Reads {rows:,} row{'s' * (rows != 1)} in {seconds_words(seconds)}"
    return TagList(tags.span(shape_tag("tick"), words, class_="cb-status good fine"))


def _is_word(sentence: str) -> bool:
    """Whether a sentence begins with a word of ours, and not with a name out of the query."""
    return sentence.split(" ", 1)[0] in {"This", "There", "The", "A", "An", "It", "No"}


# --- What tells rows apart, and whom to tell ----------------------------------------------------


def key_and_recipients(rule: Rule, columns: Sequence[str], problems: Mapping[str, str]) -> TagList:
    """Return the columns that a row is known by, and the choice of whom to tell."""
    return TagList(_key(rule, columns, problems), _recipients(rule, columns, problems))


def _key(rule: Rule, columns: Sequence[str], problems: Mapping[str, str]) -> Tag:
    left = [each for each in columns if each not in rule.key]
    chips = [
        tags.button(
            "the whole row" if each == WHOLE_ROW[0] else each,
            icon("close"),
            type="button",
            class_="chip key" + (" gone" if columns and each not in (*columns, "*") else ""),
            data_act="key_remove",
            data_id=each,
            aria_label=f"{'the whole row' if each == '*' else each}: remove",
            data_key=f"key-{each}",
        )
        for each in rule.key
    ]
    add = {"": "add a column" if rule.key else "choose a column"}
    add |= {f"+{each}": each for each in left}
    if not rule.key:
        add["+*"] = "the whole row"
    return tags.div(
        tags.span("A row is known by", class_="control-label", id="rules-key-label"),
        tags.div(
            *chips,
            tags.select(
                *(tags.option(words, value=value) for value, words in add.items()),
                class_="form-select add-key",
                aria_label="Add a column that a row is known by",
                aria_describedby="rules-line-key",
                id="rules-key",
                data_pick="key_add",
                data_value="",
                **UNBOUND,
            )
            if len(rule.key) < 5 and rule.key != WHOLE_ROW and len(add) > 1
            else None,
            class_="keys",
            role="group",
            aria_labelledby="rules-key-label",
        ),
        _said("key", problems),
        class_="form-group",
        data_key="key",
    )


def _recipients(rule: Rule, columns: Sequence[str], problems: Mapping[str, str]) -> Tag:
    verb = "Texts" if rule.channel == "text" else "Calls"
    offered = NAMED_PEOPLE | {each: each for each in columns}
    if rule.to_column:
        offered |= {rule.to_column: rule.to_column}
    return tags.div(
        tags.label(
            f"{verb} the number or name in" if rule.to_column else f"{verb}",
            class_="control-label",
            for_="rules-to_column",
        ),
        select(
            "to_column", offered, rule.to_column, id="rules-to_column",
            describes="" if not rule.to_column else "rules-line-to_column",
        ),
        text_input(
            "to", rule.to, "rules-to", aria_label="People, groups and numbers",
            placeholder="Ben, Lab on call, 412-555-0123", aria_describedby="rules-line-to",
        )
        if not rule.to_column
        else None,
        _said("to", problems) if not rule.to_column else _said("to_column", problems),
        class_="form-group whom",
        data_key="whom-column" if rule.to_column else "whom-named",
    )  # fmt: skip


def _said(name: str, problems: Mapping[str, str]) -> Tag:
    sentence = problems.get(name, "")
    return tags.div(
        wrong(sentence) if sentence else None, id=f"rules-line-{name}", class_="feedback-line"
    )


# --- What they hear -----------------------------------------------------------------------------


def _message(rule: Rule) -> Tag:
    control = text_area(
        "message",
        rule.message,
        "rules-message",
        placeholder=MESSAGE_PLACEHOLDER,
        aria_describedby="rules-line-message",
    )
    return tags.div(
        field("Message", control),
        tags.div(data_part="variables"),
        line("message"),
        class_="message",
    )


def variables(columns: Sequence[str], usable: Collection[str]) -> Tag | None:
    """Return a button for each column that a message may use."""
    offered = [each for each in columns if each in usable][:MOST_CHIPS]
    if not offered:
        return None
    return tags.div(
        *(
            tags.button(
                f"{{{{ {each} }}}}",
                type="button",
                data_put=f"{{{{ {each} }}}}",
                data_into="rules-message",
            )
            for each in offered
        ),
        class_="variables",
        role="group",
        aria_label="Insert a value of the row",
    )


# --- How it calls, what comes after, and how often ----------------------------------------------


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
                    "language", LANGUAGE_NAMES | {rule.language: LANGUAGE_NAMES.get(
                        rule.language, rule.language)}, rule.language, id="rules-language",
                ),
                select("repeat", form.repeats(rule), str(rule.repeat), label="How often"),
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
            *map(unbound, if_nobody_answers_inputs(request, then_to)),
            line("delivery"),
            class_="if-nobody-answers inside",
        ),
        class_="how",
    )  # fmt: skip


def voices(rule: Rule) -> Tag:
    """Return the choice of a voice that speaks the rule's language."""
    offered = voices_for(rule.language) or {rule.voice: rule.voice}
    chosen = rule.voice if rule.voice in offered else next(iter(offered))
    return select("voice", offered, chosen, id="rules-voice")


def how_words(rule: Rule) -> str:
    """Sum up how it calls: "Alice, 3 times; press 1; 3 tries, 5 minutes apart"."""
    escalation = summary(alert_request(rule)).replace(" · ", "; ")
    escalation = escalation[0].lower() + escalation[1:] if escalation[0] == "O" else escalation
    if rule.channel == "text":
        asked = ["reply 1"] if rule.acknowledge else []
        return "; ".join(["A text", *asked, escalation])
    voice = voices_for(rule.language).get(rule.voice, rule.voice)
    asked = ["press 1"] if rule.acknowledge else []
    said = f"{voice}, {form.repeats(rule)[str(rule.repeat)]}"
    return "; ".join([said, *asked, escalation])


def unbound(tag: Tag) -> Tag:
    """Keep Shiny from sending each of these inputs apart from the form they are in."""
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
                _figure("recovery_checks", "Over after good checks", rule.recovery_checks, 1),
                _figure("gather_minutes", "Gather for minutes", rule.gather_minutes),
                _figure("reminders", "Reminders", rule.reminders, most=3),
                _figure("reminder_minutes", "Minutes between them", rule.reminder_minutes, 1),
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
                    "stale_after_minutes", "Data is late after minutes", rule.stale_after_minutes
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
    return field("When a row is from", control)


def after_words(rule: Rule) -> str:
    """Sum up what comes after: "Over after 2 good checks; 1 reminder; Ruth hears of trouble"."""
    checks = f"Over after {rule.recovery_checks} good check{'s' * (rule.recovery_checks != 1)}"
    parts = [
        (checks, True),
        (f"gathered for {rule.gather_minutes:g} minutes", rule.gather_minutes),
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
