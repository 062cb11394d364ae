"""The Activity page: everything that was sent, found again by time, person, words and outcome."""

from dashboard.activity.export import export_routes
from dashboard.activity.page import server, ui

__all__ = ["export_routes", "server", "ui"]
