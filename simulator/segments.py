"""How many SMS segments a text takes.

https://www.twilio.com/docs/glossary/what-sms-character-limit
"""

from __future__ import annotations

# The GSM 03.38 alphabet; what is in the extension table takes two places.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")


def count_segments(body: str) -> int:
    """Segments that `body` is sent in: 160 characters each, or 70 outside the GSM alphabet."""
    if all(character in _BASIC or character in _EXTENSION for character in body):
        places = sum(2 if character in _EXTENSION else 1 for character in body)
        return _divide(places, alone=160, joined=153)
    return _divide(len(body.encode("utf-16-le", "surrogatepass")) // 2, alone=70, joined=67)


def _divide(places: int, *, alone: int, joined: int) -> int:
    if places <= alone:
        return 1
    return -(-places // joined)
