"""Icons, drawn in a box of 16 by 16. Words stand beside them, so screen readers skip them."""

from __future__ import annotations

from htmltools import HTML

PATHS = {
    "close": '<path d="m4 4 8 8M12 4l-8 8"/>',
    "play": '<path d="M5 3.2v9.6L12.5 8z" fill="currentcolor"/>',
}


def icon(name: str) -> HTML:
    """Return one of PATHS in the color of the text around it."""
    return HTML(f'<svg class="cb-icon" viewBox="0 0 16 16" aria-hidden="true">{PATHS[name]}</svg>')
