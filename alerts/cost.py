"""What a call or text costs: an estimate until Twilio tells the price, and asking until it does.

The guesses are from the prices of https://www.twilio.com/en-us/voice/pricing/us and
https://www.twilio.com/en-us/sms/pricing/us (and …/ca) in 2025, before carriers' fees, discounts and
taxes.

Twilio knows a price only after the end, and may take minutes or longer. So its lists are read now
and then, less and less often, and never after two days.
https://www.twilio.com/docs/voice/api/call-resource#call-properties
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, get_args

import phonenumbers

from alerts.alert import Channel
from database import NewerDatabase
from twilio_client import Call, Message, TwilioClient, TwilioError

if TYPE_CHECKING:
    from alerts.history import History
    from alerts.services import Services

log = logging.getLogger(__name__)

CURRENCY = "USD"
# How often to look whether it is time to ask Twilio for prices, and how often to ask.
SECONDS_BETWEEN_CHECKS = 10.0
FIRST_INTERVAL = timedelta(seconds=60)
LONGEST_INTERVAL = timedelta(hours=1)
# An interval is this part of the time since the newest call or text without a price.
PART_OF_AGE = 0.5
GIVE_UP_AFTER = timedelta(days=2)
PAGE_ROWS = 1000
MOST_ROWS_READ = 5000
# Twilio's clock and ours differ a little, and its list needn't be exactly in order.
LIST_TIME_MARGIN = timedelta(minutes=2)

# Unanswered calls cost nothing, and never get a price.
FREE_ENDS = ("busy", "no-answer", "failed", "canceled")


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

# Two minutes of a call and two segments of a text, at the list prices above with carriers' fees.
GUESSES = {"US": Guess(0.03, 0.03), "CA": Guess(0.03, 0.03)}
# Anywhere else: more than all but a few countries' mobile networks cost.
CAUTIOUS = Guess(1.00, 0.25)
# For calls and texts without a price that an earlier version sent without an estimate.
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
        """Learn the account's own prices: channel, number, price and currency, newest first."""
        known: defaultdict[tuple[Channel, str], list[float]] = defaultdict(list)
        units: list[str] = []
        for channel, to, price, unit in prices:
            known[channel, _region(to)].append(price)
            units.append(unit)
        self.currency = units[0] if units and units[0] else CURRENCY
        # The upper quartile: a few very long calls mustn't make all estimates expensive.
        self._own = {
            each: sorted(some)[3 * len(some) // 4]
            for each, some in known.items()
            if len(some) >= FEWEST_PRICES
        }

    def careful(self, channel: Channel, to: str) -> float:
        """Return a cautious estimate of what a call or text to a number (E.164) costs."""
        region = _region(to)
        guess = guess_of(region)
        return self._own.get((channel, region), guess.call if channel == "call" else guess.text)


def guess_of(region: str) -> Guess:
    """Return the guess for a region (ISO 3166-1 alpha-2), used until it has prices of its own."""
    return GUESSES.get(region, CAUTIOUS)


def estimate(channel: Channel, to: str, *, seconds: float = 0, segments: int = 1) -> float | None:
    """Estimate in US dollars what a call or text to a number (E.164) costs.

    A call lasts `seconds` after it was answered, and every minute that has begun is billed; an
    unanswered one (0) costs nothing. None if the price there isn't known. Show it as an estimate.
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


@dataclass(frozen=True, slots=True)
class Price:
    """What was charged, as a positive number, in a currency such as "USD"."""

    amount: float
    unit: str


class Prices:
    """The prices of one account's calls and texts, in the submissions of its history."""

    def __init__(self, services: Services, history: History) -> None:
        self._twilio = services.twilio
        self._history = history
        self._next_look: dict[Channel, datetime] = {}

    async def run(self) -> None:
        """Ask for prices again and again, until the task is canceled."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_CHECKS)
            try:
                await self.look()
            except TwilioError as problem:
                # Prices are nice to have; more important requests report that Twilio can't be
                # reached.
                log.debug("Prices couldn't be read: %s", problem)
            except NewerDatabase:
                return
            except Exception:
                log.exception("Reading prices failed; trying again in a moment")

    async def look(self) -> None:
        """Read the lists that are due, and save the prices. Raises `TwilioError`."""
        after = datetime.now(UTC) - GIVE_UP_AFTER
        unpriced = await self._history.unpriced(after, MOST_ROWS_READ)
        for channel in get_args(Channel):
            wanted = {sid: at for sid, (of, at) in unpriced.items() if of == channel}
            if wanted and self._is_time(channel, sorted(wanted.values())):
                await self._read(channel, wanted)

    def _is_time(self, channel: Channel, requested_at: Sequence[datetime]) -> bool:
        now, oldest, newest = datetime.now(UTC), requested_at[0], requested_at[-1]
        if now - oldest < FIRST_INTERVAL or now < self._next_look.get(channel, now):
            return False
        interval = max(FIRST_INTERVAL, (now - newest) * PART_OF_AGE)
        self._next_look[channel] = now + min(interval, LONGEST_INTERVAL)
        return True

    async def _read(self, channel: Channel, wanted: Mapping[str, datetime]) -> None:
        oldest = min(wanted.values()) - LIST_TIME_MARGIN
        found: dict[str, Price] = {}
        missing = set(wanted)
        async for row in _newest(self._twilio, channel, missing):
            if row.sid in missing:
                missing.discard(row.sid)
                if price := _price_of(row):
                    found[row.sid] = price
            # The submissions' times are by Twilio's clock too.
            if not missing or (row.date_created and row.date_created < oldest):
                break
        if found:
            await self._history.set_prices(found)


def _price_of(row: Call | Message) -> Price | None:
    unit = row.price_unit or "USD"
    if row.price is not None and row.price.is_finite():
        return Price(abs(float(row.price)), unit)
    return Price(0.0, unit) if isinstance(row, Call) and row.status in FREE_ENDS else None


def _newest(
    twilio: TwilioClient, channel: Channel, wanted: Collection[str]
) -> AsyncIterator[Call] | AsyncIterator[Message]:
    # The list may have calls and texts of other programs between ours, so ask for more rows.
    page_size = min(PAGE_ROWS, max(50, 4 * len(wanted)))
    if channel == "call":
        return twilio.list_calls(page_size=page_size, limit=MOST_ROWS_READ)
    return twilio.list_messages(page_size=page_size, limit=MOST_ROWS_READ)
