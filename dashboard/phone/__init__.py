"""The simulator's handset: `phone.ui("phone")` and `phone.server("phone", simulator, alerts)`."""

from dashboard.phone.handset import server, ui

__all__ = ["server", "ui"]
