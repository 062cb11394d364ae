"""The list of rules: what waits for a decision above it, then a row for each rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from htmltools import Tag, TagChild, TagList, tags

from dashboard.alert_status import Tone, shape_tag
from dashboard.page_parts import button, icon
from dashboard.rules.charts import sparkline
from dashboard.rules.examples import EXAMPLES
from dashboard.rules.parts import when, when_next
from rules.overview import HealthKind, RuleOverview
from rules.rule import Rule

HEADS = ("On", "Rule", "Now", "Watches", "Last check", "Next", "14 days", "Health")
# How each kind of health looks: shape and tone.
LOOKS: Mapping[HealthKind, tuple[str, Tone]] = {
    "fine": ("dot", "good"),
    "held": ("mark", "wait"),
    "flapping": ("mark", "wait"),
    "slow": ("mark", "wait"),
    "unheard": ("mark", "wait"),
    "stale": ("mark", "wait"),
    "waiting": ("clock", "off"),
    "failed": ("cross", "bad"),
    "off": ("ring", "off"),
    "draft": ("ring", "off"),
}
# The kinds that show since when.
SINCE: Collection[HealthKind] = ("failed", "stale", "off")


def list_tag(
    found: Sequence[RuleOverview], workers: int, zone: str, *, problem: str = ""
) -> TagList:
    """Return the page's list; times are on the clock of `zone` (an IANA name).

    `problem` is what is wrong with the sources as a whole.
    """
    held = [each for each in found if each.held]
    return TagList(
        head(workers, is_empty=not found),
        tags.p(shape_tag("cross", "bad"), problem, class_="cb-note bad sources-problem")
        if problem
        else None,
        *(held_tag(each, zone) for each in held),
        _table(found, zone) if found else nothing_yet(),
    )


def head(workers: int, *, is_empty: bool = False) -> Tag:
    """Return the heading, how many workers check the rules, and the link to a new rule."""
    return tags.div(
        tags.h1("Rules"),
        None if is_empty else _workers(workers),
        tags.a(
            icon("add"),
            "New rule",
            href=link("new"),
            class_="cb-button",
            data_go="",
            id="rules-new",
        ),
        class_="rules-head",
        data_key="head",
    )


def link(rule_id: str = "") -> str:
    """Return the address of a rule's page, or of the list."""
    return f"?page=rules&rule={rule_id}" if rule_id else "?page=rules"


def _workers(count: int) -> Tag:
    if not count:
        return tags.span(
            shape_tag("mark"), "0 workers: nothing is checked", class_="cb-status wait workers"
        )
    words = "1 worker checks them" if count == 1 else f"{count} workers check them"
    return tags.span(shape_tag("dot", "good"), words, class_="cb-status off workers wide-only")


# --- What waits for a person --------------------------------------------------------------------


def held_tag(each: RuleOverview, zone: str) -> Tag:
    """Return the decision that a held rule waits for, with its three answers."""
    rule, count = each.rule, each.held
    verb = "Text" if rule.channel == "text" else "Call"
    done = "texted" if rule.channel == "text" else "called"
    everything = f"{verb} about it" if count == 1 else f"{verb} all {count:,}"
    since = f" since {when(each.held_since, zone)}" if each.held_since else ""
    # Some rows may be over since then, and which of the other reasons held the rule isn't kept.
    is_over = count > rule.most_at_once
    why = f"Held{since}: too many rows or people at once, or everything was stopped."
    if is_over:
        why = f"That is over its limit of {rule.most_at_once:,}, so it is held{since}."
    return tags.section(
        shape_tag("mark", "wait"),
        tags.div(
            tags.h2(
                f"{rule.name}: {count:,} new{' at once' * is_over}", id=f"rules-held-{rule.id}"
            ),
            tags.p(
                f"{why} Nobody has been {done}.",
                class_="cb-small",
            ),
        ),
        tags.div(
            button(everything, "held_all", "ring", data_id=rule.id, data_value=str(count)),
            button("Choose…", "held_choose", data_id=rule.id),
            button(f"{verb} none", "held_none", "bare", data_id=rule.id),
            class_="answers",
        ),
        class_="held",
        aria_labelledby=f"rules-held-{rule.id}",
        data_key=f"held-{rule.id}",
    )


# --- The rows -----------------------------------------------------------------------------------


