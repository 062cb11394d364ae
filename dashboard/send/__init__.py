"""The Send page: `send.ui("send")` and `send.server("send", desk)`.

`send.fill_in("send", message=…)` writes into its form from the app around it.
"""

from dashboard.send.form import SAMPLE_MESSAGE
from dashboard.send.page import fill_in, server, tab_title, ui

__all__ = ["SAMPLE_MESSAGE", "fill_in", "server", "tab_title", "ui"]
