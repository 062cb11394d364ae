"""Who is at a page: the actor that the check of sign-ins has found."""

from __future__ import annotations

from typing import Any, cast

from shiny.session import Session
from starlette.requests import HTTPConnection

from access import EVERYTHING, Actor
from dashboard.hosting import connect_user

# The gate puts the `Actor` of each request and session there.
ACTOR_KEY = "callboard.actor"


def actor_of(session: Session) -> Actor:
    """Return who a session is of, in whose name its desk acts."""
    return actor_in(cast("Any", session.root_scope()).http_conn)


def actor_in(connection: HTTPConnection) -> Actor:
    """Return who sent a request or opened a WebSocket, and what they may do.

    An app that has no sign-in is used by whom Posit Connect vouches for, else by the user that
    runs it.
    """
    actor = connection.scope.get(ACTOR_KEY)
    if isinstance(actor, Actor):
        return actor
    visitor = connect_user(connection.headers)
    return Actor(visitor.name, EVERYTHING) if visitor else Actor.at_page()
