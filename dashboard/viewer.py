"""Who is looking at the page."""

from __future__ import annotations

import os

from shiny.session import Session

from alerts.services import login_name


def viewer_name(session: Session) -> str:
    """What `{{ user }}` says.

    Only Posit Connect vouches for `session.user`: elsewhere it comes from a header that any visitor
    can send, so there it is whoever runs this app.
    """
    on_connect = "CONNECT" in (os.environ.get("POSIT_PRODUCT"), os.environ.get("RSTUDIO_PRODUCT"))
    return (session.user if on_connect else None) or login_name()
