"""A broadcast on the Send page: a row for each person, with the story inside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from htmltools import HTML, Tag, TagList, tags
from shiny import Inputs, Session, reactive, ui
from shiny.module import resolve_id

from alerts import Alert
from alerts.broadcast import Broadcast
from alerts.message.compose import said
from alerts.phone_numbers import international
from dashboard.alert_status import Glance, clock, glance, glance_tag, mini_line
from dashboard.fields import unannounced
from dashboard.inputs import part
from dashboard.live_alert import LiveAlert
from dashboard.timeline import story

# With more people than this, a story is sent to the page only once its row is opened.
MOST_STORIES = 20


@dataclass(frozen=True, slots=True)
class SentRow:
    """A row as the page shows it, and what it was drawn from."""

    alert: Alert
    glance: Glance
    summary: str
    story: str


def broadcast_card(broadcast: Broadcast, alerts: Sequence[Alert], time_zone: str) -> Tag:
    """Return the heading and the rows as they stand now."""
    by = f"Sent by {broadcast.sender}" if broadcast.sender else "Sent"
    return tags.div(
        tags.div(
            tags.h2(unannounced(ui.output_text("headline", inline=True))), class_="card-heading"
        ),
        tags.p(
            tags.span(broadcast.title, class_="cb-strong"),
            f" · {by} at {clock(broadcast.created_at, time_zone)}",
            class_="since cb-small cb-quiet",
        ),
        tags.div(
            *(_person(each, time_zone, is_open=place == 0) for place, each in enumerate(alerts)),
            class_="people",
            id=resolve_id("people"),
        ),
    )


def rows_server(
    input: Inputs, session: Session, live: LiveAlert, time_zone: Callable[[], str]
) -> None:
    """Send the page the rows that change: drawing hundreds again each time would flicker.

    For use inside a module's server.
    """
    sent: dict[str, SentRow] = {}
    opened: set[str] = set()

    async def hand_over() -> None:
        rows = changed_rows(live.all(), time_zone(), opened, sent)
        if rows:
            await session.send_custom_message(
                "callboard-rows", {"list": session.ns("people"), "rows": rows}
            )

    @reactive.effect
    async def hand_over_changes() -> None:
        alerts = live.all()
        if live.broadcast() is None:
            sent.clear()
            opened.clear()
        else:
            opened.update(each.id for each in alerts[:1])  # its row is open from the start
            await hand_over()

    @reactive.effect
    @reactive.event(input.opened)
    async def hand_over_story() -> None:
        alert_id = part(input.opened(), "id")
        if any(alert.id == alert_id for alert in live.all()):
            opened.add(alert_id)
            await hand_over()


def changed_rows(
    alerts: Sequence[Alert], time_zone: str, opened: Collection[str], sent: dict[str, SentRow]
) -> list[dict[str, str]]:
    """Return the rows that differ from `sent`, and put them there.

    `opened` are the alerts whose story the page shows. Drawing a row takes milliseconds, so only
    those are drawn whose alert is another object than before, or whose words have changed with the
    clock.
    """
    changed = []
    for alert in alerts:
        before = sent.get(alert.id)
        shown = glance(alert, time_zone)
        told = ""
        if len(alerts) <= MOST_STORIES or alert.id in opened:
            told = str(_told(alert, time_zone))
        if before and before.alert is alert and before.glance == shown and before.story == told:
            continue
        row = SentRow(alert, shown, str(_summary(alert, time_zone)), told)
        sent[alert.id] = row
        if before is None or (before.summary, before.story) != (row.summary, row.story):
            changed.append({"id": alert.id, "summary": row.summary, "story": told})
    return changed


def _person(alert: Alert, time_zone: str, *, is_open: bool) -> Tag:
    return tags.details(
        HTML(str(_summary(alert, time_zone))),
        tags.div(HTML(str(_told(alert, time_zone))) if is_open else None, class_="told"),
        class_="person",
        data_alert=alert.id,
        open="" if is_open else None,
    )


def _told(alert: Alert, time_zone: str) -> TagList:
    """Return an alert's story, preceded by its words if they differ from the others'."""
    words = tags.blockquote(said(alert), class_="said") if alert.request.variables else None
    return TagList(words, story(alert, time_zone))


def _summary(alert: Alert, time_zone: str) -> Tag:
    return tags.summary(
        tags.span(alert.request.name or international(alert.request.to), class_="name cb-cut"),
        mini_line(alert),
        glance_tag(glance(alert, time_zone)),
    )
