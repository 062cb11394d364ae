"""The mistakes of whoever asks for an alert."""

from __future__ import annotations


class UnusableInput(ValueError):
    """A number, message or choice that cannot be used; nothing was sent.

    `field` is the input it belongs to (the page's own id for it), `str()` one sentence for people.
    """

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
