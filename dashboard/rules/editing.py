"""Writing one rule: the form as it stands, what it comes to, and saving and switching it on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from htmltools import Tag, TagChild, TagList, tags

from alerts import UnusableInput
from dashboard.alert_status import clock
from dashboard.inputs import text
from dashboard.live_alert import failure_sentence
from dashboard.rules import editor, result, sheets
from dashboard.rules.form import read_form
from dashboard.rules.guided_form import guided_tag
from dashboard.rules.overview import link
from dashboard.rules.parts import wrong
from dashboard.rules.result import Decision, Seen, Telling
from rules.desk import PastAlerts, RuleDesk
from rules.guided import Guided, guided_sql
from rules.rule import WHOLE_ROW, Rule, missing_fields, wrong_fields
from rules.rule_files import write_rules
from rules.sandbox import Column, QueryError
from rules.sources import SourceError

SECONDS_BEFORE_SAVING = 1.5
SECONDS_BETWEEN_EPISODES = 3.0
# The fields whose line stands right under them; what is wrong elsewhere is said under the options.
LINES = (
    "name", "source", "message", "message_for_many", "then_to", "owner", "schedule", "delivery",
    "recovery_checks", "gather_minutes", "reminders", "reminder_minutes", "stale_after_minutes",
)  # fmt: skip
AT_ANOTHER_LINE = {"at": "schedule", "every_seconds": "schedule"}
OWN_PLACES = ("sql", "key", "to", "to_column", *LINES)
# A rule that has just been begun is not yet wrong for what is missing.
NOT_YET_WRONG = ("name",)
GUIDED_FIELDS = ("source", "column", "comparison", "limit", "time_column", "minutes")


class Page(Protocol):
    """Where an editor shows what it has to show."""

    async def show(self, name: str, content: TagChild) -> None:
        """Bring a part of the page up to date."""

    async def sheet(self, content: Tag) -> None:
        """Open a sheet."""

    async def say(self, sentence: str) -> None:
        """Say a sentence at the top of the page."""

    async def tell(self, part: str, **content: object) -> None:
        """Send the page's script something to do."""

    def refresh(self) -> None:
        """Have the list of rules read again."""


