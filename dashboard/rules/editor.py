"""The editor's left side: what a rule watches, which rows are bad, whom to tell, and how often.

The frame is made once for a rule that is opened; the parts in it that change are put in later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from htmltools import Tag, TagList, tags
from shiny import ui

from dashboard.alert_status import shape_tag
from dashboard.page_parts import button, icon
from dashboard.rules import form
from dashboard.rules.options import options
from dashboard.rules.overview import link
from dashboard.rules.parts import (
    UNBOUND,
    field,
    line,
    rows_words,
    seconds_words,
    select,
    text_area,
    text_input,
    wrong,
)
from rules.guided import OVER_TIME
from rules.rule import MOST_KEY_COLUMNS, WHOLE_ROW, Rule
from rules.sandbox import Column, Fix
from rules.sandbox.quoting import readable

NAMED_PEOPLE = {"": "the same people each time"}
MESSAGE_PLACEHOLDER = "Hello {{ name }}, batch {{ batch }} is off. Please hold it back."
MOST_CHIPS = 40
MOST_NOTES = 5


def frame(rule: Rule, generation: int, sources: Mapping[str, str], source: str) -> Tag:
    """Return the whole editor for a rule; `sources` are the names, each with its description.

    `source` is the one whose columns are offered first. What the form sends names its `generation`,
    which tells an editor from the one before.
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
                options(rule),
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
    return tags.div(
        tags.div(
            tags.label("Watches", for_="rules-source", class_="control-label"),
            button("Upload a file…", "upload", "text-button"),
            class_="label-row",
        ),
        tags.div(source_choice(sources, source), data_part="sources"),
        line("source"),
        class_="form-group",
    )


def source_choice(sources: Mapping[str, str], chosen: str) -> Tag:
    """Return the choice of the source whose columns are offered, each with its description."""
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
            tags.span(
                "Rows that are bad",
                tags.span(" (Escape, then Tab, leaves the field)", class_="visually-hidden"),
                id="rules-sql-label",
                class_="control-label",
            ),
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
        tags.div(class_="sql-line", id="rules-line-sql", data_part="sql-line", aria_live="polite"),
        class_="bad-rows",
    )


def no_columns(problem: str, change: str) -> TagList:
    """Say why a source can't be read, and offer to accept its columns as they are now."""
    return TagList(
        tags.p(shape_tag("cross", "bad"), problem, class_="cb-note bad"), _take_columns(change)
    )


def _take_columns(change: str) -> Tag | None:
    words = "Take its columns as they are now"
    return button(words, "accept_shape", "low", title=change) if change else None


def column_chips(
    source: str, columns: Sequence[Column], notes: Sequence[str], change: str
) -> TagList:
    """Return a button for each column of a source, which writes its name into the query.

    Under them are `notes`: which columns are read as text, and why. If that isn't so any more,
    `change` says how the columns are now, and a button takes them.
    """
    more = len(columns) - MOST_CHIPS
    return TagList(
        tags.div(
            *(
                tags.button(
                    each.name,
                    type="button",
                    class_="chip",
                    title=each.type,
                    data_put=readable(each.name),
                    data_into="sql",
                )
                for each in columns[:MOST_CHIPS]
            ),
            tags.span(f"and {more} more", class_="cb-quiet cb-small") if more > 0 else None,
            class_="chips",
            role="group",
            aria_label=f"Insert a column of {source}",
        ),
        *(tags.p(each, class_="cb-note") for each in first_notes(notes)),
        _take_columns(change),
    )


def first_notes(notes: Sequence[str]) -> list[str]:
    """Return the first few notes on columns, and how many more there are."""
    more = len(notes) - MOST_NOTES
    said = [f"{more} more columns are read as text."] if more > 1 else [*notes[MOST_NOTES:]]
    return [*notes[:MOST_NOTES], *said]


def sql_fine(rows: int, seconds: float) -> TagList:
    """Say how many rows the query returned, and how long it took."""
    words = f"Reads {rows_words(rows)} in {seconds_words(seconds)}"
    return TagList(tags.span(shape_tag("tick"), words, class_="cb-status good fine"))


def sql_mistake(sentence: str, at_line: int | None = None, fix: Fix | None = None) -> TagList:
    """Say what is wrong with the query, with a button that fixes it if the fix is known."""
    where = f"Line {at_line}: " if at_line else ""
    if where and _is_word(sentence):
        sentence = sentence[0].lower() + sentence[1:]
    mend = None
    if fix is not None:
        words = f"Use {fix.replace}"
        mend = button(words, "fix", "low", data_id=fix.find, data_value=fix.replace)
    return TagList(
        tags.span(shape_tag("cross"), where + sentence, class_="cb-status bad problem"), mend
    )


def _is_word(sentence: str) -> bool:
    """Whether a sentence begins with a word of ours, and not with a name from the query."""
    return sentence.split(" ", 1)[0] in {"This", "There", "The", "A", "An", "It", "No"}


# --- What tells rows apart, and whom to tell ----------------------------------------------------


def key_and_recipients(rule: Rule, columns: Sequence[str], problems: Mapping[str, str]) -> TagList:
    """Return the key columns, and the choice of whom to tell."""
    return TagList(_key(rule, columns, problems), _recipients(rule, columns, problems))


def _key(rule: Rule, columns: Sequence[str], problems: Mapping[str, str]) -> Tag:
    # Without columns, the guided way takes all rows of the source as one thing.
    is_one = rule.guided is not None and rule.guided.comparison in OVER_TIME and not rule.guided.key
    key = () if is_one else rule.key
    chips = [
        tags.button(
            name,
            icon("close"),
            type="button",
            class_=f"chip key{'' if is_there else ' gone'}",
            data_act="key_remove",
            data_id=each,
            aria_label=f"{name}: remove",
            data_key=f"key-{each}",
        )
        for each in key
        for name in ["the whole row" if (each,) == WHOLE_ROW else each]
        for is_there in [not columns or (each,) == WHOLE_ROW or each in columns]
    ]
    first = "add a column" if key else "choose a column"
    add = {"": "all together, or add a column" if is_one else first}
    add |= {f"+{each}": each for each in columns if each not in key}
    if not rule.key:
        add[f"+{WHOLE_ROW[0]}"] = "the whole row"
    can_add = len(key) < MOST_KEY_COLUMNS and key != WHOLE_ROW and len(add) > 1
    return tags.div(
        tags.span("A row is known by", class_="control-label", id="rules-key-label"),
        tags.div(*chips, _add_key(add) if can_add else None, class_="keys", role="group",
                 aria_labelledby="rules-key-label"),
        _said("key", problems),
        class_="form-group",
        data_key="key",
    )  # fmt: skip


def _add_key(choices: Mapping[str, str]) -> Tag:
    return tags.select(
        *(tags.option(words, value=value) for value, words in choices.items()),
        class_="form-select add-key",
        aria_label="Add a column that a row is known by",
        aria_describedby="rules-line-key",
        id="rules-key",
        data_pick="key_add",
        data_value="",
        **UNBOUND,
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


def variables(columns: Sequence[str]) -> Tag | TagList:
    """Return a button for each of the columns, which writes it into the message."""
    offered = columns[:MOST_CHIPS]
    if not offered:
        return TagList()
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
