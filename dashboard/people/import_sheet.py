"""The import sheet: the file, where its columns go, which rows need a look, and the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from htmltools import Tag, TagChild, TagList, tags

from alerts.message.languages import LANGUAGE_NAMES
from alerts.phone_numbers import country_name, international
from dashboard.alert_status import shape_tag
from dashboard.page_parts import button, icon
from people.checking import NUMBER_FIELDS
from people.columns import TARGETS
from people.contact import Contact
from people.importing import Choices, Plan, RowProblem
from people.names import number_of_people
from people.sheet import Sheet

MOST_PROBLEMS_SHOWN = 50
MOST_PEOPLE_SHOWN = 4
FIELD_NAMES = {"name": "Name", "language": "Language", "time_zone": "Time zone", "notes": "Notes"}


@dataclass(frozen=True, slots=True)
class Import:
    """A file that is being looked at; `problem` says why there is no plan."""

    file: str
    sheet: Sheet
    choices: Choices
    plan: Plan | None = None
    problem: str = ""


def file_problem(file: str, sentence: str) -> TagList:
    """Say why a file can't be read."""
    return TagList(
        _file(file, ""),
        tags.p(shape_tag("cross", "bad"), sentence, class_="cb-note bad", role="alert"),
    )


def reading(file: str) -> TagList:
    """Say that a file is being read."""
    return TagList(_file(file, ""), tags.p("Reading…", class_="cb-quiet"))


def body(work: Import, allowed: Sequence[str]) -> TagList:
    """Return everything between the heading and the actions."""
    rows = len(work.sheet.rows)
    parts: list[TagChild] = [
        _file(work.file, f"{rows:,} row{'s' * (rows != 1)}"),
        tags.h3("What goes where"),
        _mapping(work),
        _region(work, allowed),
    ]
    if work.problem:
        parts.append(
            tags.p(shape_tag("cross", "bad"), work.problem, class_="cb-note bad", role="alert")
        )
    if work.plan is not None:
        parts += [_looks(work.plan), _notes(work.plan), _preview(work.plan)]
    return TagList(*parts)


def actions(work: Import) -> TagList:
    """Return the button that imports, what it will do, and which rows wait."""
    plan = work.plan
    if plan is None:
        return TagList()
    added, changed, waiting = len(plan.added), len(plan.changed), len(plan.problems)
    doing = [f"Add {number_of_people(added)}"] if added or not changed else []
    if changed:
        doing.append(f"update {changed:,}" if doing else f"Update {number_of_people(changed)}")
    them = "The other one waits" if waiting == 1 else f"The other {waiting:,} wait"
    nothing = not (added or changed)
    return TagList(
        button(
            "Nothing to add" if nothing else " and ".join(doing),
            "import",
            "ink",
            **({"disabled": ""} if nothing else {}),
        ),
        tags.span(f"{them} here until you decide.", class_="cb-quiet cb-small")
        if waiting
        else None,
    )


def outcome(plan: Plan) -> str:
    """Say what an import did, in a sentence for the page."""
    parts = [f"{number_of_people(len(plan.added))} added"]
    if plan.changed:
        parts.append(f"{len(plan.changed):,} updated")
    if plan.unchanged:
        parts.append(f"{plan.unchanged:,} already there")
    left_out = plan.left_out + plan.without_number
    if left_out:
        parts.append(f"{left_out:,} left out")
    return f"{', '.join(parts)}."


def _file(name: str, rows: str) -> Tag:
    return tags.div(
        icon("file"),
        tags.span(name, class_="cb-strong cb-cut"),
        tags.span(rows, class_="cb-quiet"),
        button("Other file", "other_file", "low bare"),
        class_="import-file",
    )


def _mapping(work: Import) -> Tag:
    lines = []
    for at, (column, target) in enumerate(
        zip(work.sheet.columns, work.choices.mapping, strict=True)
    ):
        example = next((row.cells[at] for row in work.sheet.rows[:20] if row.cells[at]), "")
        options = [
            tags.option(words, value=key, selected="" if key == target else None)
            for key, words in TARGETS.items()
        ]
        lines.append(
            tags.li(
                tags.span(
                    tags.span(column, class_="cb-mono cb-cut"),
                    tags.span(example[:60], class_="cb-quiet cb-small cb-cut example"),
                    class_="from",
                ),
                icon("right"),
                tags.select(
                    *options,
                    id=f"import-map-{at}",
                    class_="ghost" if target else "ghost cb-quiet",
                    aria_label=f"{column} goes to",
                    data_change="map",
                    data_id=str(at),
                ),
            )
        )
    return tags.ul(*lines, class_="import-map")


