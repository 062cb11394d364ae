"""The lines of the checks as people see them: fine ones quiet, others with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from htmltools import Tag, TagList, tags

from dashboard.alert_status import Glance, clock, glance_tag
from dashboard.page_parts import icon, looking
from dashboard.setup.checking import Report
from doctor import Check, Fix, Group, Line, Verdict
from doctor.check import Lines

GLANCES: dict[Verdict, Glance] = {
    "fine": Glance("check", "good", "Fine"),
    "to do": Glance("mark", "wait", "To do"),
    "broken": Glance("cross", "bad", "Broken"),
    "unknown": Glance("question", "off", "Not known"),
}
DONE = Glance("check", "good", "Done")
CHECKING = Glance("clock", "off", "Checking")
BEING_CHECKED = "Checking…"
# With more fixes than this, all but the first are in a disclosure.
MOST_IN_SIGHT = 2


def summary(report: Report) -> Glance:
    """Say how much there is to do and how much is in place."""
    if not report.checks:
        return Glance("clock", "off", BEING_CHECKED if report.done_at is None else "Not checked")
    to_do = sum(each.verdict in {"to do", "broken"} for each in report.lines)
    fine = sum(each.verdict == "fine" for each in report.lines)
    unknown = sum(each.verdict == "unknown" for each in report.lines)
    if report.is_running:
        left = sum(lines is None for _, lines in report.checks)
        return Glance("clock", "off", f"{left} still to check" if left else "Checking again…")
    if to_do:
        return Glance("mark", "wait", f"{to_do} to do, {fine} in place")
    if unknown:
        return Glance("question", "off", f"{fine} in place, {unknown} not known")
    return Glance("check", "good", f"All {fine} in place")


def all_lines(report: Report, time_zone: str) -> Tag:
    """Return every group with its lines; the first says when they were checked."""
    checked = f"checked {clock(report.done_at, time_zone)}" if report.done_at else ""
    if not report.checks:
        if not checked:
            return looking(BEING_CHECKED)
        words = "The checks failed. Callboard's log says why."
        return tags.div(tags.p(words, class_="cb-quiet setup-nothing"))
    areas: list[Tag] = []
    for group, checks in groupby(report.checks, key=lambda pair: pair[0].group):
        rows = [row for check, lines in checks for row in _rows(check, lines)]
        if rows:
            areas.append(_area(group, rows, "" if areas else checked))
    return tags.div(*areas)


def _area(group: Group, rows: Sequence[Tag], checked: str) -> Tag:
    return tags.div(
        tags.h2(str(group), tags.span(checked) if checked else None),
        tags.ul(*rows),
        class_="setup-area",
        data_key=group.name,
    )


def _rows(check: Check, lines: Lines | None) -> list[Tag]:
    if lines is None:
        return [_row(f"{check.name}-0", CHECKING, Line("fine", check.title))]
    is_step = check.group is Group.FIRST_STEPS
    return [
        _row(
            f"{check.name}-{place}",
            DONE if is_step and line.verdict == "fine" else GLANCES[line.verdict],
            line,
        )
        for place, line in enumerate(lines)
    ]


def _row(key: str, shown: Glance, line: Line) -> Tag:
    return tags.li(
        glance_tag(shown),
        tags.div(
            tags.p(line.words),
            tags.p(line.seen, class_="cb-quiet cb-small") if line.seen else None,
            _fixes(line.fixes),
            class_="setup-said",
        ),
        class_="setup-line fine" if line.verdict == "fine" else "setup-line",
        data_key=key,
    )


def _fixes(fixes: Sequence[Fix]) -> TagList:
    if len(fixes) <= MOST_IN_SIGHT:
        return TagList(*map(_fix, fixes))
    first, *others = fixes
    return TagList(
        _fix(first),
        tags.details(tags.summary(f"{len(others)} other ways"), *map(_fix, others)),
    )


def _fix(fix: Fix) -> Tag:
    first = fix.text.partition("\n")[0]
    is_address = fix.text.startswith("https://") and first == fix.text
    link = tags.a(fix.text, href=fix.text, target="_blank", rel="noreferrer")
    return tags.div(
        tags.p(f"{fix.title}:", class_="cb-quiet cb-small") if fix.title else None,
        tags.div(
            tags.code(link if is_address else fix.text),
            tags.button(
                icon("copy"),
                type="button",
                class_="cb-icon-button",
                data_copy=fix.text,
                aria_label=f"Copy: {first}",
            ),
            class_="setup-code",
        ),
        class_="setup-fix",
    )
