"""The Rules page: which rules there are, how each is, and the editor in which one is written."""

from dashboard.rules.page import server, tab_title, ui
from dashboard.rules.ringing import AlertsOfRules

__all__ = ["AlertsOfRules", "server", "tab_title", "ui"]
