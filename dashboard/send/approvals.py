"""Requests for a second person's yes: above the Send page, and counted on its tab."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from htmltools import Tag, TagList, tags
from shiny import Inputs, Session, reactive, render
from shiny import ui as shiny_ui
from shiny.module import resolve_id

from access.actor import Actor, Permission, process_user
from alerts import AlertRequest, Desk
from alerts.broadcast import Approval
from alerts.phone_numbers import international
from dashboard.alert_status import clock, shape_tag
from dashboard.emergency import said_of
from dashboard.inputs import part
from dashboard.notices import LiveNotices
from people.names import number_of_people

# How long the outcome of a request stays in sight.
OUTCOME_SHOWN_FOR = timedelta(hours=1)
MOST_LISTED = 200


def approvals_ui() -> Tag:
    """Return the place for the requests."""
    return tags.section(
        shiny_ui.output_ui("approvals", aria_live="polite"),
        id=resolve_id("approvals_place"),
        tabindex="-1",
        aria_label="Waiting for a second person",
        data_decide_input=resolve_id("decide"),
    )


async def focus_on_approvals(session: Session) -> None:
    """Move the focus to the requests that wait for a second person."""
    await session.send_custom_message("callboard-focus", {"id": session.ns("approvals_place")})


def approvals_server(
    input: Inputs, desk: Desk, notices: LiveNotices, time_zone: Callable[[], str]
) -> None:
    """Show the requests, and take the answers. For use inside a module's server."""

    @reactive.extended_task
    async def deciding(action: str, approval_id: str) -> None:
        if action == "yes":
            await desk.approve(approval_id)
        else:
            await desk.refuse(approval_id)
        await notices.look()

    @reactive.effect
    @reactive.event(input.decide)
    def decide() -> None:
        action, approval_id = part(input.decide(), "action"), part(input.decide(), "id")
        if action in {"yes", "no"} and deciding.status() != "running":
            deciding.invoke(action, approval_id)

    @render.ui
    def approvals() -> Tag | None:
        zone = time_zone()
        problem = said_of(deciding.error()) if deciding.status() == "error" else ""
        shown = [
            approval_tag(each, desk.actor, zone)
            for each in notices().approvals
            if is_shown(each, desk.actor, datetime.now(UTC))
        ]
        failed = tags.p(problem, class_="feedback bad", role="alert") if problem else None
        return tags.div(*shown, failed, class_="approvals") if shown or failed else None


def has_second_person(desk: Desk) -> bool:
    """Whether another person can say yes: not if everybody counts as the user that runs the app."""
    return desk.actor.name != process_user()


def waits_for(approvals: Sequence[Approval], actor: Actor) -> int:
    """Count the requests that this person may answer."""
    if not actor.may(Permission.SEND):
        return 0
    return sum(each.state == "waiting" and not each.is_of(actor.name) for each in approvals)


def is_shown(approval: Approval, actor: Actor, now: datetime) -> bool:
    """Whether a person sees a request: they may answer it or, if it is over, had a part in it."""
    if approval.state == "waiting":
        return approval.is_of(actor.name) or actor.may(Permission.SEND)
    over_at = approval.decided_at or approval.expires_at
    concerns = approval.is_of(actor.name) or approval.was_decided_by(actor.name)
    return concerns and now - over_at < OUTCOME_SHOWN_FOR


def approval_tag(approval: Approval, actor: Actor, time_zone: str) -> Tag:
    """Return a request as a person sees it, with what they may answer; or what became of it."""
    if approval.state != "waiting":
        return _outcome(approval, actor, time_zone)
    people, verb = number_of_people(len(approval.requests)), _verb(approval)
    until = clock(approval.expires_at, time_zone)
    if approval.is_of(actor.name):
        words = f"You asked to {verb} {people}. Another person has to say yes, until {until}."
        buttons = [_button("Take it back", "no", approval, "low")]
    else:
        words = f"{approval.asked_by} asks to {verb} {people}. It can be answered until {until}."
        them = f"Yes, {verb} them"
        buttons = [_button(them, "yes", approval, "ring"), _button("No", "no", approval)]
    return tags.article(
        tags.p(shape_tag("clock", "wait"), " ", tags.strong(words)),
        tags.blockquote(approval.requests[0].message, class_="said"),
        tags.details(
            tags.summary(f"Look at all {len(approval.requests):,}"),
            tags.ul(*map(_recipient, approval.requests[:MOST_LISTED]), _more(approval)),
        ),
        tags.div(*buttons, class_="approval-actions"),
        class_="cb-card approval",
    )


def _outcome(approval: Approval, actor: Actor, time_zone: str) -> Tag:
    is_own, is_sent = approval.is_of(actor.name), approval.state == "sent"
    asker = "You" if is_own else approval.asked_by
    link = tags.a("See what became of it", href=f"?broadcast={approval.id}") if is_sent else None
    return tags.div(
        shape_tag("tick" if is_sent else "dash", "good" if is_sent else "off"),
        tags.span(
            f"{asker} asked to {_verb(approval)} {len(approval.requests):,} people. "
            f"{_decision(approval, actor, time_zone)} ",
            link,
        ),
        class_="cb-note",
    )


def _decision(approval: Approval, actor: Actor, time_zone: str) -> str:
    """Say who decided what and when; "you" if that is the reader."""
    if approval.decided_at is None:
        return approval.outcome
    at = clock(approval.decided_at, time_zone)
    is_theirs = approval.was_decided_by(actor.name)
    who = "You" if is_theirs else approval.decided_by
    match approval.state:
        case "sent":
            return f"{who} said yes at {at}, and it was sent."
        case "stopped":
            return f"{who} stopped everything at {at}, so nothing was sent."
    if approval.was_decided_by(approval.asked_by):
        return f"{who} took it back at {at}, so nothing was sent."
    return f"{who} said no at {at}, so nothing was sent."


def _verb(approval: Approval) -> str:
    return "call" if approval.requests[0].channel == "call" else "text"


def _button(words: str, action: str, approval: Approval, kind: str = "") -> Tag:
    return tags.button(
        words,
        type="button",
        class_=f"cb-button {kind}".strip(),
        data_decide=action,
        data_id=approval.id,
    )


def _recipient(request: AlertRequest) -> Tag:
    number = international(request.to)
    return tags.li(f"{request.name}, {number}" if request.name else number)


def _more(approval: Approval) -> TagList:
    more = len(approval.requests) - MOST_LISTED
    return TagList(tags.li(f"and {more:,} more") if more > 0 else None)
