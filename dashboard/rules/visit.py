"""One visitor's Rules page: what it shows, and what its buttons do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from htmltools import Tag, TagChild, TagList, tags
from shiny import Inputs, Outputs, Session, reactive, render

from access.actor import NotAllowed
from alerts import Desk, UnusableInput
from dashboard.background import failure_sentence, show
from dashboard.inputs import part, uploaded, visitors_zone
from dashboard.rules.choosing import choose_sheet
from dashboard.rules.editing import Editing
from dashboard.rules.editor import first_notes
from dashboard.rules.examples import EXAMPLES
from dashboard.rules.form import keys_in
from dashboard.rules.live import read_overview
from dashboard.rules.overview import link, list_tag
from dashboard.rules.parts import rows_words
from dashboard.rules.sheets import upload_words
from dashboard.send.address import value_in
from dashboard.visit_tasks import Action, VisitTasks
from database.characters import can_be_kept
from rules.desk import RuleDesk
from rules.overview import RuleOverview
from rules.rule import Rule
from rules.sandbox import QueryError
from rules.sources import SourceError
from settings import SettingsError

LOOK_SECONDS = 2.0
MOST_CHARACTERS = 500
NEW = "new"
# Errors whose text is a sentence for people.
TOLD = (UnusableInput, QueryError, SourceError, SettingsError, NotAllowed)


class Visit:
    """One visitor's Rules page. `waiting` counts the rules that wait for a person."""

    def __init__(
        self,
        input: Inputs,
        output: Outputs,
        session: Session,
        desk: Desk,
        *,
        open_rules: Callable[[], Awaitable[RuleDesk]],
        waiting: reactive.Value[int],
    ) -> None:
        self._input = input
        self._session = session
        self._desk = desk
        self._open_rules = open_rules
        self._waiting = waiting
        self._frame: reactive.Value[Tag | None] = reactive.Value(None)
        self._editing: Editing | None = None
        # Rules that are on with changes that the visitor left without saving, by id.
        self._unsaved: dict[str, Rule] = {}
        self._shown: dict[str, str] = {}
        self._generation = 0
        self._again = asyncio.Event()
        self._listing = asyncio.Event()
        self._tasks = VisitTasks(session, self.say, _sentence_of)
        session.on_ended(self._stop_editing)
        self._receive()
        self._render(output)
        listing = self._tasks.keep_looking(
            self._look,
            self._show_problem,
            in_sight=self._listing,
            again=self._again,
            seconds=LOOK_SECONDS,
        )
        self._tasks.begin(listing)

    # --- What comes from the browser ---

    def _receive(self) -> None:
        sent_by = self._input

        @reactive.effect
        def follow_the_address() -> None:
            query = sent_by.address()
            if isinstance(query, str):
                self._tasks.begin(self._tasks.do(self._follow, "", query, {}))

        @reactive.effect
        @reactive.event(sent_by.act)
        def act() -> None:
            sent = sent_by.act()
            name, fields = part(sent, "action"), sent.get("fields") if isinstance(sent, dict) else 0
            record, value = part(sent, "id"), part(sent, "value")
            action = self._action(name) if name.isidentifier() else None
            if action is not None and _can_be_saved(record) and _can_be_saved(value):
                fields = fields if isinstance(fields, dict) else {}
                self._tasks.begin(self._tasks.do(action, record, value, fields))

        @reactive.effect
        @reactive.event(sent_by.form)
        def take_form() -> None:
            sent = sent_by.form()
            fields = sent.get("fields") if isinstance(sent, dict) else None
            is_of_this = part(sent, "generation") == str(self._generation)
            if isinstance(sent, dict) and isinstance(fields, dict):
                taken = fields if is_of_this else {}
                self._tasks.begin(self._take(taken, sent.get("nonce")))

        @reactive.effect
        @reactive.event(sent_by.file)
        def take_file() -> None:
            if file := uploaded(sent_by.file()):
                name, path = file
                self._tasks.begin(self._tasks.do(self._upload, name, str(path), {}))

    def _action(self, name: str) -> Action | None:
        own: Action | None = getattr(self, f"_on_{name}", None)
        if own is not None or self._editing is None:
            return own
        return self._editing.action(name)

    def _stop_editing(self) -> None:
        if self._editing:
            self._editing.stop()

    def _render(self, output: Outputs) -> None:
        # Shiny would update it only once it is visible, which is too late for the parts inside it.
        @output(suspend_when_hidden=False)
        @render.ui
        def editor() -> TagChild:
            return self._frame()

    # --- The two views ---

    async def _follow(self, _: str, query: str, __: dict[str, Any]) -> None:
        """Show what the address says; "" while another page is in front."""
        wanted, example = value_in(query, "rule")[:MOST_CHARACTERS], value_in(query, "from")
        if not query or wanted:
            self._listing.clear()
        if not query:
            return
        if not wanted:
            await self._close()
            self._listing.set()
            self._again.set()
            return
        if self._editing is None or not self._editing.is_of(wanted):
            await self._open(wanted, example)

    async def _open(self, wanted: str, example: str) -> None:
        await self._close()
        rules = await self._open_rules()
        if wanted == NEW:
            rule: Rule | None = EXAMPLES[example].rule if example in EXAMPLES else Rule()
        else:
            rule = await rules.get(wanted) if _can_be_saved(wanted) else None
        if rule is None:
            await self.say("This rule was removed, or the address is wrong.")
            await self.tell("go", value=link())
            return
        zone = self._zone()
        unsaved = self._unsaved.pop(rule.id, None)
        self._editing = Editing(rule, rules, self, zone=zone, unsaved=unsaved)
        await self.reopen()
        await self.tell("focus", value="rules-heading" if rule.id else "rules-name")

    async def reopen(self) -> None:
        """Make the editor again with what it holds."""
        if self._editing is None:
            return
        self._generation += 1
        self._shown = {name: html for name, html in self._shown.items() if name == "list"}
        frame = self._editing.frame(self._generation)
        await show({self._frame: frame})
        await self._editing.begin()

    async def _close(self) -> None:
        if self._editing is None:
            return
        editing, self._editing = self._editing, None
        if unsaved := await editing.close():
            self._unsaved[unsaved.id] = unsaved
        await show({self._frame: None})

    async def _look(self) -> None:
        rules = await self._open_rules()
        found = await read_overview(rules)
        workers, problem = await rules.workers(), rules.sources_problem
        await self.show("list", list_tag(found, workers, self._zone(), problem=problem))
        await self._count(found)

    async def _count(self, found: Sequence[RuleOverview]) -> None:
        await show({self._waiting: sum(1 for each in found if each.held)})

    async def _show_problem(self, sentence: str) -> None:
        await self.show("list", _problem(sentence))

    def _zone(self) -> str:
        with reactive.isolate():
            return visitors_zone(self._input, self._desk.services.time_zone)

    # --- In the list ---

    async def _on_switch(self, record: str, value: str, _: dict[str, Any]) -> None:
        rules = await self._open_rules()
        if value == "off":
            await rules.turn_off(record)
            await self.say("It is off: nothing is checked.")
        else:
            # Open the editor first, where the visitor sees what is bad by now.
            await self.tell("go", value=link(record))
        self._shown.pop("list", None)
        self._again.set()

    async def _on_held_all(self, record: str, value: str, __: dict[str, Any]) -> None:
        rules = await self._open_rules()
        # Rows that were held meanwhile haven't been decided about yet.
        held = await rules.held_rows(record)
        if value != str(len(held)):
            await self.say(f"By now {len(held):,} are held. Decide again, please.")
        else:
            await self._answer(record, {each.key for each in held})
        self._again.set()

    async def _on_held_none(self, record: str, *_: object) -> None:
        await self._answer(record, set())

    async def _on_held_choose(self, record: str, *_: object) -> None:
        rules = await self._open_rules()
        rule, held = await rules.get(record), await rules.held_rows(record)
        verb = "Text" if rule and rule.channel == "text" else "Call"
        sheet = choose_sheet(
            f"{rule.name}: {len(held):,} held" if rule else f"{len(held):,} are held",
            held,
            (),
            act="held_some",
            words=f"{verb} about those chosen",
            kind="ring",
            rule_id=record,
        )
        await self.sheet(sheet)

    async def _on_held_some(self, record: str, _: str, fields: dict[str, Any]) -> None:
        if keys := keys_in(fields):
            await self._answer(record, keys)
        else:
            await self.say("None was chosen, so they are still held.")

    async def _answer(self, record: str, keys: set[str]) -> None:
        rules = await self._open_rules()
        count = await rules.answer_held(record, keys or "none")
        are = "is" if count == 1 else "are"
        told = f"{rows_words(count)} {are} told now." if count else "Nobody is told."
        await self.say(f"{told} The rule goes on.")
        self._again.set()

    # --- In the editor ---

    async def _take(self, fields: dict[str, Any], nonce: object) -> None:
        """Take over what the form holds, and tell the page once the result is shown."""
        if fields:
            await self._tasks.do(self._on_form, "", "", fields)
        if isinstance(nonce, int):
            await self.tell("answered", value=nonce)

    async def _on_form(self, _: str, __: str, fields: dict[str, Any]) -> None:
        if self._editing:
            await self._editing.take(fields)

    async def _upload(self, name: str, path: str, _: dict[str, Any]) -> None:
        rules = await self._open_rules()
        try:
            said = await self._take_file(rules, name, Path(path))
        except TOLD as problem:
            await self._show_uploads(problem=str(problem))
        else:
            await self._show_uploads(said=said)

    async def _show_uploads(self, *, problem: str = "", said: str = "") -> None:
        uploads = [*(await self._open_rules()).uploads().values()]
        words = upload_words(uploads, self._zone(), problem=problem, said=said)
        await self.show("uploaded", words)

    async def _on_show_uploads(self, *_: object) -> None:
        await self._show_uploads()

    async def _on_remove_upload(self, record: str, *_: object) -> None:
        await (await self._open_rules()).remove_upload(record)
        if self._editing:
            await self._editing.add_source()
        await self._show_uploads(said=f"{record} is removed. Rules that watch it can't be checked.")

    async def _take_file(self, rules: RuleDesk, name: str, path: Path) -> str:
        source = await rules.upload(name, path)
        columns = (await rules.columns([source]))[source]
        if self._editing:
            await self._editing.add_source(source)
        sniffed = ", ".join(f"{each.name} ({each.type.lower()})" for each in columns)
        notes = first_notes(await rules.notes(source))
        return " ".join((f"{name} is the source {source}. Its columns: {sniffed}.", *notes))

    async def _on_file_too_large(self, _: str, value: str, __: dict[str, Any]) -> None:
        sentence = f"{value[:100]} is larger than 20 MB. Name it in sources.toml instead."
        await self._show_uploads(problem=sentence)

    # --- To the browser ---

    async def show(self, name: str, content: TagChild) -> None:
        """Bring a part of the page up to date."""
        html = str(TagList(content))
        if self._shown.get(name) != html:
            self._shown[name] = html
            await self.tell(name, html=html)

    async def sheet(self, content: Tag) -> None:
        """Open a sheet."""
        await self.tell("sheet", html=str(content))

    async def say(self, sentence: str) -> None:
        """Show a sentence at the top of the page, which screen readers read out."""
        await self.tell("said", value=sentence)

    async def tell(self, part: str, **content: object) -> None:
        """Send rules.js something to do."""
        name = self._session.ns("page")
        await self._session.send_custom_message(
            "callboard-rules", {"name": name, "part": part, **content}
        )

    def refresh(self) -> None:
        """Make the list be read again."""
        self._again.set()


def _can_be_saved(text: str) -> bool:
    """Return whether a text that a page sent can be saved or looked up, and isn't too long."""
    return len(text) <= MOST_CHARACTERS and can_be_kept(text)


def _problem(sentence: str) -> Tag:
    return tags.div(
        tags.div(tags.h1("Rules"), class_="rules-head"),
        tags.p(sentence, class_="cb-note bad", role="alert"),
    )


def _sentence_of(error: Exception) -> str:
    return str(error) if isinstance(error, TOLD) else failure_sentence(error)
