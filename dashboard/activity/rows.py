"""The list: one row for an alert or a whole broadcast, and the way to newer and older ones."""

from __future__ import annotations

from collections.abc import Mapping

from htmltools import HTML, Tag, tags

from alerts import Alert
from alerts.filters import CountedBroadcast, Counts, Kind, Page
from alerts.message.compose import said
from alerts.phone_numbers import international
from dashboard.activity.address import Address
from dashboard.alert_status import Glance, clock, glance, glance_tag, mini_line
from people.names import number_of_people

CLOSED_SHAPES: dict[str, tuple[Kind, ...]] = {
    "good": (Kind.CONFIRMED, Kind.REACHED),
    "ring": (Kind.UNDER_WAY,),
    "wait": (Kind.WAITING, Kind.UNKNOWN),
    "bad": (Kind.NOT_REACHED,),
}
HEADS = ("When", "To whom, and the words", "How it went", "By")
TABLE = {"role": "table", "class_": "cb-table stack"}


def the_list(
    address: Address,
    page: Page,
    counts: Counts,
    names: Mapping[str, str],
    zone: str,
    *,
    rules: Mapping[str, str],
) -> Tag:
    """Return the table and its foot.

    `names` are contacts' names by number; `rules` are rules' names by id.
    """
    if not page.rows:
        return no_match(address, counts)
    rows = [
        _alert_row(address, row.alert, names, zone)
        if row.alert
        else _broadcast_row(address, row.broadcast, zone)
        for row in page.rows
        if row.alert or row.broadcast
    ]
    return tags.div(
        _of_broadcast(address, page, counts),
        _of_rule(address, counts, rules),
        tags.h2(counted(counts.total, "alert"), class_="visually-hidden"),
        tags.table(
            tags.thead(
                tags.tr(*(tags.th(head, role="columnheader") for head in HEADS), role="row"),
                role="rowgroup",
            ),
            tags.tbody(*rows, role="rowgroup"),
            **TABLE,
        ),
        _foot(address, page, counts),
        class_="list-inside",
    )


def no_match(address: Address, counts: Counts) -> Tag:
    """Return what the list shows if no alert matches the filters."""
    everywhere = address["q"] and address.when != "all"
    where = "" if address.when == "all" else " in this time"
    return tags.div(
        tags.h2("No alert matches"),
        tags.p(f"Nothing that was sent{where} fits what you ask for.", class_="cb-quiet"),
        tags.div(
            link("Search all time", address.link(when="all"), "cb-button ink")
            if everywhere
            else None,
            link(
                "Clear filters" if address.is_filtered else "Show all time",
                address.cleared() if address.is_filtered else address.link(when="all"),
                "cb-button",
            ),
            class_="ways",
        ),
        class_="no-match",
    )


def link(words: str, href: str, class_: str, **attributes: str) -> Tag:
    """Return a link to another view of the page."""
    return tags.a(words, href=href, data_go="", class_=class_, **attributes)


def person(alert: Alert, names: Mapping[str, str]) -> str:
    """Return the recipient's name, or else the number."""
    return alert.request.name or names.get(alert.to) or international(alert.present_try.dialed)


def _alert_row(address: Address, alert: Alert, names: Mapping[str, str], zone: str) -> Tag:
    is_open = address["open"] == alert.id
    return tags.tr(
        tags.td(clock(alert.events[0].at, zone), class_="when cb-number", role="cell"),
        tags.td(
            tags.span(
                link(
                    person(alert, names),
                    address.link(open=alert.id),
                    "row-link",
                    aria_current="true" if is_open else "false",
                ),
                tags.span("text", class_="cb-tag") if alert.request.channel == "text" else None,
                class_="who",
            ),
            tags.span(said(alert), class_="under cb-cut"),
            class_="what",
            role="cell",
        ),
        tags.td(
            tags.div(mini_line(alert), glance_tag(glance(alert, zone)), class_="how-in"),
            class_="how",
            role="cell",
        ),
        tags.td(tags.span(alert.request.user), class_="by cb-quiet cb-small", role="cell"),
        class_="open" if is_open else None,
        data_key=f"a{alert.id}",
        role="row",
    )


def _broadcast_row(address: Address, shown: CountedBroadcast | None, zone: str) -> Tag | None:
    if shown is None:
        return None
    people = number_of_people(shown.people)
    return tags.tr(
        tags.td(clock(shown.created_at, zone), class_="when cb-number", role="cell"),
        tags.td(
            tags.span(
                link(shown.title, address.link(broadcast=shown.id, open=""), "row-link"),
                tags.span(f" · {people}", class_="cb-quiet"),
                class_="who",
            ),
            tags.span(shown.message, class_="under cb-cut"),
            class_="what",
            role="cell",
        ),
        tags.td(
            tags.div(bar(shown.counts), glance_tag(progress(shown)), class_="how-in"),
            class_="how",
            role="cell",
        ),
        tags.td(tags.span(shown.sender), class_="by cb-quiet cb-small", role="cell"),
        data_key=f"b{shown.id}",
        role="row",
    )


def bar(counts: Mapping[Kind, int]) -> Tag:
    """Return a bar of how far a broadcast's alerts have come. The words beside it say the same."""
    parts = [
        tags.i(class_=tone, style=f"flex: {count}")
        for tone, kinds in CLOSED_SHAPES.items()
        if (count := sum(counts.get(kind, 0) for kind in kinds))
    ]
    return tags.span(*parts, class_="cb-bar", aria_hidden="true")


