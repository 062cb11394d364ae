"""The People page: who can be called by name, in which groups, and how the last alert went."""

from dashboard.people.page import server, ui

__all__ = ["server", "ui"]
