"""The list of people and of groups, as HTML."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import phonenumbers
from htmltools import Tag, TagChild, TagList, tags

from alerts.message.languages import LANGUAGE_NAMES
from alerts.phone_numbers import country_name, international, split_dialed
from alerts.time_zones import in_time_zone
from dashboard.alert_status import glance, glance_tag, shape_tag
from dashboard.page_parts import button, icon
from people.listing import QUIET_FROM, QUIET_TILL, Counts, Page, PeopleFilter, Person, is_quiet
from people.names import number_of_people

GLANCES = {
    "quiet": "In quiet hours now",
    "stop": "Texted STOP",
    "unreached": "Not reached lately",
}
HEADS = ("Name", "Number", "Group", "Language", "Their time", "Last alert", "Texts")


def heading(wanted: PeopleFilter) -> str:
    """Say whom the list shows."""
    return wanted.group or GLANCES.get(wanted.glance) or "Everybody"


# --- Groups -------------------------------------------------------------------------------------


def groups_tag(counts: Counts, wanted: PeopleFilter) -> Tag:
    """Return the groups with their counts, the ready-made filters, and the actions for groups.

    Until the list has its first person there is nothing to count or to filter.
    """
    everybody = wanted == PeopleFilter(wanted.search)
    return tags.nav(
        _choice("Everybody", counts.everybody, "group", "", everybody)
        if counts.everybody
        else None,
        *(
            _choice(each.name, each.size, "group", each.name, wanted.group == each.name)
            for each in counts.groups
        ),
        _glances(counts, wanted) if counts.everybody else None,
        tags.button(
            icon("add"), "New group", type="button", class_="group-tool", data_act="new_group"
        ),
        tags.button(
            "Rename or remove…",
            type="button",
            class_="group-tool",
            data_act="edit_group",
            data_id=wanted.group,
            aria_label=f"Rename or remove {wanted.group}",
        )
        if wanted.group
        else None,
        class_="people-groups",
        aria_label="Groups",
    )


def _glances(counts: Counts, wanted: PeopleFilter) -> TagList:
    glances = {"quiet": counts.quiet, "stop": counts.stop, "unreached": counts.unreached}
    return TagList(
        tags.hr(),
        tags.h2("At a glance"),
        *(
            _choice(words, glances[name], "glance", name, wanted.glance == name)
            for name, words in GLANCES.items()
        ),
    )


def _choice(words: str, count: int, act: str, value: str, is_chosen: bool) -> Tag:
    current = {"aria_current": "true"} if is_chosen else {}
    return tags.button(
        tags.span(words, class_="cb-cut"),
        tags.span(f"{count:,}", class_="count"),
        type="button",
        data_act=act,
        data_value=value,
        **current,
    )


# --- The list -----------------------------------------------------------------------------------


def list_tag(page: Page, wanted: PeopleFilter, chosen: Collection[str], time_zone: str) -> Tag:
    """Return the table of people; times of alerts are on the clock of `time_zone`."""
    if not page.people:
        return _nobody_found(wanted)
    on_page = [each.contact.id for each in page.people]
    heads = [tags.th(words, role="columnheader") for words in HEADS]
    every = tags.input(
        type="checkbox",
        class_="form-check-input",
        aria_label="Choose everybody on this page",
        data_act="choose_page",
        checked="" if set(on_page) <= set(chosen) else None,
    )
    return tags.table(
        tags.caption(heading(wanted), class_="visually-hidden"),
        tags.thead(
            tags.tr(tags.th(every, role="columnheader"), *heads, role="row"), role="rowgroup"
        ),
        tags.tbody(
            *(_row(each, each.contact.id in chosen, time_zone) for each in page.people),
            role="rowgroup",
        ),
        class_="cb-table people-table",
        role="table",
    )


def _row(person: Person, is_chosen: bool, time_zone: str) -> Tag:
    contact = person.contact
    number = contact.numbers[0]
    first_line = contact.notes.partition("\n")[0]
    more = len(contact.groups) - 1
    language = LANGUAGE_NAMES.get(contact.language, "").partition(" (")[0]
    last = glance_tag(glance(person.last, time_zone)) if person.last else None
    none_yet = tags.span("None yet", class_="cb-quiet cb-small")
    return tags.tr(
        _cell(
            "choose",
            tags.input(
                type="checkbox",
                class_="form-check-input",
                id=f"choose-{contact.id}",
                aria_label=f"Choose {contact.name}",
                data_act="choose",
                data_id=contact.id,
                checked="" if is_chosen else None,
            ),
        ),
        _cell(
            "who",
            tags.button(
                contact.name,
                type="button",
                id=f"open-{contact.id}",
                class_="row-link cb-cut",
                data_act="edit",
                data_id=contact.id,
            ),
            _under(first_line),
        ),
        _cell("number cb-number", international(number), _under(_country(number))),
        _cell(
            "group",
            tags.span(contact.groups[0], class_="cb-cut") if contact.groups else None,
            _under(f"and {more} more" if more > 0 else None),
        ),
        _cell("language", language),
        _time(person.clock_zone),
        _cell("last", last or none_yet),
        _texts(person, time_zone),
        role="row",
        aria_selected="true" if is_chosen else None,
    )


def _cell(kind: str, *content: TagChild, **attributes: str | None) -> Tag:
    return tags.td(*content, role="cell", class_=kind, **attributes)


def _country(number: str) -> str:
    e164, _ = split_dialed(number)
    parsed = phonenumbers.parse(e164)
    region = phonenumbers.region_code_for_number(parsed)
    return country_name(
        region or phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    )


def _under(words: str | None) -> Tag | None:
    return tags.span(words, class_="under cb-cut") if words else None


def _time(zone: str) -> Tag:
    """The time on the person's clock; people.js moves it on."""
    if not zone:
        return _cell("time", tags.span("Not known", class_="cb-quiet cb-small"))
    now = datetime.now(UTC)
    return _cell(
        "time cb-number",
        tags.span(f"{in_time_zone(now, zone):%H:%M}", class_="clock"),
        tags.span(icon("moon"), class_="moon"),
        tags.span(f"quiet till {QUIET_TILL:%H:%M}", class_="under till"),
        data_zone=zone,
        data_from=f"{QUIET_FROM:%H:%M}",
        data_till=f"{QUIET_TILL:%H:%M}",
        data_quiet="" if is_quiet(now, zone) else None,
    )


