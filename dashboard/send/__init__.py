"""The Send page: `send.ui("send")` and `send.server("send", desk)`."""

from dashboard.send.page import server, ui

__all__ = ["server", "ui"]
