"""The sheets for a person, for groups, and for removing: forms that people.js sends whole.

`ToBrowser` opens and closes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import available_timezones

from htmltools import Tag, TagChild, TagList, tags
from shiny import Session

from alerts import UnusableInput
from alerts.message.languages import LANGUAGE_NAMES
from alerts.phone_numbers import international
from dashboard.fields import feedback
from dashboard.page_parts import button, sheet_head
from people.checking import NUMBER_FIELDS
from people.contact import Contact
from people.groups import Group
from people.names import number_of_people

Problems = Mapping[str, UnusableInput]
NUMBER_LABELS = ("Number", "If that doesn't reach them", "And then")


class ToBrowser:
    """Has people.js show something on one visitor's page."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def open(self, content: Tag) -> None:
        """Open a sheet."""
        await self.send("form", html=str(content))

    async def close(self) -> None:
        """Close the open sheet, if any."""
        await self.send("close")

    async def say(self, sentence: str) -> None:
        """Show a sentence at the top of the page, which screen readers read out."""
        await self.send("said", value=sentence)

    async def send(self, part: str, **content: str) -> None:
        """Send people.js the content of a part of the page."""
        name = self._session.ns("page")
        await self._session.send_custom_message(
            "callboard-people", {"name": name, "part": part, **content}
        )


def sheet(title: str, body: TagChild, *actions: TagChild, act: str, record: str = "") -> Tag:
    """Return a form with a heading, its fields, and its actions at the bottom."""
    return tags.form(
        sheet_head(title, "people-sheet-title"),
        tags.div(body, class_="sheet-body"),
        tags.div(*actions, class_="sheet-actions"),
        data_submit=act,
        data_id=record,
        novalidate="",
    )


def person_sheet(contact: Contact, problems: Problems, groups: Sequence[Group]) -> Tag:
    """Return the form for a new contact, or for one that has an id."""
    numbers = [international(each) if each.startswith("+") else each for each in contact.numbers]
    if problems:
        numbers = list(contact.numbers)  # as they were typed
    numbers += [""] * (len(NUMBER_FIELDS) - len(numbers))
    fields = TagList(
        _text("name", "Name", contact.name, problems, autocomplete="off"),
        *(
            _text(name, label, number, problems, inputmode="tel", autocomplete="off")
            for name, label, number in zip(NUMBER_FIELDS, NUMBER_LABELS, numbers, strict=False)
        ),
        _text(
            "groups", "Groups", ", ".join(contact.groups), problems,
            placeholder="Lab on call, Night shift", autocomplete="off",
        ),
        tags.p(
            "There are: " + ", ".join(each.name for each in groups) + "." if groups else
            "Separate several by commas. New ones are made.",
            class_="cb-quiet cb-small hint",
        ),
        _language(contact.language, problems),
        _text(
            "time_zone", "Time zone", contact.time_zone, problems,
            list="people-time-zones", placeholder="As their number says", autocomplete="off",
        ),
        tags.datalist(
            *(tags.option(value=zone) for zone in sorted(available_timezones()) if "/" in zone),
            id="people-time-zones",
        ),
        _field(
            "notes",
            "Notes",
            tags.textarea(contact.notes, class_="form-control", rows="3"),
            problems,
        ),
    )  # fmt: skip
    return sheet(
        contact.name if contact.id else "Add a person",
        fields,
        tags.button("Save", type="submit", class_="cb-button ink"),
        button("Remove…", "remove", "bare", data_id=contact.id) if contact.id else None,
        act="save",
        record=contact.id,
    )


def removal_sheet(people: Sequence[Contact]) -> Tag:
    """Ask whether these people are to be removed."""
    [*some] = [each.name for each in people[:3]]
    more = len(people) - len(some)
    names = ", ".join(some) + (f" and {more:,} more" if more else "")
    return sheet(
        f"Remove {names}?",
        tags.p(
            "Their numbers, groups and notes go. What was sent to them stays in the history, and "
            "alerts under way go on."
        ),
        tags.button("Remove", type="submit", class_="cb-button ink"),
        button("Keep", "close"),
        act="really_remove",
    )


def group_sheet(group: str, problem: UnusableInput | None, typed: str | None = None) -> Tag:
    """Return the form for a new group ("") or to rename or remove one."""
    problems = {"group": problem} if problem else {}
    return sheet(
        f"Rename {group}" if group else "New group",
        _text("group", "Name of the group", group if typed is None else typed, problems),
        tags.button("Save", type="submit", class_="cb-button ink"),
        button("Remove the group", "remove_group", "bare", data_id=group) if group else None,
        act="save_group",
        record=group,
    )


def into_group_sheet(
    count: int, groups: Sequence[Group], problem: UnusableInput | None, typed: str = ""
) -> Tag:
    """Ask which group the chosen people are to come into."""
    people = number_of_people(count)
    problems = {"group": problem} if problem else {}
    return sheet(
        f"Add {people} to a group",
        TagList(
            _text(
                "group", "Group", typed, problems, list="people-groups-known", autocomplete="off"
            ),
            tags.datalist(
                *(tags.option(value=each.name) for each in groups), id="people-groups-known"
            ),
            tags.p("One that doesn't exist yet is made.", class_="cb-quiet cb-small hint"),
        ),
        tags.button("Add", type="submit", class_="cb-button ink"),
        act="save_into_group",
    )


def _language(code: str, problems: Problems) -> Tag:
    options = [
        tags.option("As in the alert", value=""),
        *(
            tags.option(name, value=each, selected="" if each == code else None)
            for each, name in LANGUAGE_NAMES.items()
        ),
    ]
    return _field("language", "Language", tags.select(*options, class_="form-select"), problems)


def _text(name: str, label: str, value: str, problems: Problems, **attributes: str) -> Tag:
    control = tags.input(type="text", value=value, class_="form-control", **attributes)
    return _field(name, label, control, problems)


def _field(name: str, label: str, control: Tag, problems: Problems) -> Tag:
    problem = problems.get(name)
    control.attrs.update(
        {"id": f"people-field-{name}", "name": name, "aria-describedby": f"people-line-{name}"}
    )
    if problem:
        control.attrs["aria-invalid"] = "true"
    return tags.div(
        tags.label(label, class_="control-label", for_=f"people-field-{name}"),
        control,
        tags.div(
            feedback("bad", str(problem)) if problem else None,
            id=f"people-line-{name}",
            class_="feedback-line",
        ),
        class_="form-group",
    )
