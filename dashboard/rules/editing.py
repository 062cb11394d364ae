"""Writing one rule: the form, what the rule would do, saving it and switching it on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from htmltools import Tag

from alerts import UnusableInput
from dashboard.background import failure_sentence, in_background
from dashboard.inputs import text
from dashboard.rules import editor, result
from dashboard.rules.choosing import choose_sheet
from dashboard.rules.editor_parts import LINES, EditorState, parts_of, unwritten, why_not
from dashboard.rules.form import keys_in, read_form
from dashboard.rules.looking import Looking
from dashboard.rules.overview import link
from dashboard.rules.result import Telling
from dashboard.rules.rule_actions import Page, RuleActions
from rules.desk import RuleDesk
from rules.guided import OVER_TIME, Guided, guided_key, guided_sql
from rules.rule import WHOLE_ROW, Rule, wrong_fields

SECONDS_BEFORE_SAVING = 1.5
# Fields of a rule that one control of the form fills in together.
AT_ANOTHER_LINE = {"at": "schedule", "every_seconds": "schedule"}

Action = Callable[[str, str, dict[str, Any]], Awaitable[None]]


class Editing:
    """One rule in the editor of a visitor, whose clock is that of `zone`.

    `unsaved` is the rule with changes that the visitor left earlier without saving.
    """

    def __init__(
        self,
        rule: Rule,
        rules: RuleDesk,
        page: Page,
        *,
        zone: str,
        unsaved: Rule | None = None,
    ) -> None:
        self._rule = unsaved or rule
        self._saved = rule if rule.id else None
        self._rules = rules
        self._page = page
        self._zone = zone
        self._source = ""
        self._problems: dict[str, str] = {}
        self._save_problem = ""
        self._is_removed = False
        self._telling: Telling = "none"
        self._chosen: frozenset[str] = frozenset()
        self._looking = Looking(rules, self._show)
        self._actions = RuleActions(
            rules,
            page,
            lambda: self._rule,
            self._notice_state,
            self._bring_back,
            zone=zone,
        )
        self._showing = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def is_of(self, wanted: str) -> bool:
        """Whether this is the editor of the rule with this id, or of a new one."""
        return wanted == (self._rule.id or "new")

    def action(self, name: str) -> Action | None:
        """Return the method for a button with this action."""
        for each in (self, self._actions):
            if found := getattr(each, f"on_{name}", None):
                action: Action = found
                return action
        return None

    def frame(self, generation: int) -> Tag:
        """Return the editor as it is first shown."""
        sources = self._sources()
        guided = self._rule.guided
        watched = guided.source if guided else ""
        named = [each for each in sources if each == watched or each in self._rule.sql]
        self._source = next(iter([*named, *sources]), "")
        return editor.frame(self._rule, generation, sources, self._source)

    async def begin(self) -> None:
        """Show what the rule would do, and what was bad lately."""
        await self._looking.read_columns(self._source)
        await self._refresh()
        self._start("actions", self._actions.keep_showing())

    async def close(self) -> Rule | None:
        """Stop, and save unsaved changes; return those that can't be saved without the visitor."""
        if self._saves_itself() and not self._is_removed:
            await self._save()
        self.stop()
        is_left = self._saved is not None and self._state().is_changed
        return self._rule if is_left and not self._is_removed else None

    def stop(self) -> None:
        """Stop whatever is under way."""
        self._looking.stop()
        for task in self._tasks.values():
            task.cancel()

    # --- The form ---

    async def take(self, fields: Mapping[str, object]) -> None:
        """Take over what the form holds by now."""
        before = self._rule
        try:
            source = text(fields.get("source", self._source), "source")
            rule = read_form(fields, before)
        except UnusableInput as problem:
            self._problems = {AT_ANOTHER_LINE.get(problem.field, problem.field): str(problem)}
            await self._show()
            return
        if before.guided and not rule.guided and not unwritten(before.guided):
            # From here on the query is written by hand, starting from the guided one.
            rule = replace(rule, sql=before.sql)
            await self._page.tell("sql", value=rule.sql)
        self._rule = rule
        if source != self._source:
            self._source = source
            await self._looking.read_columns(source)
        await self._refresh()

    async def add_source(self, name: str = "") -> None:
        """Offer the sources again, with the one that was just uploaded chosen."""
        name = self._source = name or self._source
        await self._page.show("sources", editor.source_choice(self._sources(), name))
        await self._looking.read_columns(name, again=True)
        await self._refresh(again=True)

    def _sources(self) -> dict[str, str]:
        return self._rules.sources()

    async def _refresh(self, *, again: bool = False) -> None:
        """Write the guided query, check the rule, show the result, and look at the data."""
        if self._rule.guided is not None:
            guided = self._completed(self._rule.guided)
            sql = "" if unwritten(guided) else self._written(guided)
            key = guided_key(guided) if guided.comparison in OVER_TIME else self._rule.key
            self._rule = replace(self._rule, guided=guided, sql=sql, key=key)
        self._problems = {
            AT_ANOTHER_LINE.get(name, name): str(problem)
            for name, problem in wrong_fields(self._rule).items()
        }
        # Looking would only repeat mistakes that are already shown at their fields.
        if not set(self._problems) - {"name"}:
            self._looking.look(self._rule, again=again)
        await self._show()
        if self._saves_itself():
            self._start("saving", self._save_soon())

    def _written(self, guided: Guided) -> str:
        """Return the query. One that is saved stays, though today it might be written otherwise."""
        saved = self._saved
        return saved.sql if saved and saved.guided == guided else guided_sql(guided)

    def _completed(self, guided: Guided) -> Guided:
        """Keep the columns for the recipient and the message in the query for a jump, too."""
        names = [each.name for each in self._looking.columns(self._source)]
        said = self._rule.message + self._rule.message_for_many
        used = [each for each in names if each == self._rule.to_column or each in said]
        return replace(
            guided,
            source=self._source,
            key=tuple(each for each in self._rule.key if each in names) if names else guided.key,
            also=tuple(used) if guided.comparison == "jump" else (),
        )

    async def _bring_back(self, version: Rule) -> None:
        """Put another version into the form; it is saved like any other change."""
        self._rule = replace(
            version, id=self._rule.id, state=self._rule.state, revision=self._rule.revision
        )
        await self._page.reopen()

    # --- Saving and switching ---

    def _saves_itself(self) -> bool:
        """Whether to save it now: a rule that is on changes only when the visitor says so."""
        rule = self._rule
        is_wanted = rule.name.strip() and not rule.is_checked and self._state().is_changed
        return bool(is_wanted) and not self._problems

    async def _save_soon(self) -> None:
        await asyncio.sleep(SECONDS_BEFORE_SAVING)
        await self._save()
        await self._show()

    async def _save(self) -> bool:
        """Save the rule as it is in the form; return whether it is saved."""
        is_new = not self._rule.id
        try:
            saved = await self._rules.save(self._rule)
        except UnusableInput as problem:
            self._save_problem = str(problem)
            if problem.field in LINES:
                self._problems[problem.field] = str(problem)
            return False
        except Exception as error:  # noqa: BLE001 - said beside the heading
            self._save_problem = failure_sentence(error)
            return False
        self._save_problem = ""
        self._saved = saved
        # Keep what was typed meanwhile.
        self._rule = replace(
            self._rule,
            id=saved.id,
            revision=saved.revision,
            state=saved.state,
            changed_by=saved.changed_by,
            changed_at=saved.changed_at,
        )
        if is_new:
            await self._page.tell("address", value=link(saved.id))
            await self._actions.show()
        self._page.refresh()
        return True

    async def on_turn_on(self, *_: object) -> None:
        """Switch the rule on as previewed, with the decision about rows that are bad already."""
        before, seen = self._looking.seen, await self._looking.seen_now()
        if why_not(self._state(), self._looking) or seen is None:
            await self._show()
            return
        if before is not None and before.preview.keys != seen.preview.keys:
            await self._show()
            await self._page.say("What is bad has just changed. Look at it, then turn it on.")
            return
        self._stop_saving()
        chosen = self._chosen & seen.preview.keys if self._telling == "choose" else frozenset()
        if self._state().is_changed and not await self._save():
            await self._show()
            return
        fingerprint = seen.preview.fingerprint
        await self._rules.turn_on(self._rule.id, fingerprint, chosen or "none")
        await self._reload_state()
        self._telling, self._chosen = "none", frozenset()
        await self._page.say(f"{self._rule.name} is on.")
        await self._show()
        await self._page.tell("focus", value="rules-heading")

    async def on_save(self, *_: object) -> None:
        """Take over the changes of a rule that is on."""
        await self._looking.seen_now()
        if not why_not(self._state(), self._looking) and await self._save():
            self._looking.look(self._rule, again=True)
            await self._page.say("The changes are saved.")
        await self._show()

    async def on_turn_off(self, *_: object) -> None:
        """Switch the rule off."""
        await self._rules.turn_off(self._rule.id)
        await self._reload_state()
        await self._page.say(f"{self._rule.name} is off: nothing is checked.")
        await self._show()

    async def _reload_state(self) -> None:
        if found := await self._rules.get(self._rule.id):
            self._saved = found
            self._rule = replace(self._rule, state=found.state, revision=found.revision)
        self._page.refresh()
        await self._actions.show()

    async def _notice_state(self) -> None:
        """Show it if the rule was held meanwhile, or if another person switched it on or off."""
        found = await self._rules.get(self._rule.id)
        if found is None or found.state == self._rule.state:
            return
        self._rule = replace(self._rule, state=found.state)
        if self._saved:
            self._saved = replace(self._saved, state=found.state)
        await self._show()

    async def on_telling(self, _: str, value: str, __: Mapping[str, object]) -> None:
        """Take over the decision about the rows that are bad already."""
        self._telling = "choose" if value == "choose" else "none"
        await self._show()
        if self._telling == "choose" and self._looking.seen:
            rows = self._looking.seen.preview.rows
            title, words = "Which to tell about", "Choose these"
            await self._page.sheet(
                choose_sheet(title, rows, self._chosen, act="choose_keys", words=words)
            )

    async def on_choose_keys(self, _: str, __: str, fields: Mapping[str, object]) -> None:
        """Take over which of the bad rows are told about."""
        self._chosen = frozenset(keys_in(fields))
        await self._show()

    # --- What is pressed elsewhere in the form ---

    async def on_key_add(self, _: str, value: str, __: Mapping[str, object]) -> None:
        """Add a column to the key."""
        added = value.removeprefix("+")
        others = [each for each in self._rule.key if each not in (added, *WHOLE_ROW)]
        key = WHOLE_ROW if added == WHOLE_ROW[0] else (*others, added)
        self._rule = replace(self._rule, key=key)
        await self._refresh()
        await self._page.tell("focus", value="rules-key")

    async def on_key_remove(self, record: str, *_: object) -> None:
        """Take a column out of the key."""
        key = tuple(each for each in self._rule.key if each != record)
        self._rule = replace(self._rule, key=key)
        await self._refresh()
        await self._page.tell("focus", value="rules-key")

    async def on_to_sql(self, *_: object) -> None:
        """Continue by hand with the query that the guided way has written."""
        await self._page.tell("sql", value=self._rule.sql)
        await self._page.tell("way", value="sql")
        self._rule = replace(self._rule, guided=None)
        await self._refresh()

    async def on_look_again(self, *_: object) -> None:
        """Look at the data once more, and at the columns."""
        self._looking.look(self._rule, again=True)
        await self._show()
        await self._looking.read_columns(self._source, again=True)
        await self._show()

    async def on_accept_shape(self, *_: object) -> None:
        """Take the columns of the source as they are now."""
        await self._rules.accept_shape(self._source)
        await self._looking.read_columns(self._source, again=True)
        await self._refresh(again=True)

    async def on_really_remove(self, *sent: Any) -> None:
        """Remove the rule, with what isn't saved of it."""
        self._is_removed = True
        self.stop()
        await self._actions.on_really_remove(*sent)

    async def on_see_all(self, *_: object) -> None:
        """Show every bad row."""
        if self._looking.seen:
            await self._page.sheet(result.all_rows_sheet(self._looking.seen, self._zone))

    # --- Showing ---

    def _state(self) -> EditorState:
        return EditorState(
            self._rule,
            self._saved,
            self._source,
            self._problems,
            self._save_problem,
            self._telling,
            self._chosen,
            self._rules.actor.name,
            self._zone,
        )

    async def _show(self) -> None:
        # One after another, so that the latest state is shown last.
        async with self._showing:
            await self._page.tell("heading", value=self._rule.name or "New rule")
            # In a thread: the words of many rows take long to write.
            parts = await asyncio.to_thread(parts_of, self._state(), self._looking)
            for name, content in parts.items():
                await self._page.show(name, content)
            await self._show_mark()

    async def _show_mark(self) -> None:
        mistake = self._looking.mistake
        if mistake is not None and mistake.line and not self._rule.guided:
            place = {"column": mistake.column or 0, "length": mistake.length or 0}
            await self._page.tell("mark", line=mistake.line, **place)
        else:
            await self._page.tell("unmark")

    # --- Tasks ---

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if before := self._tasks.get(name):
            before.cancel()
        self._tasks[name] = in_background(work, f"the editor of rules, {name}")

    def _stop_saving(self) -> None:
        if saving := self._tasks.pop("saving", None):
            saving.cancel()