def _region(work: Import, allowed: Sequence[str]) -> Tag | None:
    if len(allowed) < 2:
        return None
    options = [
        tags.option(
            country_name(each), value=each, selected="" if each == work.choices.region else None
        )
        for each in allowed
    ]
    return tags.div(
        tags.label("Numbers without a country code are of", for_="import-region"),
        tags.select(*options, id="import-region", class_="ghost", data_change="region"),
        class_="cb-quiet cb-small import-region",
    )


def _looks(plan: Plan) -> TagList | None:
    if not plan.problems:
        return None
    count = len(plan.problems)
    heading = "1 row needs a look" if count == 1 else f"{count:,} rows need a look"
    more = count - MOST_PROBLEMS_SHOWN
    return TagList(
        tags.h3(heading),
        tags.ul(*map(_problem, plan.problems[:MOST_PROBLEMS_SHOWN]), class_="import-looks"),
        tags.p(
            f"{more:,} more follow. Rows that stay wrong are left out.", class_="cb-quiet cb-small"
        )
        if more > 0
        else None,
    )


def _problem(problem: RowProblem) -> Tag:
    name = problem.name or "No name"
    line = f"import-why-{problem.row}"
    what = "Number" if problem.field in NUMBER_FIELDS else FIELD_NAMES.get(problem.field, "Groups")
    leave_out = button(
        "Leave out", "leave_out", "low", data_id=str(problem.row), aria_label=f"Leave out {name}"
    )
    merge = button(
        "Merge", "merge", "low", data_id=str(problem.row), aria_label=f"Merge with {problem.owner}"
    )
    control = tags.input(
        type="text",
        value=problem.value,
        id=f"import-fix-{problem.row}",
        class_="form-control cb-number",
        aria_label=f"{what} of {name}, row {problem.row}",
        aria_describedby=line,
        aria_invalid="false" if problem.owner else "true",
        data_change="fix",
        data_id=f"{problem.row}:{problem.field}",
    )
    tone, shape = ("wait", "mark") if problem.owner else ("bad", "cross")
    return tags.li(
        tags.span(f"row {problem.row}", class_="cb-quiet cb-small cb-number row-number"),
        tags.span(
            tags.span(name, class_="cb-strong"),
            tags.span(
                tags.span(shape_tag(shape), problem.sentence, class_=f"cb-status {tone}"), id=line
            ),
            class_="who",
        ),
        control,
        tags.span(merge if problem.owner else None, leave_out, class_="decide"),
    )


def _notes(plan: Plan) -> Tag | None:
    said = []
    if plan.unchanged:
        said.append(f"{number_of_people(plan.unchanged)} already there, as in the file.")
    if plan.without_number:
        said.append(f"{number_of_people(plan.without_number)} without a number left out.")
    if plan.left_out:
        said.append(f"{number_of_people(plan.left_out)} left out by you.")
    if plan.more_numbers:
        said.append(
            f"{number_of_people(plan.more_numbers)} with more than three numbers: three are kept."
        )
    return tags.p(" ".join(said), class_="cb-quiet cb-small") if said else None


def _preview(plan: Plan) -> TagList | None:
    people = [*plan.added, *plan.changed]
    if not people:
        return None
    shown = people[:MOST_PEOPLE_SHOWN]
    heads = ("Name", "Number", "Group", "Language")
    return TagList(
        tags.h3(
            tags.span("As they will be"),
            tags.span(
                f"first {len(shown)} of {len(people):,}" if len(people) > len(shown) else "",
                class_="cb-quiet",
            ),
        ),
        tags.div(
            tags.table(
                tags.thead(tags.tr(*map(tags.th, heads))),
                tags.tbody(*map(_previewed, shown)),
                class_="cb-table",
            ),
            class_="import-preview",
            # It may be wider than a phone, and is then scrolled with the keyboard, too.
            tabindex="0",
            role="region",
            aria_label="As they will be",
        ),
    )


def _previewed(contact: Contact) -> Tag:
    more = len(contact.numbers) - 1
    number = international(contact.numbers[0]) + (f" and {more} more" if more else "")
    return tags.tr(
        tags.td(contact.name, class_="cb-strong"),
        tags.td(number, class_="cb-number"),
        tags.td(", ".join(contact.groups)),
        tags.td(LANGUAGE_NAMES.get(contact.language, "")),
    )
