"""Whether Posit Connect runs this process, which then says who somebody is."""

from __future__ import annotations

import os


def on_connect() -> bool:
    """Return whether Posit Connect runs this process.

    https://docs.posit.co/connect/user/environment-variables/
    """
    return "CONNECT" in (os.environ.get("POSIT_PRODUCT"), os.environ.get("RSTUDIO_PRODUCT"))