def _table(found: Sequence[RuleOverview], zone: str) -> Tag:
    return tags.section(
        tags.h2("All rules", class_="visually-hidden", id="rules-all"),
        tags.table(
            tags.thead(
                tags.tr(*(tags.th(each, role="columnheader") for each in HEADS), role="row"),
                role="rowgroup",
            ),
            tags.tbody(*(_row(each, zone) for each in found), role="rowgroup"),
            class_="cb-table rules-table",
            role="table",
        ),
        class_="cb-card rules-list",
        aria_labelledby="rules-all",
        data_key="table",
    )


def _row(each: RuleOverview, zone: str) -> Tag:
    rule = each.rule
    return tags.tr(
        _cell(
            "on",
            tags.input(
                type="checkbox",
                role="switch",
                class_="cb-switch",
                id=f"rules-on-{rule.id}",
                aria_label=rule.name,
                data_act="switch",
                data_id=rule.id,
                checked="" if rule.is_checked else None,
            ),
        ),
        _cell(
            "name",
            tags.a(rule.name, href=link(rule.id), class_="row-link", data_go=""),
            tags.span(whom(rule), class_="under cb-cut"),
        ),
        _now(each),
        _cell("watches", *_watches(each)),
        _cell("checked cb-number", when(each.last_check, zone, seconds=True)),
        _cell("next cb-number", when_next(each.next_check, zone) if rule.is_checked else "–"),
        _cell("spark", sparkline(each.alerts_by_day)),
        _health(each, zone),
        role="row",
        class_="" if rule.is_checked else "is-off",
        data_key=f"rule-{rule.id}",
    )


def _cell(kind: str, *content: TagChild) -> Tag:
    return tags.td(*content, role="cell", class_=kind)


def _now(each: RuleOverview) -> Tag:
    held = tags.span(f"{each.held:,} held", class_="under") if each.held else None
    if each.now.bad:
        return _cell("now cb-number", tags.span(f"{each.now.bad:,} bad", class_="cb-strong"), held)
    return _cell("now blank", tags.span(each.now.words, class_="cb-quiet"), held)


def _watches(each: RuleOverview) -> list[Tag]:
    names = ", ".join(name for name, _ in each.watches) or "–"
    described = ", ".join(dict.fromkeys(words for _, words in each.watches))
    return [
        tags.span(names, class_="cb-cut source"),
        tags.span(described, class_="under cb-cut"),
    ]


def _health(each: RuleOverview, zone: str) -> Tag:
    health = each.health
    shape, tone = LOOKS[health.kind]
    words = health.words
    if health.since and health.kind in SINCE:
        words += f" since {when(health.since, zone)}"
    return _cell(
        "health",
        tags.span(shape_tag(shape), words, class_=f"cb-status {tone}"),
        tags.span(health.detail, class_="under") if health.detail else None,
    )


def whom(rule: Rule) -> str:
    """Say whom a rule calls or texts: "Calls Lab on call", "Texts the number in phone"."""
    verb = "Texts" if rule.channel == "text" else "Calls"
    if rule.to_column:
        return f"{verb} the number in {rule.to_column}"
    named = ", ".join(
        each.strip() for each in rule.to.replace("\n", ",").split(",") if each.strip()
    )
    if not named:
        return f"{verb} nobody yet"
    then = ", then ".join(rule.then_to)
    return f"{verb} {named}" + (f", then {then}" if then else "")


# --- Nothing yet --------------------------------------------------------------------------------


def nothing_yet() -> Tag:
    """Return what the page shows until there is a rule: three examples to start from."""
    return tags.section(
        tags.h2("When the data says so"),
        tags.p(
            "A rule looks at your data every few minutes. For each new bad row it calls the people "
            "you name, once.",
            tags.span(
                " Start from an example, on made-up data, and change it to your own:",
                class_="to-start",
            ),
        ),
        tags.ul(
            *(
                tags.li(
                    tags.div(
                        tags.h3(each.rule.name),
                        tags.p(each.words, class_="cb-quiet cb-small"),
                    ),
                    tags.a(
                        "Start from this",
                        href=f"{link('new')}&from={name}",
                        class_="cb-button",
                        data_go="",
                        aria_label=f"Start from this: {each.rule.name}",
                    ),
                )
                for name, each in EXAMPLES.items()
            ),
            class_="examples",
        ),
        class_="cb-card rules-empty",
        data_key="empty",
    )
