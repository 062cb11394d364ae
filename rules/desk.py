"""RuleDesk: how pages and the shell write rules, look at what is bad, and switch them on."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from access.actor import Actor, Permission
from access.audit import write_entries
from access.audit_entry import Action, AuditEntry, Kind
from alerts import Desk, UnusableInput
from database.database import Database
from people.directory import Directory
from rules.audience import Address, read_owners
from rules.check import CheckReport
from rules.checker import RuleChecker
from rules.episodes import Tell
from rules.held import answer_held, read_held_rows
from rules.mutes import Mute, Mutes
from rules.overview import EpisodeRow, RuleOverview, read_episodes, read_facts, watched_sources
from rules.preview import PastAlerts, Preview, Previewer, PreviewRow, RecentPreviews, read_followed
from rules.reading import RuleReader
from rules.rule import Rule, check_complete
from rules.rule_files import write_rules
from rules.sandbox import Column, Protections, Sandbox
from rules.saved_rules import SavedRules, Switched
from rules.sources import Sources
from rules.sources.names import name_of_file
from rules.sources.shapes import ShapeChange
from rules.sources.uploads import Upload
from settings import Settings

__all__ = [
    "CheckReport",
    "EpisodeRow",
    "Mute",
    "PastAlerts",
    "Preview",
    "PreviewRow",
    "RuleDesk",
    "RuleOverview",
]

LOOK_FIRST = "Look at what is bad now once more: the rule isn't what it was then."
GONE = "This rule was deleted."


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is made once the database is open."""

    database: Database
    saved: SavedRules
    mutes: Mutes
    previewer: Previewer


class _Shared:
    """What the RuleDesks of a process share, for all actors."""

    def __init__(self) -> None:
        self.opened: _Opened | None = None
        self.previews = RecentPreviews()


