"""What a person decides about what is held: which of it is told. Each decision counts once."""

from __future__ import annotations

import sqlalchemy as sa

from access.audit import write_entries
from access.audit_entry import AuditEntry
from alerts.emergency_stop import Stopped, read_stop
from alerts.errors import UnusableInput
from database.clock import database_time
from database.database import Database
from rules.episodes import Tell, after_answer
from rules.saved_rules import read_rule
from rules.standing import read_open, read_state
from rules.tables import episodes, rule_state

NOTHING_HELD = "Nothing of this rule is held any more: somebody has decided already."


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

    The rule is checked again at once, which tells those that are still bad; returns how many may be
    told. The others are known from now on. Raises `UnusableInput` about `rule` if nothing is held:
    of two people who decide, the first has decided; `Stopped` while everything is stopped. `audit`
    is written with it.
    """

    decided: dict[str, int] = {}

    def answer(connection: sa.Connection) -> int:
        rule = read_rule(connection, account_sid, rule_id, lock=True)
        state = read_state(connection, account_sid, rule_id, lock=True)
        if rule is None or state is None:
            raise UnusableInput("rule", NOTHING_HELD)
        now = database_time(connection)
        if state["check_number"] == decided.get("number"):
            return decided["told"]  # this transaction runs again, and was saved before
        if stop := read_stop(connection, account_sid):
            raise Stopped(stop)
        if state["state"] != "held":
            raise UnusableInput("rule", NOTHING_HELD)
        open_ = read_open(connection, account_sid, rule_id)
        answered = after_answer(open_.values(), tell, at=now, check=state["counted_checks"])
        for key, each in answered.items():
            connection.execute(
                sa.update(episodes)
                .where(
                    episodes.c.rule_id == rule_id,
                    episodes.c.account_sid == account_sid,
                    episodes.c.key_hash == key,
                    episodes.c.number == each.number,
                )
                .values(
                    state=each.state,
                    since=each.since,
                    since_check=each.since_check,
                    fired_at=each.fired_at,
                    is_told=each.is_told,
                )
            )
        connection.execute(
            sa.update(rule_state)
            .where(rule_state.c.rule_id == rule_id, rule_state.c.account_sid == account_sid)
            .values(
                state="on",
                state_at=now,
                state_by=by,
                next_check_at=now,
                # A check that is under way was begun before the decision, and counts for nothing.
                check_number=state["check_number"] + 1,
                leased_by=None,
                leased_until=None,
                # Nothing of the data has changed, but the rows are needed for the words.
                prints=None,
            )
        )
        write_entries(connection, [audit] if audit else [])
        decided["number"] = state["check_number"] + 1
        decided["told"] = sum(each.state == "firing" for each in answered.values())
        return decided["told"]

    return await database.write(answer)
