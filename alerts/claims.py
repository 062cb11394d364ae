"""Alerts that no workflow delivers yet: taken up by whichever process comes first."""

from __future__ import annotations

import secrets
from collections.abc import Collection

import sqlalchemy as sa

from alerts.records import insert_new
from alerts.status import Status
from alerts.tables import alerts, executors

TOGETHER = 50


def own_workflow(account_sid: str, alert_id: str) -> str:
    """The workflow of an alert that is delivered alone; those of all accounts are in one table."""
    return f"{account_sid}-{alert_id}"


def claim_due(connection: sa.Connection, account_sid: str, now: float) -> tuple[str, list[str]]:
    """Claim alerts for a workflow that the caller starts: its id, and theirs, if any waits."""
    workflow_id = secrets.token_hex(16)
    waiting = (
        sa.select(alerts.c.id)
        .where(
            alerts.c.account_sid == account_sid,
            alerts.c.is_open,
            alerts.c.workflow_id.is_(None),
            alerts.c.due_at <= now,
        )
        .order_by(alerts.c.due_at)
        .limit(TOGETHER)
        .with_for_update(skip_locked=True)
    )
    claimed = list(connection.scalars(waiting))
    connection.execute(
        sa.update(alerts)
        .where(alerts.c.account_sid == account_sid, alerts.c.id.in_(claimed))
        .values(workflow_id=workflow_id)
    )
    return workflow_id, claimed


def defer(connection: sa.Connection, account_sid: str, alert_id: str, due_at: float) -> None:
    """Let whoever is there then take an alert up, if it still waits for its next try."""
    connection.execute(
        sa.update(alerts)
        .where(
            alerts.c.account_sid == account_sid,
            alerts.c.id == alert_id,
            alerts.c.status == Status.QUEUED,
        )
        .values(workflow_id=None, due_at=due_at)
    )


def still_of(
    connection: sa.Connection, account_sid: str, workflow_id: str, alert_ids: Collection[str]
) -> list[str]:
    """Those of the alerts that the workflow still has to deliver."""
    chosen = sa.select(alerts.c.id).where(
        alerts.c.account_sid == account_sid,
        alerts.c.id.in_(alert_ids),
        alerts.c.workflow_id == workflow_id,
    )
    return list(connection.scalars(chosen))


def workflows_under_way(connection: sa.Connection, account_sid: str) -> list[str]:
    """The workflows that are to deliver the alerts that are open."""
    chosen = (
        sa.select(alerts.c.workflow_id)
        .where(
            alerts.c.account_sid == account_sid,
            alerts.c.is_open,
            alerts.c.workflow_id.is_not(None),
        )
        .distinct()
    )
    return [str(each) for each in connection.scalars(chosen)]


def release_batches(
    connection: sa.Connection, account_sid: str, workflow_ids: Collection[str]
) -> None:
    """Let others take up the open alerts of workflows that don't exist, or broke."""
    connection.execute(
        sa.update(alerts)
        .where(
            alerts.c.account_sid == account_sid,
            alerts.c.is_open,
            alerts.c.workflow_id.in_(workflow_ids),
        )
        .values(workflow_id=None)
    )


def sign_on(
    connection: sa.Connection, account_sid: str, executor_id: str, mode: str, now: float
) -> None:
    """Let other processes know of an executor, so that they look after it."""
    row = {"id": executor_id, "account_sid": account_sid, "role": mode, "started_at": now}
    insert_new(connection, executors, [row])


def sign_off(connection: sa.Connection, executor_ids: Collection[str]) -> None:
    """Forget executors whose work others have taken over."""
    connection.execute(sa.delete(executors).where(executors.c.id.in_(executor_ids)))


def signed_on(connection: sa.Connection, account_sid: str) -> dict[str, str]:
    """The executors that are known, dead or alive: the role of each by its id."""
    chosen = sa.select(executors.c.id, executors.c.role).where(
        executors.c.account_sid == account_sid
    )
    return {row.id: row.role for row in connection.execute(chosen)}