class RuleDesk:
    """The rules of a desk's account. Pages and the shell use nothing else. For one event loop.

    It acts for its desk's `actor`. Methods raise `NotAllowed`, and do nothing, where the actor
    lacks the permission: changing rules takes WRITE, and everything that shows them takes LOOK.
    `checker` checks the rules that are due while its `run` runs; it acts for the process.
    """

    def __init__(self, desk: Desk, sources: Sources, sandbox: Sandbox) -> None:
        self.desk = desk
        self.checker = RuleChecker(desk, sources, sandbox)
        self._sources = sources
        self._sandbox = sandbox
        self._account_sid = desk.services.twilio.account_sid
        self._time_zone = desk.services.time_zone
        self._shared = _Shared()

    def acting_as(self, actor: Actor) -> RuleDesk:
        """Return a RuleDesk that acts for `actor`: with the same rules, sources and checks."""
        rules = copy.copy(self)
        rules.desk = self.desk.acting_as(actor)
        return rules

    @property
    def actor(self) -> Actor:
        """Who it acts for."""
        return self.desk.actor

    @classmethod
    def from_settings(cls, settings: Settings, desk: Desk) -> Self:
        """Read sources.toml and prepare a sandbox. Raises `SettingsError` for what is wrong there.

        Starts no process and opens no connection yet.
        """
        sandbox = Sandbox()
        return cls(desk, Sources.from_settings(settings, sandbox.columns), sandbox)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the sandbox's processes and close the sources. The desk stays open."""
        await self._sources.close()
        await self._sandbox.close()

    def protections(self) -> Protections:
        """Return what this machine adds to DuckDB's own locks."""
        self.actor.require(Permission.ADMINISTER, "see what protects the queries", Kind.SETTINGS)
        return self._sandbox.protections()

    # --- Rules ----------------------------------------------------------------------------------

    async def all(self) -> list[Rule]:
        """Return every rule, by name."""
        self.actor.require(Permission.LOOK)
        return await (await self._open()).saved.all()

    async def get(self, rule_id: str) -> Rule | None:
        """Return a rule; None if there is none with that id."""
        self.actor.require(Permission.LOOK)
        return await (await self._open()).saved.get(rule_id)

    async def by_name(self, name: str) -> Rule | None:
        """Return the rule of a name, in upper or lower case; None if there is none."""
        self.actor.require(Permission.LOOK)
        return await (await self._open()).saved.by_name(name)

    async def save(self, rule: Rule) -> Rule:
        """Save a rule as a new revision, see `SavedRules.save`. Raises `UnusableInput`."""
        self.actor.require(Permission.WRITE, "save a rule", Kind.RULES)
        done = self._done(Action.CHANGED if rule.id else Action.ADDED, rule)
        saved = await (await self._open()).saved.save(rule, self.actor.name, done)
        self.checker.look()
        return saved

    async def versions(self, rule_id: str) -> list[Rule]:
        """Return every revision of a rule, newest first."""
        self.actor.require(Permission.LOOK)
        return await (await self._open()).saved.versions(rule_id)

    async def export(self, rules: Sequence[Rule]) -> str:
        """Return these rules as a TOML file's text, and record the export in the audit trail."""
        self.actor.require(Permission.LOOK, "export rules", Kind.RULES)
        one = rules[0] if len(rules) == 1 else None
        about, about_id = (one.name, one.id) if one else (f"{len(rules):,} rules", "")
        await self._record(AuditEntry.by(self.actor, Action.EXPORTED, Kind.RULES, about, about_id))
        return write_rules(rules)

    async def switched(self) -> dict[str, Switched]:
        """Return when each rule entered its state and who switched it, by the rule's id."""
        self.actor.require(Permission.LOOK)
        return await (await self._open()).saved.switched()

    async def delete(self, rule_id: str) -> None:
        """Delete a rule. Its alerts stay, and go on."""
        self.actor.require(Permission.WRITE, "remove a rule", Kind.RULES)
        saved = (await self._open()).saved
        rule = await saved.get(rule_id)
        done = self._done(Action.REMOVED, rule) if rule else None
        await saved.delete(rule_id, self.actor.name, done)

    async def overview(self) -> list[RuleOverview]:
        """Return what the list of rules shows, by name."""
        self.actor.require(Permission.LOOK)
        database = (await self._open()).database
        facts = await database.read(
            lambda connection: read_facts(connection, self._account_sid, self._time_zone)
        )
        watched = await asyncio.gather(
            *(watched_sources(each, self._sources, self._sandbox) for each in facts)
        )
        on = [each.rule for each in facts if each.rule.is_checked]
        owners = await read_owners(on, self.desk.services.regions, Directory(database))
        return [
            each.overview(watches, owners.get(each.rule.id, Address()))
            for each, watches in zip(facts, watched, strict=True)
        ]

    async def workers(self) -> int:
        """Return how many processes check rules: workers, or this one where there are none."""
        self.actor.require(Permission.LOOK)
        return await self.desk.workers() or int(self.desk.delivers)

    # --- What is bad ----------------------------------------------------------------------------

    async def preview(self, rule: Rule) -> Preview:
        """Return what a rule, saved or not, finds bad now, and who would be told what.

        A query that isn't saved may ask for anything in the sources, so it takes WRITE.
        Raises `QueryError`, which says where in the query; `SourceError`; and `UnusableInput`.
        """
        await self._require_for_query(rule)
        opened = await self._open()
        followed = None
        if rule.id:
            followed = await opened.database.read(
                lambda connection: read_followed(connection, self._account_sid, rule.id)
            )
        preview = await opened.previewer.preview(rule, followed)
        self._shared.previews.add(preview)
        return preview

    async def past_alerts(self, rule: Rule, days: int = 30) -> PastAlerts:
        """Return how often a rule would have alerted on each of the last days, or why not."""
        await self._require_for_query(rule)
        return await (await self._open()).previewer.past_alerts(rule, days)

    async def episodes(self, rule_id: str) -> list[EpisodeRow]:
        """Return the episodes of what is bad now, then those that were over last."""
        self.actor.require(Permission.LOOK)
        return await self._episodes(rule_id)

    async def held_rows(self, rule_id: str) -> list[PreviewRow]:
        """Return the things that wait for a person's decision, and who would be told of them."""
        self.actor.require(Permission.LOOK)
        database, rule = (await self._open()).database, await self._known(rule_id)
        return await read_held_rows(database, self._account_sid, rule, self.desk.services.regions)

    # --- Sources --------------------------------------------------------------------------------

    @property
    def sources_problem(self) -> str:
        """What is wrong with sources.toml, in a sentence; "" if nothing is."""
        self.actor.require(Permission.LOOK)
        return self._sources.problem

    def sources(self) -> dict[str, str]:
        """Return every source by name, each with a description."""
        self.actor.require(Permission.LOOK)
        return {name: self._sources.described(name) for name in self._sources.names()}

    async def columns(self, source_names: Iterable[str]) -> dict[str, tuple[Column, ...]]:
        """Return the columns of sources, by name. Raises `SourceError` and `QueryError`."""
        self.actor.require(Permission.LOOK)
        snapshots = await self._sources.fetch(source_names)
        return {name: each.table.columns for name, each in snapshots.items()}

    async def notes(self, source: str) -> tuple[str, ...]:
        """Return a sentence for each column of a CSV that is read as text, with what to do."""
        self.actor.require(Permission.LOOK)
        return tuple((await self._sources.notes(source)).values())

    async def notes_of(self, rule: Rule) -> tuple[str, ...]:
        """Return the same for the columns that the rule's query names.

        Raises `QueryError`, `SourceError` and `UnusableInput` where the rule can't be checked.
        """
        self.actor.require(Permission.LOOK)
        reader = (await self._open()).previewer.reader
        found = [await self._sources.notes(each) for each in (await reader.fetch(rule)).snapshots]
        sql = rule.sql.casefold()
        return tuple(
            sentence
            for notes in found
            for column, sentence in notes.items()
            if column.casefold() in sql
        )

    async def shape_change(self, source: str) -> ShapeChange | None:
        """Return how a source's columns differ from those that were known; None if they don't."""
        self.actor.require(Permission.LOOK)
        return await self._sources.shape_change(source)

    async def accept_shape(self, source: str) -> None:
        """Accept a source's columns as they are now. Raises `SourceError` and `QueryError`."""
        self.actor.require(Permission.WRITE, "accept changed columns of a source", Kind.SOURCES)
        await self._sources.accept_shape(source)
        await self._record_source(Action.CHANGED, source)

    def uploads(self) -> dict[str, Upload]:
        """Return the uploaded sources by name."""
        self.actor.require(Permission.LOOK)
        return self._sources.uploads()

    async def upload(self, name: str, file: Path) -> str:
        """Keep an uploaded file as a source; returns the source's name.

        `name` is the file's own. Raises `UnusableInput`.
        """
        self.actor.require(Permission.WRITE, "upload a source", Kind.SOURCES)
        by = self.actor.name
        added = await self._sources.add_upload(name_of_file(name), file, name, by)
        # The file isn't in the database, so the entry is written once the file is saved.
        await self._record_source(Action.UPLOADED, added.name)
        return added.name

    async def remove_upload(self, name: str) -> None:
        """Remove an uploaded source. Rules that watch it can't be checked any more."""
        self.actor.require(Permission.WRITE, "remove a source", Kind.SOURCES)
        is_known = name in self._sources.uploads()
        await self._sources.remove_upload(name)
        if is_known:
            await self._record_source(Action.REMOVED, name)

    # --- Switching ------------------------------------------------------------------------------

    async def turn_on(self, rule_id: str, preview_fingerprint: str, tell: Tell) -> CheckReport:
        """Switch a rule on; of what is bad already, tell "none", "all", or these keys (by hash).

        The decision is written together with the first check, so that each key is told exactly
        once. Raises `UnusableInput` about `revision` if the rule wasn't previewed as it is now, or
        about a field that the rule lacks; raises `QueryError` if it can't be checked. In all these
        cases the rule stays off.
        """
        self.actor.require(Permission.WRITE, "turn on a rule", Kind.RULES)
        rule = await self._known(rule_id)
        preview = self._shared.previews.get(preview_fingerprint)
        if preview is None or rule.fingerprint != preview_fingerprint:
            raise UnusableInput("revision", LOOK_FIRST)
        check_complete(rule)
        for field, sentence in preview.problems.items():
            raise UnusableInput(field, sentence)
        done = self._done(Action.TURNED_ON, rule, told=_told(tell))
        report = await self.checker.turn_on(rule_id, rule.revision, tell, self.actor.name, done)
        if report.result == "failed":
            raise report.error or UnusableInput("rule", report.failure)
        if report.result == "superseded":
            raise UnusableInput("revision", LOOK_FIRST)
        return report

    async def turn_off(self, rule_id: str) -> None:
        """Stop checking a rule. What is bad stays as it is. Raises `UnusableInput`."""
        self.actor.require(Permission.WRITE, "turn off a rule", Kind.RULES)
        done = self._done(Action.TURNED_OFF, await self._known(rule_id))
        await (await self._open()).saved.switch_off(rule_id, self.actor.name, done)

    async def check_now(self, rule_id: str, *, dry_run: bool = False) -> CheckReport:
        """Check a rule whether it is due or not; with `dry_run` nothing is written or told.

        Raises `UnusableInput` about `rule` if it is unknown or, unless `dry_run`, off.
        """
        needed = Permission.LOOK if dry_run else Permission.WRITE
        self.actor.require(needed, "check a rule", Kind.RULES)
        report = await self.checker.check_once(rule_id, dry_run=dry_run)
        if not dry_run:
            # Recorded afterwards, because a check has transactions of its own.
            await self._record(self._done(Action.CHECKED, report.rule))
        return report

    async def answer_held(self, rule_id: str, keys: Tell) -> int:
        """Let a held rule go on: tell "all" that waits, "none", or the keys with these hashes.

        Returns how many are told. Raises `UnusableInput` if another person has decided already.
        """
        self.actor.require(Permission.WRITE, "decide about what a rule holds", Kind.RULES)
        database = (await self._open()).database
        rule = await self._known(rule_id)
        done = self._done(Action.DECIDED, rule, told=_told(keys))
        told = await answer_held(
            database, self._account_sid, rule_id, keys, self.actor.name, audit=done
        )
        self.checker.look()
        return told

    # --- Muting ---------------------------------------------------------------------------------

    async def mute(
        self,
        rule_id: str,
        *,
        key: str | None = None,
        recipient: str | None = None,
        until: datetime | None = None,
        weekly: str = "",
    ) -> Mute:
        """Mute a rule, the key with this hash, or a recipient.

        It holds until `until`, or until a person ends it (None); with `weekly`, such as "sat sun",
        only at those times. Raises `UnusableInput`.
        """
        self.actor.require(Permission.WRITE, "mute a rule, a row or a recipient", Kind.RULES)
        opened = await self._open()
        rule = await opened.saved.get(rule_id) if rule_id else None
        words = ""
        if key:
            known = await self._episodes(rule_id)
            words = next((each.words for each in known if each.key_hash == key), "")
        return await opened.mutes.add(
            rule_id,
            key_hash=key or "",
            key_words=words,
            recipient=recipient or "",
            until=until,
            weekly=weekly,
            time_zone=self._time_zone,
            by=self.actor.name,
            audit=self._done(
                Action.MUTED,
                rule,
                row=words,
                recipient=recipient or "",
                until=f"{until:%Y-%m-%d %H:%M %Z}" if until else weekly,
            ),
        )

    async def unmute(self, mute_id: str) -> None:
        """End a mute. What is still bad is told at the next check."""
        self.actor.require(Permission.WRITE, "unmute a rule, a row or a recipient", Kind.RULES)
        opened = await self._open()
        mute = next((each for each in await opened.mutes.all() if each.id == mute_id), None)
        rule = await opened.saved.get(mute.rule_id) if mute and mute.rule_id else None
        words, whom = (mute.key_words, mute.recipient) if mute else ("", "")
        done = self._done(Action.UNMUTED, rule, row=words, recipient=whom)
        await opened.mutes.end(mute_id, done)
        self.checker.look()

    async def mutes(self, rule_id: str | None = None) -> list[Mute]:
        """Return the mutes that haven't ended, of a rule or of all."""
        self.actor.require(Permission.LOOK)
        return await (await self._open()).mutes.all(rule_id)

    # --- Inside ---------------------------------------------------------------------------------

    async def _open(self) -> _Opened:
        if self._shared.opened is None:
            database = (await self.desk.opening.runtime()).database
            regions = self.desk.services.regions
            self._shared.opened = _Opened(
                database,
                SavedRules(database, self._account_sid, self._time_zone),
                Mutes(database, self._account_sid),
                Previewer(
                    RuleReader(self._sources, self._sandbox, self._time_zone),
                    Directory(database),
                    regions,
                    self.desk.composed,
                ),
            )
        return self._shared.opened

    def _done(self, action: Action, rule: Rule | None, **details: str | int) -> AuditEntry:
        """Return the entry of the audit trail for what the actor does to a rule, or to all."""
        about, about_id = (rule.name, rule.id) if rule else ("all rules", "")
        said = {name: value for name, value in details.items() if value != ""}
        return AuditEntry.by(self.actor, action, Kind.RULES, about, about_id, **said)

    async def _record(self, entry: AuditEntry) -> None:
        database = (await self._open()).database
        await database.write(lambda connection: write_entries(connection, [entry]))

    async def _record_source(self, action: Action, name: str) -> None:
        await self._record(AuditEntry.by(self.actor, action, Kind.SOURCES, name, name))

    async def _episodes(self, rule_id: str) -> list[EpisodeRow]:
        database = (await self._open()).database
        return await database.read(
            lambda connection: read_episodes(connection, self._account_sid, rule_id)
        )

    async def _require_for_query(self, rule: Rule) -> None:
        """Raise `NotAllowed` unless the actor may run this rule's query."""
        self.actor.require(Permission.LOOK)
        if not self.actor.may(Permission.WRITE):
            saved = await self.get(rule.id) if rule.id else None
            if saved is None or saved.fingerprint != rule.fingerprint:
                self.actor.require(Permission.WRITE, "run a query of their own", Kind.RULES)

    async def _known(self, rule_id: str) -> Rule:
        rule = await (await self._open()).saved.get(rule_id)
        if rule is None:
            raise UnusableInput("rule", GONE)
        return rule


def _told(tell: Tell) -> str | int:
    """Say about how many of the rows people are told."""
    if isinstance(tell, str):
        return {"none": "nobody", "all": "about all rows"}.get(tell, tell)
    return len(tell)
