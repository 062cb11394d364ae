"""The Setup page: what is in place, what isn't, the exact fix, and a call to one's own phone."""

from dashboard.setup.checking import Checking
from dashboard.setup.page import server, ui

__all__ = ["Checking", "server", "ui"]
