"""Who looks at a page, and what they may do there."""

from __future__ import annotations

from typing import Any, cast

from shiny.session import Session
from starlette.requests import HTTPConnection

from access.actor import EVERYTHING, Actor, process_user
from dashboard.hosting import connect_user

ACTOR = "callboard.actor"


def actor_of(session: Session) -> Actor:
    """Return the visitor of a page, in whose name its desk acts."""
    return actor_in(cast("Any", session.root_scope()).http_conn)


def actor_in(connection: HTTPConnection) -> Actor:
    """Return who has sent a request or opened a WebSocket.

    That is whom the sign-in has put into its ASGI scope. Without a sign-in the visitor may do
    everything, under the name of the account that runs this app if nobody vouches for another.
    """
    actor = connection.scope.get(ACTOR)
    if isinstance(actor, Actor):
        return actor
    return Actor(connect_user(connection.headers) or process_user(), EVERYTHING)
