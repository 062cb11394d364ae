"""The two charts of rules, as SVG: 14 days beside a rule, and 30 days in the editor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from htmltools import HTML, Tag, tags

# Sizes in the small chart, in pixels: the width of a day and of its bar, and the highest bar.
DAY_WIDTH, BAR_WIDTH, HEIGHT, HIGHEST = 6.715, 4.7, 26, 24
# Sizes in the large one, whose bars are stretched to the card's width.
MONTH_DAY, MONTH_BAR, MONTH_HEIGHT, MONTH_HIGHEST = 10, 6, 48, 39


def sparkline(counts: Sequence[int]) -> HTML:
    """Return one bar a day, today's last."""
    most = max([*counts, 1])
    bars = []
    for place, count in enumerate(counts):
        height = max(4.0, HIGHEST * count / most) if count else 1.5
        is_today = place == len(counts) - 1
        color = ("--cb-ink" if is_today else "--cb-control-line") if count else "--cb-line"
        bars.append(
            f'<rect x="{place * DAY_WIDTH:.1f}" y="{HEIGHT - height:.1f}" width="{BAR_WIDTH}" '
            f'height="{height:.1f}" rx="1" fill="var({color})"/>'
        )
    width = round(len(counts) * DAY_WIDTH - (DAY_WIDTH - BAR_WIDTH))
    total = sum(counts)
    words = f"{total:,} alert{'s' * (total != 1)} in {len(counts)} days"
    return HTML(
        f'<svg class="sparkline" role="img" aria-label="{words}" width="{width}" height="{HEIGHT}" '
        f'viewBox="0 0 {width} {HEIGHT}">{"".join(bars)}</svg>'
    )


def month(days: Sequence[tuple[date, int]]) -> Tag:
    """Return one bar a day, its highest labeled, over a line with the first and the last day."""
    counts = [count for _, count in days]
    most = max([*counts, 1])
    bars = []
    for place, count in enumerate(counts):
        if count:
            height = max(4.0, MONTH_HIGHEST * count / most)
            bars.append(
                f'<rect x="{place * MONTH_DAY + 2}" y="{MONTH_HEIGHT - height:.1f}" '
                f'width="{MONTH_BAR}" height="{height:.1f}" fill="var(--cb-control-line)"/>'
            )
    peak = counts.index(most) if most in counts else None
    svg = HTML(
        f'<svg role="img" aria-label="{month_in_words(days)}" preserveAspectRatio="none" '
        f'viewBox="0 0 {len(days) * MONTH_DAY} {MONTH_HEIGHT}">{"".join(bars)}</svg>'
    )
    first = days[0][0]
    label = None
    if peak is not None:
        left = 100 * (peak * MONTH_DAY + 2 + MONTH_BAR / 2) / (len(days) * MONTH_DAY)
        label = tags.span(f"{most:,}", class_="top", style=f"left:{left:.1f}%", aria_hidden="true")
    between = days[len(days) // 2][0] if len(days) > 2 else None
    return tags.div(
        label,
        svg,
        tags.div(
            tags.span(day_words(first)),
            tags.span(day_words(between)) if between else None,
            tags.span("today"),
            class_="axis",
            aria_hidden="true",
        ),
        class_="month-chart",
    )


def month_in_words(days: Sequence[tuple[date, int]]) -> str:
    """Say what the chart shows: "14 alerts on 10 of 30 days, at most 3, on 10 November"."""
    total = sum(count for _, count in days)
    if not total:
        return f"No alert in {len(days)} days"
    busy = sum(1 for _, count in days if count)
    most = max(count for _, count in days)
    day = next(day for day, count in days if count == most)
    alerts = f"{total:,} alert{'s' * (total != 1)} on {busy} of {len(days)} days"
    return f"{alerts}, at most {most:,}, on {day.day} {day:%B}"


def day_words(day: date) -> str:
    """Return a day as "27 Oct"."""
    return f"{day.day} {day:%b}"
