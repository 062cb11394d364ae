"""The tiles above the list, which count and filter; the costs; and today's alerts by hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from htmltools import HTML, Tag, tags

from alerts.cost import CURRENCY
from alerts.filters import MOST_COUNTED, Counts, Kind, Spent
from alerts.time_zones import in_time_zone, midnight
from dashboard.activity.address import Address
from dashboard.alert_status import Tone, shape_tag

TILES: dict[Kind, tuple[str, str, Tone]] = {
    Kind.UNDER_WAY: ("Under way", "halo", "ring"),
    Kind.CONFIRMED: ("Confirmed", "check", "good"),
    Kind.REACHED: ("Reached", "dot", "good"),
    Kind.NOT_REACHED: ("Not reached", "cross", "bad"),
    Kind.WAITING: ("Waiting", "clock", "wait"),
    Kind.UNKNOWN: ("Unknown", "question", "wait"),
}
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
# Sizes in the chart, in pixels.
WIDTH, BASE, MOST_HEIGHT, BAR = 296, 43.5, 34, 0.76
USUAL_HOURS = range(6, 18)
# The parts of a bar from the bottom up, with their words in the chart's sentence.
PARTS: tuple[tuple[str, tuple[Kind, ...], str], ...] = (
    ("--cb-reached", (Kind.CONFIRMED, Kind.REACHED), ""),
    ("--cb-control-line", (Kind.UNDER_WAY, Kind.CANCELED), ""),
    ("--cb-waiting", (Kind.WAITING, Kind.UNKNOWN), "{} wait or are unknown"),
    ("--cb-failed", (Kind.NOT_REACHED,), "{} were not reached"),
)


def tiles(address: Address, counts: Counts) -> Tag:
    """Return a button for each kind: it shows how many there are, and only those when pressed."""
    buttons = []
    for kind, (words, shape, tone) in TILES.items():
        name = kind.value.replace(" ", "-")
        is_pressed = address["status"] == name
        count = counts.of.get(kind, 0)
        # Unknown alerts need a decision. Show their tile only if there are any.
        if kind is Kind.UNKNOWN and not count and not is_pressed:
            continue
        buttons.append(
            tags.button(
                shape_tag(shape, tone),
                tags.span(words, class_="word"),
                tags.span(figure(count, is_more=kind in counts.at_least), class_="figure"),
                type="button",
                class_="tile",
                aria_pressed="true" if is_pressed else "false",
                data_go=address.link(status="" if is_pressed else name, open=""),
                data_key=name,
            )
        )
    return tags.div(*buttons, class_="tiles", role="group", aria_label="Show only")


def figure(count: int, *, is_more: bool) -> str:
    """Return a number for people; "10,000+" if there are more than were counted."""
    return f"{min(count, MOST_COUNTED):,}+" if is_more and count else f"{count:,}"


def cost(spent: Spent) -> Tag:
    """Return what this month cost."""
    return tags.div(
        tags.span("Cost this month", class_="word"),
        tags.span(price(spent.price, spent.unit), class_="figure"),
        _unpriced(spent),
        class_="cost",
    )


def price(amount: float, unit: str | None, places: int = 2) -> str:
    """Return an amount of money for people."""
    symbol = SYMBOLS.get(unit or "USD")
    return f"{symbol}{amount:,.{places}f}" if symbol else f"{amount:,.{places}f} {unit}"


def _unpriced(spent: Spent) -> Tag | None:
    """Say how many prices are missing, and what can be estimated of them."""
    parts = []
    if spent.estimated:
        parts.append(f"and about {price(spent.estimated, CURRENCY)}, estimated")
    if spent.unestimated:
        parts.append(f"{spent.unestimated:,} not priced yet")
    return tags.span(", ".join(parts), class_="cb-quiet missing") if parts else None


def hours_of_today(now: datetime, zone: str) -> tuple[datetime, ...]:
    """Return the moments at which today's hours begin, and its end; a day may have 23 or 25."""
    start = midnight(now, zone)
    end = midnight(start + timedelta(hours=36), zone)
    count = round((end.timestamp() - start.timestamp()) / 3600)
    first = start.astimezone(now.tzinfo)
    return tuple(first + timedelta(hours=each) for each in range(count + 1))


def chart(hours: Sequence[datetime], counted: Sequence[Counter[Kind]], zone: str) -> Tag:
    """Return today's alerts by hour, as bars and as a sentence."""
    clock = [in_time_zone(each, zone).hour for each in hours[:-1]]
    used = [place for place, hour in enumerate(counted) if hour.total()]
    usual = [place for place, hour in enumerate(clock) if hour in USUAL_HOURS]
    shown = range(min(usual[:1] + used), max(usual[-1:] + used) + 1)
    most = max((hour.total() for hour in counted), default=0)
    step = WIDTH / len(shown)
    drawn = [
        f'<line x1="0" x2="{WIDTH}" y1="{BASE}" y2="{BASE}" stroke="var(--cb-line)"/>',
    ]
    peak = next((place for place in used if counted[place].total() == most), None)
    for number, place in enumerate(shown):
        left = number * step + step * (1 - BAR) / 2
        drawn += _bar(counted[place], left, step * BAR, most)
        if place == peak:
            drawn.append(_peak(most, left, step * BAR))
    labels = [shown[0], *(place for place in shown if clock[place] % 3 == 0)]
    for place in dict.fromkeys(labels):
        at = (place - shown[0]) * step + step / 2
        drawn.append(f'<text x="{at:.1f}" y="56" text-anchor="middle">{clock[place]:02}</text>')
    return tags.figure(
        tags.figcaption("Today by hour", class_="word"),
        HTML(
            f'<svg role="img" aria-label="{sentence(clock, counted)}" width="{WIDTH}" height="58"'
            f' viewBox="0 0 {WIDTH} 58" font-size="12" fill="var(--cb-quiet)">'
            f"{''.join(drawn)}</svg>"
        ),
        class_="hours",
    )


def sentence(clock: Sequence[int], counted: Sequence[Counter[Kind]]) -> str:
    """Say the chart's numbers in a sentence."""
    told = [
        f"{hour.total():,} at {clock[place]}" for place, hour in enumerate(counted) if hour.total()
    ]
    if not told:
        return "No alerts today yet."
    every = sum(counted, Counter[Kind]())
    more = [
        words.format(f"{count:,}")
        for _, kinds, words in PARTS
        if words and (count := sum(every[kind] for kind in kinds))
    ]
    return "; ".join([f"Alerts of today by hour: {', '.join(told)}", *more]) + "."


def _bar(hour: Counter[Kind], left: float, width: float, most: int) -> list[str]:
    drawn, bottom = [], BASE - 1.2
    for color, kinds, _ in PARTS:
        if count := sum(hour[kind] for kind in kinds):
            height = max(1.9, count / most * MOST_HEIGHT)
            bottom -= height
            drawn.append(
                f'<rect x="{left:.1f}" y="{bottom:.1f}" width="{width:.1f}" height="{height:.1f}"'
                f' rx="1" fill="var({color})"/>'
            )
            bottom -= 0.9
    return drawn


def _peak(most: int, left: float, width: float) -> str:
    is_right = left > WIDTH * 0.75
    at = left - 4 if is_right else left + width + 4
    anchor = "end" if is_right else "start"
    return (
        f'<text x="{at:.1f}" y="15" text-anchor="{anchor}" fill="var(--cb-ink)"'
        f' font-weight="600">{most:,}</text>'
    )
