"""The People page's Shiny module: lists, finds, changes and imports the people who can be called.

Every press comes as one input, `act`, with the name of the action; people.js sends it.
"""

from __future__ import annotations

from htmltools import Tag, TagList, tags
from shiny import Inputs, Outputs, Session, module, reactive
from shiny import ui as shiny_ui
from shiny.module import resolve_id

from access.actor import Permission
from alerts import Desk
from dashboard.assets import assets
from dashboard.inputs import MOST_SEARCH_CHARACTERS
from dashboard.page_parts import button, icon, sheet_head, until_known
from dashboard.permissions import may_not, offer_what_is_allowed

FILE_TYPES = [".csv", ".tsv", ".txt", ".vcf", "text/csv", "text/vcard"]


@module.ui
def ui() -> Tag:
    """Return the page: groups on the left, the list of people on the right."""
    page = tags.div(
        tags.div(
            tags.h1("People"),
            tags.div(
                icon("search"),
                tags.input(
                    type="search",
                    class_="form-control",
                    placeholder="Name, number or group",
                    aria_label="Search people",
                    data_search="",
                    maxlength=str(MOST_SEARCH_CHARACTERS),
                ),
                class_="people-search",
                role="search",
            ),
            may_not(Permission.WRITE),
            button(TagList(icon("import"), _words("Import from CSV", "Import")), "import_file"),
            button(TagList(icon("add"), _words("Add a person", "Add")), "add"),
            class_="people-head",
        ),
        tags.p(class_="people-said", role="status"),
        tags.div(
            shiny_ui.output_ui("groups", aria_live="off", class_="people-side"),
            tags.section(
                until_known(shiny_ui.output_ui("people", aria_live="off"), "Looking for people…"),
                shiny_ui.output_ui("foot", aria_live="off", class_="people-foot"),
                class_="cb-card people-list",
                aria_label="The list",
            ),
            class_="people-columns",
        ),
        shiny_ui.download_link("export", "Export everybody to CSV", class_="people-export"),
        tags.dialog(class_="people-sheet", data_sheet="form", aria_labelledby="people-sheet-title"),
        _import_dialog(),
        class_="callboard people-page",
        id=resolve_id("page"),
        data_time_zone_input=resolve_id("time_zone"),
    )
    return tags.div(assets("people", ["people.css"], ["people.js"]), page, class_="people-frame")


@module.server
def server(input: Inputs, output: Outputs, session: Session, desk: Desk) -> None:
    """Run the page, from the moment that it is first looked at."""
    offer_what_is_allowed(session, desk.actor)

    @reactive.effect
    @reactive.event(input.in_sight)
    def begin() -> None:
        if begun or input.in_sight() is not True:
            return
        # Imported here because it needs SQLAlchemy, which the first page doesn't wait for.
        from dashboard.people.visit import Visit  # noqa: PLC0415

        begun.append(Visit(input, session, desk))

    begun: list[object] = []


def _words(wide: str, narrow: str) -> TagList:
    return TagList(
        tags.span(wide, class_="wide-only"),
        tags.span(narrow, class_="narrow-only"),
    )


def _import_dialog() -> Tag:
    """The import sheet; the field for the file stays the same while its contents change."""
    file = shiny_ui.input_file("file", "A CSV file, or vCards", accept=FILE_TYPES, width="100%")
    return tags.dialog(
        sheet_head("Import people", resolve_id("import_title")),
        tags.div(
            tags.div(
                file,
                tags.p(
                    "One row for each person: a name and a phone number at least. Save an Excel "
                    "sheet as CSV first.",
                    class_="cb-quiet cb-small",
                ),
                class_="import-choose",
            ),
            tags.div(class_="import-content"),
            class_="sheet-body",
        ),
        tags.div(class_="sheet-actions"),
        class_="people-sheet",
        data_sheet="import",
        aria_labelledby=resolve_id("import_title"),
    )
