"""The list "Who did what": the audit trail, for administrators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from htmltools import HTML, Tag, TagList, tags
from phonenumbers import NumberParseException

from access.actor import Actor, Permission
from access.audit_entry import AuditEntry, Kind
from alerts import Desk
from alerts.phone_numbers import international
from dashboard.activity.address import ABOUT, DONE, Address
from dashboard.activity.parts import choice, names_to_choose
from dashboard.activity.rows import counted, link, way
from dashboard.alert_status import clock

if TYPE_CHECKING:
    from access.audit import AuditPage

ROWS = 50
E164 = re.compile(r"\+[0-9]{7,15}\b")
HEADS = ("When", "What was done", "Who", "Where")
PLACES = {"page": "Page", "shell": "Shell"}
LISTS = (("", "Alerts"), (DONE, "Who did what"))


@dataclass(frozen=True, slots=True)
class TrailView:
    """What the list shows: some entries, whom to choose from, and whether there are none at all."""

    page: AuditPage
    actors: list[str]
    is_empty: bool


def lists(address: Address, actor: Actor) -> Tag | None:
    """Return the switch between the page's lists; None for those who may see only one."""
    if not actor.may(Permission.ADMINISTER):
        return None
    return tags.nav(
        *(
            tags.a(
                words,
                href=address.list_link(name),
                data_go="",
                data_key=name or "alerts",
                aria_current="page" if address.shows_what_was_done is (name == DONE) else None,
            )
            for name, words in LISTS
        ),
        class_="lists",
        aria_label="Which list",
    )


async def look_at_trail(desk: Desk, address: Address, zone: str) -> TrailView:
    """Read what the list shows at this address. Raises `NotAllowed`."""
    from access.audit import AuditFilters  # noqa: PLC0415 - needs SQLAlchemy

    audit = await desk.audit()
    filters = address.audit_filters(zone)
    before, after = address.entry("before"), address.entry("after")
    page = await audit.page(filters, before=before, after=after, limit=ROWS)
    if not page.entries and (before or after):
        # The entries of that position have been deleted, or the address was cut off.
        page = await audit.page(filters, limit=ROWS)
    is_empty = not page.entries and not (await audit.page(AuditFilters(), limit=1)).entries
    return TrailView(page, await audit.actors(), is_empty)


def trail_parts(
    view: TrailView, address: Address, zone: str, ns: Any
) -> tuple[dict[str, HTML], str]:
    """Return the HTML of each part of the page, and where things stand in a sentence."""
    entries = view.page.entries
    if entries:
        shown = _list(view.page, address, zone)
        words = f"{counted(len(entries), 'entry', 'entries')}."
    elif view.is_empty:
        shown, words = _nothing_done(), "Nothing done yet."
    else:
        shown, words = _no_match(address), "Nothing matches."
    about = [("", "Anything"), *((name, kind.value) for name, kind in ABOUT.items())]
    choices = TagList(
        choice("by", "Who did it", names_to_choose(view.actors, address["by"]), ns),
        choice("about", "About what", about, ns),
    )
    parts: dict[str, Tag | TagList] = {"senders": choices, "list": shown}
    html = {name: HTML(each.get_html_string()) for name, each in parts.items()}
    return {"summary": HTML("")} | html, words


def _list(page: AuditPage, address: Address, zone: str) -> Tag:
    return tags.div(
        tags.h2("What people did, newest first", class_="visually-hidden"),
        tags.table(
            tags.thead(
                tags.tr(*(tags.th(head, role="columnheader") for head in HEADS), role="row"),
                role="rowgroup",
            ),
            tags.tbody(*(_row(each, address, zone) for each in page.entries), role="rowgroup"),
            role="table",
            class_="cb-table stack trail",
        ),
        _foot(page, address),
        class_="list-inside",
    )


def _row(entry: AuditEntry, address: Address, zone: str) -> Tag:
    href, stays = _thing(entry, address)
    done = _readable(entry.words)
    words: Tag | str = done
    if href:
        words = link(done, href, "row-link") if stays else tags.a(done, href=href)
    return tags.tr(
        tags.td(clock(entry.at, zone), class_="when cb-number", role="cell"),
        tags.td(
            tags.span(words, class_="who"),
            tags.span(_readable(entry.more_words), class_="under cb-cut"),
            class_="what",
            role="cell",
        ),
        tags.td(tags.span(entry.actor), class_="how cb-cut", role="cell"),
        tags.td(
            tags.span(PLACES.get(entry.place, entry.place)),
            class_="by cb-quiet cb-small",
            role="cell",
        ),
        data_key=entry.id,
        role="row",
    )


def _readable(words: str) -> str:
    """Return the words with each number in E.164 as people write it."""
    return E164.sub(_as_people_write_it, words)


def _as_people_write_it(number: re.Match[str]) -> str:
    try:
        return international(number[0])
    except NumberParseException:  # a title may hold anything
        return number[0]


def _thing(entry: AuditEntry, address: Address) -> tuple[str, bool]:
    """Return a link to the thing that an entry is about, and whether it is on this page."""
    if not entry.about_id:
        return "", False
    if entry.kind is Kind.ALERTS:
        name = "broadcast" if entry.is_broadcast else "open"
        return Address({}).link(**{name: entry.about_id, "when": "all"}), True
    return (
        (f"?page=rules&rule={entry.about_id}", False) if entry.kind is Kind.RULES else ("", False)
    )


def _foot(page: AuditPage, address: Address) -> Tag:
    first, last = page.entries[0].id, page.entries[-1].id
    n, count = address.rows_before if page.has_newer else 0, len(page.entries)
    newer = address.page_link(after=first, n=max(0, n - count))
    older = address.page_link(before=last, n=n + count)
    return tags.div(
        tags.span(f"{n + 1:,}–{n + count:,}", class_="cb-quiet"),
        tags.span(class_="space"),
        way("Newer", newer if page.has_newer else ""),
        way("Older", older if page.has_older else ""),
        class_="cb-foot",
    )


def _no_match(address: Address) -> Tag:
    everywhere = address.link(when="all") if address.when != "all" else ""
    return tags.div(
        tags.h2("Nothing matches"),
        tags.p("Nobody did what you ask for, or not at that time.", class_="cb-quiet"),
        tags.div(
            link("Search all time", everywhere, "cb-button ink") if everywhere else None,
            link("Clear filters", address.cleared(), "cb-button") if address.is_filtered else None,
            class_="ways",
        ),
        class_="no-match",
    )


def _nothing_done() -> Tag:
    return tags.div(
        tags.h2("Nothing done yet"),
        tags.p(
            "Who sends, cancels or changes something shows here, with the time. So does who signs "
            "in, and which settings have changed.",
            class_="cb-quiet",
        ),
        class_="no-match",
    )
