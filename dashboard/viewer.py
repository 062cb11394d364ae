"""Who is looking at the page."""

from __future__ import annotations

import getpass
import os

from shiny.session import Session


def viewer_name(session: Session) -> str:
    """What `{{ user }}` says.

    Only Posit Connect vouches for `session.user`: elsewhere it comes from a header that any visitor
    can send, so there it is whoever runs this app.
    """
    on_connect = "CONNECT" in (os.environ.get("POSIT_PRODUCT"), os.environ.get("RSTUDIO_PRODUCT"))
    return (session.user if on_connect else None) or _login_name()


def _login_name() -> str:
    """Who runs this, as far as the machine knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in this container
        return "callboard"
