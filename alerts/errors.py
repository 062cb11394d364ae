"""The error for requests that can't be sent. It is apart so that all of alerts/ can import it."""

from __future__ import annotations


class UnusableInput(ValueError):
    """A number, message or choice that can't be used; nothing was sent.

    `field` is the id of the input on the Send page, `str()` one sentence for people.
    """

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
