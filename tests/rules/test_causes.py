"""From an alert to what made it: the rule, and the rows of data that it tells of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import AlertRequest, records
from alerts.alert import NewAlert
from database.database import Database
from rules.causes import cause_of
from rules.rule import Rule
from rules.saved_rules import SavedRules
from rules.tables import episode_alerts, episodes

ACCOUNT = "AC" + "1" * 32
CALL = AlertRequest("call", "+14125550121", "Two batches are bad.")


def episode(rule: Rule, key_hash: str, batch: int, began_at: float) -> dict[str, Any]:
    return {
        "rule_id": rule.id, "account_sid": ACCOUNT, "key_hash": key_hash, "number": 1,
        "state": "firing", "is_open": True, "key": {"batch": batch},
        "row": {"batch": batch, "diacetyl_ppb": 148.5, "note": None}, "began_at": began_at,
        "since": began_at, "since_check": 1, "returns_to": "", "is_told": True, "reminders": 0,
    }  # fmt: skip


async def add_alert(database: Database, alert_id: str, rule_id: str | None) -> None:
    now = datetime.now(UTC)
    new = [NewAlert(alert_id, CALL, "+14125550100", rule_id=rule_id)]
    await database.write(
        lambda connection: records.add(connection, ACCOUNT, new, now=now, known={}) and None
    )


async def test_an_alert_leads_to_its_rule_and_rows(database: Database, saved: SavedRules) -> None:
    rule = await saved.save(Rule(name="Diacetyl"), "Ann")
    await add_alert(database, "grouped", rule.id)
    told = [
        {
            "alert_id": "grouped", "account_sid": ACCOUNT, "rule_id": rule.id, "key_hash": each,
            "number": 1, "kind": "firing",
        }
        for each in ("k1", "k2")
    ]  # fmt: skip

    def write(connection: sa.Connection) -> None:
        rows = [episode(rule, "k2", 1408, 2.0), episode(rule, "k1", 1407, 1.0)]
        connection.execute(sa.insert(episodes), [*rows, episode(rule, "other", 9, 0.0)])
        connection.execute(sa.insert(episode_alerts), told)

    await database.write(write)
    cause = await cause_of(database, ACCOUNT, "grouped")
    assert cause is not None
    assert (cause.rule_id, cause.rule_name, cause.is_deleted) == (rule.id, "Diacetyl", False)
    assert [each.words for each in cause.rows] == ["1407", "1408"]
    assert cause.rows[0].cells == {"batch": 1407, "diacetyl_ppb": 148.5, "note": None}
    assert cause.total == 2
    assert await cause_of(database, "AC_other", "grouped") is None


async def test_an_alert_about_the_rule_itself_has_no_rows(
    database: Database, saved: SavedRules
) -> None:
    rule = await saved.save(Rule(name="Diacetyl"), "Ann")
    await add_alert(database, "health", rule.id)
    await saved.delete(rule.id, "Ann")
    cause = await cause_of(database, ACCOUNT, "health")
    assert cause is not None
    assert (cause.rule_name, cause.is_deleted, cause.rows) == ("Diacetyl", True, ())


@pytest.mark.parametrize("alert_id", ["by hand", "unknown"])
async def test_an_alert_that_a_person_sent_has_no_cause(database: Database, alert_id: str) -> None:
    await add_alert(database, "by hand", None)
    assert await cause_of(database, ACCOUNT, alert_id) is None
