"""What a call or text costs, for as long as Twilio hasn't said it.

The prices are those of https://www.twilio.com/en-us/voice/pricing/us and
https://www.twilio.com/en-us/sms/pricing/us (and …/ca) in 2025, before carriers' fees, discounts and
taxes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
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


@dataclass(frozen=True, slots=True)
class Guess:
    """What a whole call or text is taken to cost before the account has prices of its own."""

    call: float
    text: float


LIST_PRICES = {"US": ListPrice(0.014, 0.0083), "CA": ListPrice(0.014, 0.0083)}

# Two minutes of a call, two segments of a text, by the list prices above with carriers' fees.
GUESSES = {"US": Guess(0.03, 0.03), "CA": Guess(0.03, 0.03)}
# Anywhere else: more than all but a few countries' mobile networks cost.
CAUTIOUS = Guess(1.00, 0.25)
# What an earlier version sent without an estimate, and what has no price yet.
UNESTIMATED = 0.10
FEWEST_PRICES = 3


class Costs:
    """What calls and texts of an account will cost: by its own prices, else a careful guess.

    `currency` is the account's, once a price is known.
    """

    def __init__(self) -> None:
        self.currency = CURRENCY
        self._own: dict[tuple[Channel, str], float] = {}

    def learn(self, prices: Iterable[tuple[Channel, str, float, str]]) -> None:
        """Take the account's own prices: channel, number, price and currency, newest first."""
        known: defaultdict[tuple[Channel, str], list[float]] = defaultdict(list)
        units: list[str] = []
        for channel, to, price, unit in prices:
            known[channel, _region(to)].append(price)
            units.append(unit)
        self.currency = units[0] if units and units[0] else CURRENCY
        # Three of four cost no more than this: a few long calls don't make all of them dear.
        self._own = {
            each: sorted(some)[3 * len(some) // 4]
            for each, some in known.items()
            if len(some) >= FEWEST_PRICES
        }

    def careful(self, channel: Channel, to: str) -> float:
        """Return what a call or text to a number (E.164) is taken to cost, rather too much."""
        region = _region(to)
        guess = guess_of(region)
        return self._own.get((channel, region), guess.call if channel == "call" else guess.text)


def guess_of(region: str) -> Guess:
    """Return what a call or text counts as in a region (ISO 3166-1 alpha-2) before prices."""
    return GUESSES.get(region, CAUTIOUS)


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
