"""The open alert beside the list: its story, its words, the facts, and what can still be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from htmltools import Tag, TagList, tags

from alerts import Alert, Status, UnusableInput
from alerts.alert import tries_of
from alerts.cost import CURRENCY, estimate
from alerts.filters import MadeTry
from alerts.message.call_twiml import write_document
from alerts.message.compose import said
from alerts.phone_numbers import international
from dashboard.activity.address import Address
from dashboard.activity.tiles import price
from dashboard.alert_status import clock, glance, glance_tag
from dashboard.page_parts import icon
from dashboard.timeline import story
from people.contact import Contact

if TYPE_CHECKING:
    from rules.causes import Cause

MOST_ROWS_SHOWN = 10
LEAST_SHOWN = 0.001  # of a currency's unit
CONSOLE = {
    "call": "https://console.twilio.com/us1/monitor/logs/calls/",
    "text": "https://console.twilio.com/us1/monitor/logs/sms/",
}
ANSWERED = {
    Status.ANSWERED,
    Status.ACKNOWLEDGED,
    Status.COMPLETED,
    Status.HUNG_UP,
    Status.VOICEMAIL,
}


def alert_panel(
    address: Address,
    alert: Alert,
    contact: Contact | None,
    tries: Sequence[MadeTry],
    zone: str,
    *,
    is_simulation: bool,
    cause: Cause | None = None,
) -> Tag:
    """Return everything about one alert. SIDs link to Twilio's console unless it is simulated.

    `cause` is the rule that made it, if one did.
    """
    name = alert.request.name or (contact.name if contact else "")
    number = international(alert.present_try.dialed)
    groups = ", ".join(contact.groups) if contact else ""
    under = TagList(
        tags.span(number, class_="cb-number") if name else None,
        " · " if name and groups else None,
        groups,
    )
    return _panel(
        address,
        name or number,
        under if name or groups else None,
        tags.div(
            tags.p(_pill(alert, zone), class_="stands"),
            story(alert, zone),
            tags.h3("The words"),
            tags.p(said(alert), class_="said"),
            _cause(cause) if cause else None,
            _facts(alert, tries, zone, is_simulation=is_simulation),
            _twiml(alert),
            class_="inside",
        ),
        tags.div(*_ways_on(alert), class_="ways-on"),
    )


def missing_panel(address: Address) -> Tag:
    """Return the panel for an id that no alert has."""
    return _panel(
        address,
        "No such alert",
        None,
        tags.div(
            tags.p("No alert has this id. It may have been deleted, or the address is wrong."),
            class_="inside",
        ),
    )


def can_cancel(alert: Alert) -> bool:
    """Whether there is anything left to stop: a text that Twilio has can't be called back."""
    if alert.status.final or alert.canceling:
        return False
    is_with_twilio = alert.channel == "text" and alert.sid is not None
    return not is_with_twilio or alert.try_number < len(tries_of(alert.request))


def _panel(address: Address, heading: str, under: TagList | None, *content: Tag) -> Tag:
    return tags.div(
        tags.div(
            tags.div(
                tags.h2(heading, id="activity-opened-heading", tabindex="-1"),
                tags.p(under, class_="cb-small cb-quiet under") if under else None,
            ),
            tags.div(
                tags.button(
                    icon("print"),
                    type="button",
                    class_="cb-icon-button",
                    data_print="",
                    aria_label="Print this story",
                ),
                tags.a(
                    icon("close"),
                    href=address.link(open=""),
                    data_go="",
                    class_="cb-icon-button close",
                    aria_label="Close this alert",
                ),
                class_="ways-off",
            ),
            class_="head",
        ),
        *content,
        class_="opened",
        data_key=address["open"],
    )


def _pill(alert: Alert, zone: str) -> Tag:
    pill = glance_tag(glance(alert, zone))
    pill.add_class("cb-pill")
    return pill


