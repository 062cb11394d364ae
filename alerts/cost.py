"""What a call or text costs by Twilio's list prices, for as long as Twilio hasn't said it.

The prices are those of https://www.twilio.com/en-us/voice/pricing/us and
https://www.twilio.com/en-us/sms/pricing/us (and …/ca) in 2025, before carriers' fees, discounts and
taxes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

from alerts.alert import Channel

CURRENCY = "USD"


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What Twilio lists for a country, in US dollars: a minute of a call, a segment of a text."""

    minute: float
    segment: float


LIST_PRICES = {"US": ListPrice(0.014, 0.0083), "CA": ListPrice(0.014, 0.0083)}


def estimate(channel: Channel, to: str, *, seconds: float = 0, segments: int = 1) -> float | None:
    """Estimate in US dollars what a call or text to a number (E.164) costs.

    A call lasts `seconds` after it was answered, and every minute that has begun is billed; 0 for
    one that nobody answered, which costs nothing. None if the price there isn't known. Show it as
    an estimate.
    """
    price = LIST_PRICES.get(_region(to))
    if price is None:
        return None
    if channel == "call":
        return price.minute * math.ceil(seconds / 60)
    return price.segment * segments


# The Send page estimates the same recipients again at each change of the message.
@lru_cache(maxsize=1000)
def _region(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.region_code_for_number(parsed) or ""
