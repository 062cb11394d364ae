"""The words by which programs and people find an alert again: its id, who sent it, who gets it."""

from __future__ import annotations

import unicodedata

from alerts.alert import AlertRequest
from alerts.errors import UnusableInput

LONGEST = 200
# What no database keeps, or no address carries.
REFUSED = {"Cc": "a control character", "Cs": "half a character"}


def check_labels(request: AlertRequest) -> None:
    """Raise `UnusableInput` for a label that can't be written down."""
    if request.id is not None:
        if not request.id:
            raise UnusableInput("id", "The id is empty. Leave it out, or name the alert.")
        _check("id", "The id", request.id)
    _check("user", "The sender's name", request.user)
    _check("name", "The recipient's name", request.name)


def _check(field: str, what: str, label: str) -> None:
    if len(label) > LONGEST:
        raise UnusableInput(
            field, f"{what} holds {LONGEST} characters; this one has {len(label):,}."
        )
    for character in label:
        refused = REFUSED.get(unicodedata.category(character))
        if refused:
            raise UnusableInput(field, f"{what} holds {refused}: take it out.")
