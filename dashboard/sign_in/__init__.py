"""Who may use the pages: the sign-in page, and the check of every request and session."""

from dashboard.sign_in.access import Access

__all__ = ["Access"]
