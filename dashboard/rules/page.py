"""The Rules page's Shiny module. Which of its two views is shown stands in the page's address.

Every press comes as one input, `act`, with the name of the action, and the editor's whole form as
another, `form`; rules.js sends both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from htmltools import Tag, TagList, tags
from shiny import Inputs, Outputs, Session, module, reactive, render
from shiny import ui as shiny_ui
from shiny.module import resolve_id

from access.actor import Permission
from alerts import Desk
from dashboard.assets import assets, listening
from dashboard.background import in_background, show
from dashboard.page_parts import looking, waiting_words
from dashboard.permissions import may_not, offer_what_is_allowed

if TYPE_CHECKING:
    from dashboard.rules.visit import Visit
    from rules.desk import RuleDesk

SECONDS_BEFORE_COUNTING = 5.0
SECONDS_BETWEEN_COUNTS = 5.0
FILE_TYPES = [".csv", ".tsv", ".txt", ".parquet", ".json", ".ndjson", ".jsonl"]


@module.ui
def ui() -> Tag:
    """Return the page: the list of rules, and the place of the editor."""
    page = tags.div(
        tags.p(class_="rules-said", role="status"),
        may_not(Permission.WRITE),
        tags.div(
            tags.div(tags.h1("Rules"), class_="rules-head"),
            # The database may take some seconds to open.
            looking("Looking for rules…"),
            data_part="list",
            class_="rules-view",
        ),
        shiny_ui.output_ui("editor", aria_live="off", class_="rules-editor"),
        tags.dialog(class_="rules-sheet", data_sheet="sheet", aria_labelledby="rules-sheet-title"),
        _upload_dialog(),
        class_="callboard rules-page",
        id=resolve_id("page"),
        data_time_zone_input=resolve_id("time_zone"),
        data_address_input=resolve_id("address"),
    )
    return tags.div(
        assets("rules", ["if_nobody_answers.css", "rules.css", "rule_editor.css"], ["rules.js"]),
        listening(),
        page,
        class_="rules-frame",
    )


@module.ui
def tab_title() -> TagList:
    """Return the words on the page's tab, with a place for the count of waiting decisions."""
    return TagList("Rules", shiny_ui.output_ui("waiting", inline=True, aria_live="off"))


@module.server
def server(
    input: Inputs,
    output: Outputs,
    session: Session,
    desk: Desk,
    open_rules: Callable[[], Awaitable[RuleDesk]],
) -> None:
    """Run the page. `open_rules` returns the rules of this process, the same each time."""
    offer_what_is_allowed(session, desk.actor)
    count: reactive.Value[int] = reactive.Value(0)
    begun: list[Visit] = []

    @reactive.effect
    @reactive.event(input.address)
    def begin() -> None:
        # Nothing is looked up before the page is first seen.
        if begun or not input.address():
            return
        # Imported here because it needs SQLAlchemy, which the first page doesn't wait for.
        from dashboard.rules.visit import Visit  # noqa: PLC0415

        visit = Visit(input, output, session, desk, open_rules=open_rules, waiting=count)
        begun.append(visit)

    async def keep_counting() -> None:
        """Show on the tab how many rules wait for a person, whichever page is in front."""
        await asyncio.sleep(SECONDS_BEFORE_COUNTING)
        from dashboard.rules.live import read_overview  # noqa: PLC0415 - as above

        while True:
            # The page itself says why they can't be read.
            with suppress(Exception):
                rules = await open_rules()
                found = await read_overview(rules, SECONDS_BETWEEN_COUNTS)
                await show({count: sum(1 for each in found if each.held)})
            await asyncio.sleep(SECONDS_BETWEEN_COUNTS)

    counting = in_background(keep_counting(), "counting rules that wait")

    def stop() -> None:
        counting.cancel()

    session.on_ended(stop)

    @output(suspend_when_hidden=False)
    @render.ui
    def waiting() -> Tag | None:
        return waiting_words(count())


def _upload_dialog() -> Tag:
    """The sheet for a file; its file field stays in place while the text around it changes."""
    title = resolve_id("upload_title")
    file = shiny_ui.input_file("file", "A file with a table", accept=FILE_TYPES, width="100%")
    return tags.dialog(
        tags.div(
            tags.div(
                tags.h2("Upload a source", id=title),
                tags.button("Close", type="button", class_="cb-button low bare", data_act="close"),
                class_="sheet-head",
            ),
            tags.div(
                file,
                tags.p(
                    "CSV, Parquet or JSON, up to 20 MB. It is watched under its own name; upload a "
                    "newer one under the same name to replace it.",
                    class_="cb-quiet cb-small",
                ),
                tags.div(data_part="uploaded", role="status"),
                class_="sheet-body",
            ),
            class_="sheet-content",
        ),
        class_="rules-sheet",
        data_sheet="upload",
        aria_labelledby=title,
    )