class Editing:
    """One rule in one visitor's editor; `by` is the visitor, whose clock is that of `zone`."""

    def __init__(self, rule: Rule, rules: RuleDesk, page: Page, *, by: str, zone: str) -> None:
        self._rule = rule
        self._saved = rule if rule.id else None
        self._rules = rules
        self._page = page
        self._by = by
        self._zone = zone
        self._source = ""
        self._columns: dict[str, tuple[Column, ...]] = {}
        # Why the columns of a source can't be read, by its name.
        self._unread: dict[str, str] = {}
        self._problems: dict[str, str] = {}
        self._mistake: QueryError | None = None
        self._trouble = ""
        self._seen: Seen | None = None
        self._past: PastAlerts | None = None
        self._previewed = ""
        self._is_previewing = False
        self._telling: Telling = "none"
        self._chosen: frozenset[str] = frozenset()
        self._save_problem = ""
        self._muting = ""
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def is_of(self, wanted: str) -> bool:
        """Whether this is the editor of the rule with this id, or of a new one."""
        return wanted == (self._rule.id or "new")

    async def frame(self, generation: int) -> Tag:
        """Return the editor as it begins."""
        sources = self._sources()
        guided = self._rule.guided
        self._source = next(
            (
                each
                for each in sources
                if guided and each == guided.source or each in self._rule.sql
            ),
            next(iter(sources), ""),
        )
        return editor.frame(self._rule, generation, sources, self._source)

    async def begin(self) -> None:
        """Show what the rule comes to, and what was bad lately."""
        await self._read_columns()
        await self._refresh()
        self._start("episodes", self._keep_showing_episodes())

    async def close(self) -> None:
        """Save what isn't saved yet, if it can be, and stop."""
        if self._can_be_saved():
            await self._save()
        self.stop()

    def stop(self) -> None:
        """Stop whatever is under way."""
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
            await self._show_form()
            return
        if before.guided and not rule.guided and not self._unwritten(before.guided):
            # From here on it is written by hand, beginning with what was written so far.
            rule = replace(rule, sql=before.sql)
            await self._page.tell("sql", value=rule.sql)
        self._rule = rule
        if source != self._source:
            self._source = source
            await self._read_columns()
        await self._refresh()

    async def add_source(self, name: str) -> None:
        """Offer a source that was just uploaded, and watch it."""
        self._columns.pop(name, None)
        self._unread.pop(name, None)
        self._source = name
        await self._page.show("sources", editor.source_choices(self._sources(), name))
        if self._rule.guided:
            self._rule = replace(self._rule, guided=replace(self._rule.guided, source=name))
        await self._read_columns()
        self._previewed = ""
        await self._refresh()

    def _sources(self) -> dict[str, str]:
        sources = self._rules.sources
        return {name: sources.described(name) for name in sources.names()}

    async def _read_columns(self) -> None:
        name = self._source
        if not name or name in self._columns:
            return
        try:
            self._columns[name] = (await self._rules.columns([name]))[name]
            self._unread.pop(name, None)
        except (SourceError, QueryError, UnusableInput) as problem:
            self._unread[name] = str(problem)

    def _unwritten(self, guided: Guided) -> str:
        """Say why the guided way writes no query yet, "" if it does."""
        try:
            guided_sql(guided)
        except UnusableInput as problem:
            return str(problem)
        return ""

    async def _refresh(self) -> None:
        """Write the guided query, see what is wrong, show it all, and look at the data."""
        guided = self._rule.guided
        if guided is not None:
            guided = self._completed(guided)
            sql = "" if self._unwritten(guided) else guided_sql(guided)
            self._rule = replace(self._rule, guided=guided, sql=sql)
        self._problems = {
            AT_ANOTHER_LINE.get(name, name): str(problem)
            for name, problem in wrong_fields(self._rule).items()
        }
        self._start_preview()
        await self._show_form()
        if self._can_be_saved():
            self._start("saving", self._save_soon())

    def _completed(self, guided: Guided) -> Guided:
        """Have the recipient and what the message says in the answer of a jump, too."""
        named = [each.name for each in self._columns.get(guided.source, ())]
        used = [
            each
            for each in named
            if each == self._rule.to_column or f"{{{{ {each} }}}}" in self._rule.message
        ]
        key = () if self._rule.key == WHOLE_ROW else self._rule.key
        return replace(
            guided, source=self._source, key=key,
            also=tuple(used) if guided.comparison == "jump" else (),
        )  # fmt: skip

    # --- What it comes to ---

    def _start_preview(self) -> None:
        content = self._rule.fingerprint
        if content == self._previewed:
            return
        self._previewed = content
        self._stop_task("preview")
        self._stop_task("past")
        if not self._rule.sql.strip():
            self._is_previewing = False
            self._mistake, self._trouble, self._seen, self._past = None, "", None, None
            return
        self._is_previewing = True
        self._start("preview", self._preview(self._rule))

    async def _preview(self, rule: Rule) -> None:
        looked_at = replace(rule, key=rule.key or WHOLE_ROW)
        mistake: QueryError | None = None
        trouble = ""
        try:
            preview = await self._rules.preview(looked_at)
        except QueryError as problem:
            mistake = problem
        except (SourceError, UnusableInput) as problem:
            trouble = str(problem)
        except Exception as error:  # noqa: BLE001 - said where the rows would be
            trouble = failure_sentence(error)
        else:
            self._seen = Seen(rule, preview, datetime.now(UTC))
            known = {each.key for each in preview.rows}
            self._chosen = frozenset(self._chosen & known)
        self._mistake, self._trouble = mistake, trouble
        self._is_previewing = False
        await self._show_form()
        if not (mistake or trouble):
            self._start("past", self._look_back(looked_at))

    async def _look_back(self, rule: Rule) -> None:
        self._past = None
        try:
            self._past = await self._rules.past_alerts(rule)
        except (QueryError, SourceError, UnusableInput) as problem:
            self._past = PastAlerts((), str(problem))
        except Exception as error:  # noqa: BLE001 - said in the place of the chart
            self._past = PastAlerts((), failure_sentence(error))
        await self._show_past()

    # --- Saving and switching ---

    def _is_changed(self) -> bool:
        return self._saved is None or self._saved.fingerprint != self._rule.fingerprint

    def _can_be_saved(self) -> bool:
        """Whether it is saved by itself: what is on changes only when somebody says so."""
        is_begun = bool(self._rule.name.strip())
        return is_begun and not self._rule.is_checked and self._is_changed() and not self._problems

    async def _save_soon(self) -> None:
        await asyncio.sleep(SECONDS_BEFORE_SAVING)
        await self._save()
        await self._show_form()

    async def _save(self) -> bool:
        """Save the rule as it is in the form; return whether it is."""
        self._stop_task("saving", unless_current=True)
        content = self._rule
        is_new = not content.id
        try:
            saved = await self._rules.save(content, self._by)
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
        # What was typed meanwhile stays.
        self._rule = replace(
            self._rule, id=saved.id, revision=saved.revision, state=saved.state,
            changed_by=saved.changed_by, changed_at=saved.changed_at,
        )  # fmt: skip
        if is_new:
            await self._page.tell("address", value=link(saved.id))
        self._page.refresh()
        return True

    def _why_not(self) -> str:
        """Say what keeps the rule from being switched on, "" if nothing does."""
        if self._mistake is not None:
            line = self._mistake.line
            return f"Line {line} needs a fix first." if line else "The query needs a fix first."
        if self._trouble:
            return "Its data can't be read now." if self._seen else self._trouble
        if self._rule.guided and (unwritten := self._unwritten(self._rule.guided)):
            return unwritten
        wanting = [*self._problems.values(), *map(str, missing_fields(self._rule).values())]
        if wanting:
            return wanting[0]
        if self._save_problem:
            return self._save_problem
        if self._is_previewing or self._seen is None:
            return "Looking at the data first…"
        return ""

    async def on_turn_on(self, *_: object) -> None:
        """Switch the rule on, as it was previewed, and with what was decided."""
        seen = self._seen
        if self._why_not() or seen is None or seen.rule.fingerprint != self._rule.fingerprint:
            await self._show_form()
            return
        tell = self._chosen if self._telling == "choose" and seen.preview.total else frozenset()
        if self._is_changed() and not await self._save():
            await self._show_form()
            return
        await self._rules.turn_on(
            self._rule.id, seen.preview.fingerprint, set(tell) or "none", self._by
        )
        await self._reload_state()
        self._telling, self._chosen = "none", frozenset()
        await self._page.say(f"{self._rule.name} is on.")
        await self._show_form()
        await self._page.tell("focus", value="rules-heading")

    async def on_save(self, *_: object) -> None:
        """Take the changes of a rule that is on over."""
        if not self._why_not() and await self._save():
            self._previewed = ""
            self._start_preview()
            await self._page.say("The changes are saved.")
        await self._show_form()

    async def on_turn_off(self, *_: object) -> None:
        """Switch the rule off."""
        await self._rules.turn_off(self._rule.id, self._by)
        await self._reload_state()
        await self._page.say(f"{self._rule.name} is off: nothing is checked.")
        await self._show_form()

    async def on_telling(self, _: str, value: str, __: Mapping[str, object]) -> None:
        """Take over what to do about the rows that are bad already."""
        self._telling = "choose" if value == "choose" else "none"
        await self._show_form()
        if self._telling == "choose" and self._seen:
            rows = self._seen.preview.rows
            sheet = result.choose_sheet(
                "Which to tell about", rows, self._chosen, "choose_keys", "Choose these"
            )
            await self._page.sheet(sheet)

    async def on_choose_keys(self, _: str, __: str, fields: Mapping[str, object]) -> None:
        """Take over which of the bad rows are told about."""
        keys = fields.get("keys")
        self._chosen = frozenset(
            each for each in (keys if isinstance(keys, list) else ()) if isinstance(each, str)
        )
        await self._show_form()

    async def _reload_state(self) -> None:
        if found := await self._rules.get(self._rule.id):
            self._saved = found
            self._rule = replace(self._rule, state=found.state, revision=found.revision)
        self._page.refresh()

    # --- What is pressed elsewhere in the editor ---

    async def on_key_add(self, _: str, value: str, __: Mapping[str, object]) -> None:
        """Add a column that a row is known by."""
        added = value.removeprefix("+")
        key = (*self._rule.key, added) if added not in self._rule.key else self._rule.key
        self._rule = replace(self._rule, key=WHOLE_ROW if added == WHOLE_ROW[0] else key)
        await self._refresh()
        await self._page.tell("focus", value="rules-key")

    async def on_key_remove(self, record: str, *_: object) -> None:
        """Take a column out of the key."""
        self._rule = replace(
            self._rule, key=tuple(each for each in self._rule.key if each != record)
        )
        await self._refresh()
        await self._page.tell("focus", value="rules-key")

    async def on_to_sql(self, *_: object) -> None:
        """Go on writing by hand the query that the guided way has written."""
        await self._page.tell("sql", value=self._rule.sql)
        await self._page.tell("way", value="sql")
        self._rule = replace(self._rule, guided=None)
        await self._refresh()

    async def on_look_again(self, *_: object) -> None:
        """Look at the data once more."""
        self._previewed = ""
        self._start_preview()
        await self._show_form()

    async def on_see_all(self, *_: object) -> None:
        """Show every bad row."""
        if self._seen:
            await self._page.sheet(result.all_rows_sheet(self._seen, self._zone))

    async def on_check_now(self, *_: object) -> None:
        """Check the rule at once, whenever it is due."""
        report = await self._rules.check_now(self._rule.id)
        await self._page.say(report.sentence)
        await self._show_episodes()

    async def on_versions(self, *_: object) -> None:
        """Show who changed what."""
        versions = await self._rules.versions(self._rule.id)
        await self._page.sheet(sheets.versions_sheet(versions, self._zone))

    async def on_bring_back(self, record: str, *_: object) -> None:
        """Put an earlier version into the form."""
        for version in await self._rules.versions(self._rule.id):
            if str(version.revision) == record:
                await self._page.tell("close")
                await self._page.tell("reopen", value=record)

    async def on_mute_sheet(self, *_: object) -> None:
        """Show who isn't told, and for how long nobody could be."""
        self._muting = ""
        await self._show_mutes()

    async def on_mute_key(self, record: str, value: str, _: Mapping[str, object]) -> None:
        """Show for how long nobody is told of one row."""
        self._muting = value[:200]
        await self._show_mutes(record)

    async def _show_mutes(self, key: str = "") -> None:
        mutes = await self._rules.mutes(self._rule.id)
        sheet = sheets.mute_sheet(self._rule, mutes, self._zone, key, self._muting)
        await self._page.sheet(sheet)

    async def on_mute(self, record: str, value: str, _: Mapping[str, object]) -> None:
        """Tell nobody of the rule, or of one of its rows, for so many minutes."""
        minutes = float(value) if value in sheets.MUTE_CHOICES and value else None
        until = None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes)
        await self._rules.mute(self._rule.id, key=record or None, until=until, by=self._by)
        await self._page.tell("close")
        what = self._muting if record else self._rule.name
        await self._page.say(f"Nobody is told of {what} meanwhile.")
        await self._show_tools()

    async def on_unmute(self, record: str, *_: object) -> None:
        """End a mute."""
        await self._rules.unmute(record, self._by)
        await self._show_mutes()
        await self._show_tools()

    async def on_export(self, *_: object) -> None:
        """Hand the rule over as TOML, for a folder under version control."""
        name = "".join(each if each.isalnum() else "-" for each in self._rule.name.lower())
        await self._page.tell("download", name=f"{name}.toml", value=write_rules([self._rule]))

    async def on_remove(self, *_: object) -> None:
        """Ask whether the rule is to be removed."""
        await self._page.sheet(sheets.removal_sheet(self._rule))

    async def on_really_remove(self, *_: object) -> None:
        """Remove the rule and go back to the list."""
        await self._rules.delete(self._rule.id, self._by)
        self._saved = self._rule
        await self._page.tell("close")
        await self._page.say(f"{self._rule.name} is removed.")
        self._page.refresh()
        await self._page.tell("go", value=link())

    # --- Showing ---

    async def _show_form(self) -> None:
        rule, show = self._rule, self._page.show
        await self._show_saved()
        for name in LINES:
            sentence = self._problems.get(name, "")
            is_begun = name not in NOT_YET_WRONG or self._saved is not None
            if name == "delivery":
                elsewhere = [each for each in self._problems if each not in OWN_PLACES]
                sentence = self._problems[elsewhere[0]] if elsewhere else ""
            await show(f"line-{name}", wrong(sentence) if sentence and is_begun else TagList())
        await self._show_query()
        names = self._offered()
        await show("key", editor.key_and_recipients(rule, names, self._problems))
        usable = [each for each in names if each.isidentifier()]
        await show("variables", editor.variables(names, usable) or TagList())
        await show("how", editor.how_words(rule))
        await show("after", editor.after_words(rule))
        await show("voices", editor.voices(rule))
        await show("time-column", editor.time_column(rule, self._source_names()))
        await show(
            "bad-now",
            result.bad_now(
                self._seen,
                str(self._mistake or self._trouble),
                self._zone,
                is_reading=self._is_previewing,
            ),
        )
        await self._show_past()
        await show(
            "turn-on",
            result.turn_on(
                Decision(
                    rule, self._seen, self._why_not(), self._telling, self._chosen,
                    self._is_changed(),
                )
            ),
        )  # fmt: skip
        await self._show_tools()

    async def _show_saved(self) -> None:
        rule, saved = self._rule, self._saved
        await self._page.tell("heading", value=rule.name or "New rule")
        at = clock(saved.changed_at, self._zone) if saved and saved.changed_at else ""
        states = {"draft": "Draft", "on": "On", "paused": "Off", "held": "Held"}
        words = f"{states[rule.state]}, saved {at}" if saved else "Not saved yet"
        if saved and self._is_changed():
            words = f"{states[rule.state]}, changed since {at}"
        if self._save_problem:
            await self._page.show("saved", wrong(self._save_problem))
            return
        if saved and saved.changed_by and saved.changed_by != self._by:
            words += f" by {saved.changed_by}"
        await self._page.show("saved", tags.span(words))

    async def _show_query(self) -> None:
        rule, show = self._rule, self._page.show
        columns = self._columns.get(self._source, ())
        problem = self._unread.get(self._source, "")
        await show("columns", editor.column_chips(self._source, columns, problem))
        guided = rule.guided or Guided(self._source, "", "over")
        await show("guided", guided_tag(guided, columns))
        await show("written-sql", rule.sql if rule.guided else "")
        mistake = self._mistake
        if mistake is not None:
            line = editor.sql_line(None, 0, mistake.sentence, mistake.line, mistake.fix)
        elif sentence := self._problems.get("sql") or self._trouble:
            line = editor.sql_line(None, 0, sentence)
        elif not rule.sql.strip():
            hint = self._unwritten(guided) if rule.guided else "Each row that it returns is bad."
            line = TagList(tags.span(hint, class_="cb-quiet"))
        elif self._is_previewing or self._seen is None:
            line = editor.sql_line(None, 0)
        else:
            line = editor.sql_line(self._seen.preview.total, self._seen.preview.seconds)
        await show("sql-line", line)
        if mistake is not None and mistake.line and not rule.guided:
            place = {"column": mistake.column or 0, "length": mistake.length or 0}
            await self._page.tell("mark", line=mistake.line, **place)
        else:
            await self._page.tell("unmark")

    def _source_names(self) -> list[str]:
        return [each.name for each in self._columns.get(self._source, ())]

    def _offered(self) -> list[str]:
        """Return the columns that a key and a message can have."""
        of_query = [each.name for each in self._seen.preview.columns] if self._seen else []
        if not self._rule.guided:
            return of_query
        return list(dict.fromkeys([*self._source_names(), *of_query]))

    async def _show_past(self) -> None:
        is_reading = self._is_previewing or "past" in self._tasks
        await self._page.show("month", result.last_month(self._past, is_reading=is_reading))

    async def _show_tools(self) -> None:
        muted = len(await self._rules.mutes(self._rule.id)) if self._rule.id else 0
        await self._page.show("tools", sheets.tools(self._rule, muted) or TagList())

    async def _keep_showing_episodes(self) -> None:
        while True:
            await self._show_episodes()
            await asyncio.sleep(SECONDS_BETWEEN_EPISODES)

    async def _show_episodes(self) -> None:
        if not self._rule.id:
            return
        try:
            found = await self._rules.episodes(self._rule.id)
        except Exception as error:  # noqa: BLE001 - said where they would be
            content: TagChild = wrong(failure_sentence(error))
        else:
            content = sheets.episodes_tag(self._rule, found, self._zone) or TagList()
        await self._page.show("episodes", content)

    # --- Tasks ---

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._stop_task(name)
        task = asyncio.create_task(work, name=f"rule editor: {name}")
        self._tasks[name] = task

        def forget(done: asyncio.Task[None]) -> None:
            if self._tasks.get(name) is done:
                del self._tasks[name]

        task.add_done_callback(forget)

    def _stop_task(self, name: str, *, unless_current: bool = False) -> None:
        task = self._tasks.get(name)
        if task and not (unless_current and task is asyncio.current_task()):
            task.cancel()