def _cause(cause: Cause) -> TagList:
    """Return the rule that made an alert, and the rows of data that it tells of."""
    address = "?" + urlencode({"page": "rules", "rule": cause.rule_id})
    named = cause.rule_name if cause.is_deleted else tags.a(cause.rule_name, href=address)
    rows = [
        tags.details(
            tags.summary(each.words),
            tags.dl(
                *(
                    part
                    for name, value in each.cells.items()
                    for part in (tags.dt(name), tags.dd("" if value is None else str(value)))
                ),
                class_="cb-facts",
            ),
            data_keep="",
        )
        for each in cause.rows[:MOST_ROWS_SHOWN]
    ]
    more = cause.total - len(rows)
    return TagList(
        tags.h3("Why"),
        tags.p("The rule ", named, " (deleted)" if cause.is_deleted else "", class_="cause"),
        *rows,
        tags.p(f"and {more:,} more rows", class_="cb-small cb-quiet") if more > 0 else None,
    )


def _facts(alert: Alert, tries: Sequence[MadeTry], zone: str, *, is_simulation: bool) -> Tag:
    when = clock(alert.events[0].at, zone)
    by = alert.request.user
    facts: list[Tag] = []
    _add(facts, "Sent by" if by else "Sent", f"{by}, {when}" if by else when)
    _add(facts, "From", international(alert.from_) if alert.from_.startswith("+") else alert.from_)
    _add(facts, "Cost so far" if not alert.status.final else "Cost", _cost(alert, tries))
    for each in tries:
        which = f" of try {each.number}" if len(tries_of(alert.request)) > 1 else ""
        _add(facts, f"SID{which}", _sid(each, which, is_simulation=is_simulation))
    _add(facts, "Id", tags.span(tags.span(alert.id, class_="cb-mono"), class_="sid"))
    return tags.dl(*facts, class_="cb-facts")


def _add(facts: list[Tag], name: str, value: str | Tag) -> None:
    facts += [tags.dt(name), tags.dd(value)]


def _cost(alert: Alert, tries: Sequence[MadeTry]) -> str:
    """Return what Twilio charged, else what its list prices say, marked as an estimate."""
    if not tries:
        return "Nothing yet"
    number = f"{len(tries)} {'try' if len(tries) == 1 else 'tries'}"
    known = [each for each in tries if each.price is not None]
    if len(known) == len(tries):
        amount = price(sum(each.price or 0 for each in known), known[0].unit, places=3)
        return f"{amount} for {number}"
    guesses = [_estimated(alert, each) for each in tries if each.price is None]
    if None in guesses:
        return "Twilio hasn't said yet"
    total = sum(each.price or 0 for each in known) + sum(guess or 0 for guess in guesses)
    about = f"about {price(total, CURRENCY, places=3)}"
    if total < LEAST_SHOWN:
        about = f"less than {price(LEAST_SHOWN, CURRENCY, places=3)}"
    return f"{about} for {number}, estimated"


def _estimated(alert: Alert, made: MadeTry) -> float | None:
    to = tries_of(alert.request)[made.number - 1].to
    own = [each for each in alert.events if each.try_number == made.number]
    # An answered call is billed for a minute at least.
    lasted = [each.duration or 1 for each in own if each.status in ANSWERED]
    return estimate(made.channel, to, seconds=max(lasted, default=0))


def _sid(made: MadeTry, which: str, *, is_simulation: bool) -> Tag:
    shown = tags.span(f"{made.sid[:6]}…{made.sid[-4:]}", class_="cb-mono", title=made.sid)
    return tags.span(
        shown
        if is_simulation
        else tags.a(
            shown,
            href=CONSOLE[made.channel] + made.sid,
            target="_blank",
            rel="noopener noreferrer",
            aria_label=f"The SID{which} in Twilio's console, in a new tab",
        ),
        tags.button(
            icon("copy"),
            type="button",
            class_="cb-icon-button",
            data_copy=made.sid,
            aria_label=f"Copy the SID{which}",
        ),
        class_="sid",
    )


def _twiml(alert: Alert) -> Tag | None:
    """Return the document of the present try; only calls have one."""
    if alert.channel != "call":
        return None
    try:
        document = write_document(alert.request, said(alert)).to_xml()
    except UnusableInput as problem:
        document = str(problem)
    return tags.details(
        tags.summary("TwiML"),
        tags.pre(document, class_="twiml cb-mono", tabindex="0", aria_label="TwiML"),
        data_keep="",
    )


def _ways_on(alert: Alert) -> TagList:
    return TagList(
        tags.button("Send again…", type="button", class_="cb-button", data_again=alert.id),
        tags.button("Cancel alert", type="button", class_="cb-button", data_cancel=alert.id)
        if can_cancel(alert)
        else None,
    )
