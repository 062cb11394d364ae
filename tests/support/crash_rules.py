"""Processes that check a rule and die in the middle, and who was told in the end."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import SecretStr

from alerts import Alert, AlertRequest, Desk, claims, worker
from alerts.sending_desk import AddAlerts
from alerts.tables import alerts
from rules import checker, leases
from rules.checker import RuleChecker
from rules.keys import hash_of
from rules.looking import Looker
from rules.rule import Rule
from rules.sandbox import Sandbox
from rules.saved_rules import SavedRules
from rules.sources import Sources
from rules.tables import episodes
from tests.support.crash_judge import Simulation, complaints
from tests.support.crash_plan import Death, Moment
from tests.support.crash_runner import FORKS, LONGEST_SECONDS, end, history_of
from tests.support.crash_sender import SenderTask, die, services_of
from tests.support.direct_sql import execute

KEYS = 40
GOOD = "1,0,+14125550100"
SQL = "SELECT batch, client FROM tastings WHERE diacetyl_ppb > 200"
RULE = Rule(
    name="Diacetyl",
    sql=SQL,
    key=("batch",),
    message="Batch {{ batch }} is off.",
    to_column="client",
    channel="text",
    every_seconds=1,
    most_at_once=KEYS,
)

# Besides those of the sender: while the query runs, and between the query and the transaction.
Where = Literal["in a query", "after a query"]


@dataclass(frozen=True)
class RulesTask:
    """What a process does: check the rules of `folder` and deliver until all keys are known.

    At least `expected` alerts must have ended by then.

    With `tells_apart` it has a defect on purpose: it saves alerts in a transaction of their own.
    """

    sender: SenderTask
    folder: Path
    expected: int = KEYS
    where: Where | None = None
    tells_apart: bool = False


@dataclass(frozen=True)
class RulesPlan:
    """How the processes die, one after the other, and which rows are added how many seconds apart.

    Drawn from a seed.
    """

    rule: Rule
    deaths: tuple[tuple[Where | None, Death], ...]
    parts: tuple[tuple[float, int], ...]


MOMENTS: tuple[Moment | Where, ...] = (
    "after a while", "before a commit", "after a commit", "before a commit", "after a commit",
    "before a request", "after a request", "closed", "in a query", "after a query", "after a query",
)  # fmt: skip


def plan_from(seed: int) -> RulesPlan:
    """Return the plan of a seed."""
    draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
    parts, left = list[tuple[float, int]](), KEYS
    while left:
        some = min(left, draw.randint(1, 12))
        parts.append((draw.uniform(0.1, 1.5), some))
        left -= some
    deaths = tuple(_death(draw) for _ in range(draw.randint(2, 4)))
    return RulesPlan(replace(RULE, pending_checks=draw.choice([1, 1, 2])), deaths, tuple(parts))


def _death(draw: random.Random) -> tuple[Where | None, Death]:
    moment = draw.choice(MOMENTS)
    match moment:
        case "in a query" | "after a query":
            return moment, Death("after a while", draw.randint(1, 4))
        case "after a while" | "closed":
            return None, Death(moment, draw.uniform(0.5, 3))
        case _:
            return None, Death(moment, draw.randint(1, 30))


def number_of(key: int) -> str:
    """Whom the row of a key is for."""
    return f"+1412555{2000 + key}"


def add_rows(folder: Path, first: int, count: int) -> None:
    """Add the rows of some keys in one piece."""
    rows = [f"{1500 + key},300,{number_of(key)}\n" for key in range(first, first + count)]
    with (folder / "tastings.csv").open("a") as file:
        file.write("".join(rows))


async def switch_on(task: RulesTask, rule: Rule) -> Rule:
    """Write the source, and switch a rule on before anything is bad."""
    (task.folder / "sources.toml").write_text('[tastings]\nfile = "tastings.csv"\n')
    (task.folder / "tastings.csv").write_text(f"batch,diacetyl_ppb,client\n{GOOD}\n")
    async with Desk(services_of(task.sender), "observer") as desk:
        saved = SavedRules(await desk.database(), task.sender.account_sid)
        rule = await saved.save(rule, "Ines")
        sandbox = Sandbox()
        try:
            checking = RuleChecker(desk, _sources(task, sandbox), sandbox)
            report = await checking.turn_on(rule.id, rule.revision, "none", "Ines")
            assert report.result == "counted", report.failure
        finally:
            await sandbox.close()
    return rule


def begin(task: RulesTask) -> BaseProcess:
    """Start a process that does the task."""
    process = FORKS.Process(target=run, args=(task,))
    process.start()
    return process


async def carry_out(plan: RulesPlan, task: RulesTask) -> list[str]:
    """Carry out a plan; returns what is wrong at its end, in words."""
    rule = await switch_on(task, plan.rule)
    adding = asyncio.create_task(_add(plan, task.folder))
    for where, death in plan.deaths:
        dying = replace(task, where=where, sender=replace(task.sender, death=death))
        await _run_until_dead(dying)
    await adding
    await _run_until_dead(task)
    return await wrong(task, rule)


async def wrong(task: RulesTask, rule: Rule) -> list[str]:
    """Return everything that is wrong in the end, in words; empty if each was told once."""
    requests = expected_of(rule)
    simulation = Simulation(task.sender.simulator, task.sender.account_sid)
    history = await history_of(replace(task.sender, requests=requests))
    found = complaints(simulation, requests, history)
    wanted = sa.select(episodes.c.number, episodes.c.state, episodes.c.is_told)
    rows = await execute(SecretStr(task.sender.database_url), wanted)
    if [tuple(row.values()) for row in rows] != [(1, "firing", True)] * KEYS:
        found.append(f"the episodes are {[tuple(row.values()) for row in rows]}")
    return found


def expected_of(rule: Rule) -> list[AlertRequest]:
    """The alert for each key, as it must be in the history and at Twilio."""
    return [
        AlertRequest(
            "text",
            number_of(key),
            f"Batch {1500 + key} is off.",
            id=f"rule:{rule.id}:{hash_of([str(1500 + key)])}:1:{number_of(key)}:firing",
        )
        for key in range(KEYS)
    ]


async def _add(plan: RulesPlan, folder: Path) -> None:
    first = 0
    for seconds, some in plan.parts:
        await asyncio.sleep(seconds)
        add_rows(folder, first, some)
        first += some


async def _run_until_dead(task: RulesTask) -> None:
    process, death = begin(task), task.sender.death
    killed = death is not None and death.moment == "after a while" and task.where is None
    try:
        await asyncio.to_thread(process.join, death.count if death and killed else LONGEST_SECONDS)
        assert killed or process.exitcode is not None, "the process doesn't end"
    finally:
        end(process)
    if death is None or death.moment == "closed":
        assert process.exitcode in {0, 255}, f"ended with {process.exitcode}"


def run(task: RulesTask) -> None:
    """Do the task; this is all that the process does."""
    worker.SECONDS_BETWEEN_RECOVERIES = 1.0
    worker.HEARTBEAT_SECONDS = 0.2
    claims.DEAD_AFTER_SECONDS = task.sender.dead_after_seconds
    leases.LEASE_SECONDS = task.sender.dead_after_seconds
    leases.CLOCK_TOLERANCE_SECONDS = 60.0
    checker.SECONDS_BETWEEN_RENEWALS = 0.2
    if task.where is not None and task.sender.death is not None:
        _die_at_a_query(task.where, task.sender.death)
    if task.tells_apart:
        _tell_apart()
    asyncio.run(_run(task))


async def _run(task: RulesTask) -> None:
    death = task.sender.death
    seconds = death.count if death and death.moment == "closed" else None
    desk, sandbox = Desk(services_of(task.sender), task.sender.mode), Sandbox()
    await desk.open()
    checking = asyncio.create_task(RuleChecker(desk, _sources(task, sandbox), sandbox).run())
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _until_told(desk, task.expected)
            if task.sender.stays:
                await asyncio.Event().wait()
    checking.cancel()
    await asyncio.gather(checking, return_exceptions=True)
    await desk.close()
    await sandbox.close()


async def _until_told(desk: Desk, expected: int) -> None:
    is_open = sa.select(alerts.c.is_open)
    began = sa.select(sa.func.count()).select_from(episodes)
    while True:
        database = await desk.database()
        found = await database.read(lambda connection: list(connection.scalars(is_open)))
        known = await database.read(lambda connection: connection.scalar(began))
        if known == KEYS and len(found) >= expected and not any(found):
            return
        await asyncio.sleep(0.1)


def _sources(task: RulesTask, sandbox: Sandbox) -> Sources:
    return Sources.load(
        task.folder / "sources.toml", task.folder, columns_of=sandbox.columns, values={}
    )


def _die_at_a_query(where: Where, death: Death) -> None:
    """Let the process die while a query runs, or when it has run and nothing is written yet."""
    look, counted = Looker.look, count(1)

    async def dying(self: Looker, *arguments: Any, **options: Any) -> Any:
        if next(counted) != death.count:
            return await look(self, *arguments, **options)
        if where == "in a query":
            asyncio.get_running_loop().call_later(0.02, die, death)
        seen = await look(self, *arguments, **options)
        if where == "after a query":
            die(death)
        return seen

    Looker.look = dying  # type: ignore[method-assign]


def _tell_apart() -> None:
    """Let the process save the alerts of a check only after the check, and die in between."""
    write, counted = Desk.write_with_alerts, count(1)

    async def apart(self: Desk, work: Any, most: int, rule_id: str | None = None) -> Any:
        kept: list[Sequence[AlertRequest]] = []

        def keep(requests: Sequence[AlertRequest]) -> Sequence[Alert]:
            kept.append(requests)
            return ()

        def without(connection: sa.Connection, _: AddAlerts) -> Any:
            kept.clear()
            return work(connection, keep)

        result = await write(self, without, most, rule_id)
        if kept and next(counted) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        for requests in kept:

            def save(_: sa.Connection, add: AddAlerts, some: Any = requests) -> object:
                return add(some)

            await write(self, save, most, rule_id)
        return result

    Desk.write_with_alerts = apart  # type: ignore[method-assign, assignment]
