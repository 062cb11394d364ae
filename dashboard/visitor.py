"""Who is at a page: the actor whom the check of sign-ins has found."""

from __future__ import annotations

from typing import Any, cast

from shiny.session import Session
from starlette.requests import HTTPConnection

from access import EVERYTHING, Actor
from dashboard.hosting import connect_user

# The gate puts the `Actor` of each request and session there.
ACTOR_KEY = "callboard.actor"


def actor_of(session: Session) -> Actor:
    """Return the actor of a session, in whose name its desk acts."""
    return actor_in(cast("Any", session.root_scope()).http_conn)


def actor_in(connection: HTTPConnection) -> Actor:
    """Return who sent a request or opened a WebSocket, and what they may do.

    In an app without a sign-in that is the visitor whom Posit Connect vouches for, else the user
    that runs it.
    """
    actor = connection.scope.get(ACTOR_KEY)
    if isinstance(actor, Actor):
        return actor
    visitor = connect_user(connection.headers)
    return Actor(visitor.name, EVERYTHING) if visitor else Actor.at_page()
