"""Moving the keyboard's focus when a button is about to disappear."""

from __future__ import annotations

from shiny import Session


async def focus_on_progress(session: Session) -> None:
    """Move the focus to the progress card: the pressed button is about to go or be disabled.

    On a phone this scrolls the card into view too.
    """
    await session.send_custom_message("callboard-focus", {"id": session.ns("story")})


async def focus_on_approvals(session: Session) -> None:
    """Move the focus to the requests that wait for a second person."""
    await session.send_custom_message("callboard-focus", {"id": session.ns("approvals_place")})