def progress(shown: CountedBroadcast) -> Glance:
    """Say how far a broadcast has come: "18 of 20 confirmed"."""
    confirmed, of = shown.counts.get(Kind.CONFIRMED, 0), shown.people
    reached = confirmed + shown.counts.get(Kind.REACHED, 0)
    done, verb = (confirmed, "confirmed") if shown.acknowledge else (reached, "reached")
    words = f"{done:,} of {of:,} {verb}"
    if shown.counts.get(Kind.UNDER_WAY):
        return Glance("halo", "ring", words)
    if done == of and of:
        return Glance("check" if shown.acknowledge else "dot", "good", words)
    if shown.counts.get(Kind.WAITING):
        return Glance("clock", "wait", words)
    if done:
        return Glance("half", "wait", words)
    if unknown := shown.counts.get(Kind.UNKNOWN):
        return Glance("question", "wait", f"{unknown:,} of {of:,} not known")
    is_canceled = shown.counts.get(Kind.CANCELED) == of
    return Glance("dash", "off", "Canceled") if is_canceled else Glance("cross", "bad", words)


def _of_broadcast(address: Address, page: Page, counts: Counts) -> Tag | None:
    """Say which broadcast's people the list shows, with its words and a link back."""
    if not address["broadcast"]:
        return None
    words = next((row.alert.request.message for row in page.rows if row.alert), "")
    return tags.div(
        tags.div(
            tags.p(words, class_="cb-strong words"),
            tags.p(f"A broadcast to {number_of_people(counts.total)}", class_="cb-small cb-quiet"),
        ),
        link("All alerts", address.link(broadcast=""), "cb-button low"),
        class_="of-broadcast",
    )


def _of_rule(address: Address, counts: Counts, rules: Mapping[str, str]) -> Tag | None:
    """Say which rule's alerts the list shows, with a link back."""
    if not address["rule"]:
        return None
    name = rules.get(address["rule"], "a rule that is gone")
    return tags.div(
        tags.span(f"What {name} sent, {counts.total:,} in all", class_="cb-strong"),
        link("All alerts", address.link(rule=""), "cb-button low"),
        class_="of-broadcast",
    )


def _foot(address: Address, page: Page, counts: Counts) -> Tag:
    first, last = page.rows[0].position, page.rows[-1].position
    n = address.rows_before if page.has_newer else 0
    newer = address.page_link(after=first, n=max(0, n - len(page.rows)))
    older = address.page_link(before=last, n=n + len(page.rows))
    return tags.div(
        tags.span(_where(page, counts, n, address), class_="cb-quiet"),
        tags.span(class_="space"),
        way("Newer", newer if page.has_newer else ""),
        way("Older", older if page.has_older else ""),
        class_="cb-foot",
    )


def _where(page: Page, counts: Counts, n: int, address: Address) -> str:
    kind = address["status"]
    these = [each for each in Kind if not kind or each.value.replace(" ", "-") == kind]
    count = sum(counts.of.get(each, 0) for each in these)
    more = "+" if counts.at_least & set(these) else ""
    if any(row.broadcast for row in page.rows):
        # A row may stand for many alerts, so say how many alerts there are.
        return f"{counted(count, 'alert', more=more)}, broadcasts in one row"
    last = n + len(page.rows)
    return f"{n + 1:,}–{last:,} of {max(count, last):,}{more}"


def counted(count: int, one: str, several: str = "", *, more: str = "") -> str:
    """Return "1 alert" or "14 alerts"; `more` is "+" if there may be more of them than `count`."""
    noun = one if count == 1 and not more else several or f"{one}s"
    return f"{count:,}{more} {noun}"


def way(words: str, href: str) -> Tag:
    """Return a link to newer or older rows; without `href` it leads nowhere."""
    if href:
        return link(words, href, "cb-button low")
    return tags.span(words, class_="cb-button low", aria_disabled="true", role="link")


EXAMPLE = (
    ("past", "Saved", "10:02:02"),
    ("past", "Accepted by Twilio", "10:02:03"),
    ("present", "Ringing", "10:02:05"),
    ("future", "Answered", ""),
    ("future", "They press 1", ""),
)


def nothing_sent(*, is_simulation: bool) -> Tag:
    """Return the page before the first alert: what will be here, and the way on."""
    return tags.section(
        tags.h2("Nothing sent yet"),
        tags.p("Every call and text will show here, with each step at its time."),
        tags.div(
            tags.h3(tags.span("What you will see"), tags.span("Ben Adeyemi")),
            tags.ol(
                *(
                    tags.li(words, tags.span(at, class_="time") if at else None, class_=state)
                    for state, words, at in EXAMPLE
                ),
                class_="across",
            ),
            HTML(
                '<p class="legend"><span class="past">happened</span>'
                '<span class="present">happening now</span>'
                '<span class="future">still to come</span></p>'
            ),
            class_="example",
        ),
        tags.button(
            "Write the first alert", type="button", class_="cb-button ink", data_tab="send"
        ),
        tags.p("In the simulation it rings only in this page.", class_="cb-small")
        if is_simulation
        else None,
        class_="cb-card nothing-sent",
    )