def _texts(person: Person, time_zone: str) -> Tag:
    texting = person.texting
    if texting is None:
        return _cell("texts on", tags.span("On", class_="cb-quiet cb-small"))
    if texting.state == "stop":
        since = in_time_zone(texting.since, time_zone)
        return _cell(
            "texts",
            tags.span(shape_tag("cross"), "STOP", class_="cb-status bad"),
            _under(f"since {since.day} {since:%b}"),
        )
    return _cell("texts", tags.span(shape_tag("dash"), "Landline", class_="cb-status off"))


def _nobody_found(wanted: PeopleFilter) -> Tag:
    words = f"Nobody matches “{wanted.search}”." if wanted.search else "Nobody is here."
    return tags.div(
        tags.p(words),
        button("Show everybody", "everybody") if wanted != PeopleFilter() else None,
        class_="people-nobody",
    )


def nobody_yet() -> Tag:
    """Return what the page shows until the list has its first person."""
    return tags.div(
        tags.h2("Nobody is here yet"),
        tags.div(
            tags.p("Keep the people you call by name, with their numbers and groups."),
            button(TagList(icon("add"), "Add a person"), "add", "ink"),
        ),
        tags.div(
            tags.p("Or bring them along: a spreadsheet saved as CSV, or vCards of a phone."),
            button(TagList(icon("import"), "Import from CSV"), "import_file"),
        ),
        class_="people-empty",
    )


def foot_tag(page: Page, wanted: PeopleFilter, chosen: int, size: int) -> Tag:
    """Return the actions for the chosen people, and the links to the other pages."""
    last = page.first + len(page.people)
    people = number_of_people(chosen)
    # Its place is kept, so that choosing moves nothing.
    doing = (
        [
            button(f"Write to {people}…", "write", "low ink"),
            button("Add to a group…", "into_group", "low wide-only"),
            button(f"Take out of {wanted.group}", "out_of_group", "low bare wide-only")
            if wanted.group
            else None,
            button("Remove…", "remove_chosen", "low bare wide-only"),
            button("Choose none", "choose_none", "low bare"),
        ]
        if chosen
        else []
    )
    paging = [
        button("Previous", "page", "low", data_value=str(max(page.first - size, 0)))
        if page.first
        else None,
        button("Next", "page", "low", data_value=str(last)) if last < page.total else None,
    ]
    numbers = f"{page.first + 1:,}–{last:,} of {page.total:,}" if page.people else ""
    return tags.div(
        *doing,
        tags.span(numbers, class_="cb-quiet cb-number page-numbers"),
        *paging,
        class_="cb-foot",
    )
