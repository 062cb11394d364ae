"""What is held for a person's decision, and the decision: which of it is told."""

from __future__ import annotations

import re

import sqlalchemy as sa

from access.audit import write_entries
from access.audit_entry import AuditEntry
from alerts.emergency_stop import Stopped, read_stop
from alerts.errors import UnusableInput
from alerts.phone_numbers import Regions
from database.database import Database
from database.transactions import database_time
from people.directory import Directory
from rules.audience import read_audience
from rules.episodes import Tell, after_answer
from rules.keys import Case, shown
from rules.overview import EpisodeRow, read_episodes
from rules.preview import PreviewRow
from rules.rule import Rule
from rules.rule_state import UPDATE_EPISODE, read_open, read_state, which_episode
from rules.saved_rules import read_rule
from rules.tables import rule_state

# Built once, because tens of thousands of keys can be held.
CHANGED = ("state", "since", "since_check", "fired_at", "is_told")
ANSWER = UPDATE_EPISODE.values({name: sa.bindparam(name) for name in CHANGED})
NOTHING_HELD = "Nothing of this rule is held any more: another person has decided already."


async def read_held_rows(
    database: Database, account_sid: str, rule: Rule, regions: Regions
) -> list[PreviewRow]:
    """Return a rule's held rows, and who would be told of each, with row 9 before row 10."""
    found = await database.read(
        lambda connection: read_episodes(connection, account_sid, rule.id, only_held=True)
    )
    cases = [_case_of(rule, each) for each in found]
    audience = await read_audience(rule, cases, regions, Directory(database))
    rows = []
    for each in found:
        address = audience.of[each.key_hash]
        cells = {name: shown(value) for name, value in each.cells.items()}
        problem = " ".join(address.problems)
        rows.append(PreviewRow(each.key_hash, (each.words,), cells, address.recipients, problem))
    return sorted(rows, key=lambda row: _natural(row.title[0]))


def _case_of(rule: Rule, episode: EpisodeRow) -> Case:
    """Rebuild the case of an episode from what was kept of it, to look up whom it is for."""
    column = rule.to_column.casefold()
    to = [shown(cell).strip() for name, cell in episode.cells.items() if name.casefold() == column]
    cells = tuple(episode.cells.values())
    return Case(episode.key_hash, {}, cells, to=tuple(to) if column else ())


def _natural(words: str) -> list[tuple[int, str]]:
    """Return a sort key by which 9 comes before 10."""
    parts = re.findall(r"\d+|\D+", words)
    return [(int(each[:30]), "") if each.isdecimal() else (-1, each) for each in parts]


async def answer_held(
    database: Database,
    account_sid: str,
    rule_id: str,
    tell: Tell,
    by: str,
    *,
    audit: AuditEntry | None = None,
) -> int:
    """Decide which of a held rule's keys are told: "all", "none", or those with these hashes.

    The rule is checked again at once, and those that are still bad are told; returns how many may
    be told. The others are known from now on. Raises `UnusableInput` about `rule` if nothing is
    held: if two people decide, only the first decision counts. Raises `Stopped` while everything is
    stopped. `audit` is written with it.
    """

    decided: dict[str, int] = {}

    def answer(connection: sa.Connection) -> int:
        rule = read_rule(connection, account_sid, rule_id, lock=True)
        state = read_state(connection, account_sid, rule_id, lock=True)
        if rule is None or state is None:
            raise UnusableInput("rule", NOTHING_HELD)
        now = database_time(connection)
        if state["check_number"] == decided.get("number"):
            return decided["told"]  # the transaction went through before and runs again
        if stop := read_stop(connection, account_sid):
            raise Stopped(stop)
        if state["state"] != "held":
            raise UnusableInput("rule", NOTHING_HELD)
        open_ = read_open(connection, account_sid, rule_id)
        answered = after_answer(open_.values(), tell, at=now, check=state["counted_checks"])
        changed = [
            {name: getattr(each, name) for name in CHANGED}
            | which_episode(account_sid, rule_id, each)
            for each in answered.values()
        ]
        if changed:
            connection.execute(ANSWER, changed)
        connection.execute(
            sa.update(rule_state)
            .where(rule_state.c.rule_id == rule_id, rule_state.c.account_sid == account_sid)
            .values(
                state="on",
                state_at=now,
                state_by=by,
                next_check_at=now,
                # A check that is under way began before the decision, so make it not count.
                check_number=state["check_number"] + 1,
                leased_by=None,
                leased_until=None,
                # The data haven't changed, but the rows are needed to write the words.
                prints=None,
            )
        )
        write_entries(connection, [audit] if audit else [])
        decided["number"] = state["check_number"] + 1
        decided["told"] = sum(each.state == "firing" for each in answered.values())
        return decided["told"]

    return await database.write(answer)
