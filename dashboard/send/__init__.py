"""The Send page: `send.ui("send")` and `send.server("send", desk)`."""

from dashboard.send.form import SAMPLE_MESSAGE
from dashboard.send.page import server, ui

__all__ = ["SAMPLE_MESSAGE", "server", "ui"]
