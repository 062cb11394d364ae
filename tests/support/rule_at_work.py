"""A rule at work: a file of tastings, a sandbox, people, and a desk on a simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from alerts import Alert, Desk
from alerts.message.compose import said
from alerts.tables import alerts
from people import tables as _people  # noqa: F401 - adds its tables to the metadata
from people.contact import Contact
from people.contacts import Contacts
from rules.check import CheckReport
from rules.checker import RuleChecker
from rules.episodes import Episode, Tell
from rules.rule import Rule
from rules.rule_state import read_open
from rules.sandbox import Sandbox
from rules.saved_rules import SavedRules
from rules.sources import Sources
from rules.tables import episodes, rule_state
from simulator import SIMULATOR_ACCOUNT_SID
from tests.support.desks import database_in, simulated_desk

COLUMNS = "batch,tank,diacetyl_ppb,client"
BEN, CLARA, INES = "+14125550104", "+14125550106", "+14125550171"
PEOPLE = (
    Contact("", "Ben Adeyemi", (BEN,)),
    Contact("", "Clara Novak", (CLARA,), groups=("Brewers",)),
    Contact("", "Ines Duarte", (INES,), groups=("Lab",)),
)
SQL = "SELECT batch, tank, diacetyl_ppb, client FROM tastings WHERE diacetyl_ppb > 200"
# Texts, because they end sooner than calls. Nothing is waited for but what a test asks for.
RULE = Rule(
    name="Diacetyl",
    sql=SQL,
    key=("batch",),
    message="Batch {{ batch }} in {{ tank }} has {{ diacetyl_ppb }} ppb of diacetyl.",
    to_column="client",
    owner="Ines Duarte",
    channel="text",
    every_seconds=3600,
    recovery_checks=1,
)

Row = tuple[object, ...]
# From it DuckDB learns the types of the columns.
GOOD: Row = (1, "T1", 0, "")


@dataclass
class RuleAtWork:
    """A desk, what its rules watch, and who makes their checks."""

    desk: Desk
    folder: Path
    sandbox: Sandbox
    sources: Sources
    checker: RuleChecker
    saved: SavedRules

    @property
    def file(self) -> Path:
        """The file that the source `tastings` is."""
        return self.folder / "tastings.csv"

    def write(self, *rows: Row, columns: str = COLUMNS, good: Sequence[Row] = (GOOD,)) -> None:
        """Replace the file by one with these rows after a good one, in one step."""
        new = self.folder / "new.csv"
        lines = [columns, *(_line(each) for each in (*good, *rows))]
        if good and columns == COLUMNS and self.file.exists():
            # A file that gets smaller is taken for one that is still being written.
            lines[1] += "." * (self.file.stat().st_size - sum(map(len, lines)) - len(lines))
        new.write_text("\n".join(lines) + "\n")
        new.replace(self.file)

    def append(self, *rows: Row) -> None:
        """Add rows to the file."""
        with self.file.open("a") as file:
            file.write("".join(f"{_line(each)}\n" for each in rows))

    async def saved_rule(self, **changes: Any) -> Rule:
        """Save RULE with changes, as a draft."""
        return await self.saved.save(replace(RULE, **changes), "Ines")

    async def switched_on(self, tell: Tell = "none", **changes: Any) -> Rule:
        """Save RULE with changes, and switch it on."""
        rule = await self.saved_rule(**changes)
        report = await self.checker.turn_on(rule.id, rule.revision, tell, "Ines")
        assert report.result == "counted", report.failure
        return await self.rule(rule.id)

    async def rule(self, rule_id: str) -> Rule:
        found = await self.saved.get(rule_id)
        assert found is not None
        return found

    async def check(self, rule: Rule) -> CheckReport:
        """Check a rule now."""
        return await self.checker.check_once(rule.id)

    async def rows(self, table: sa.Table) -> Sequence[Mapping[str, Any]]:
        """All rows of a table, in the order of its key."""
        wanted = sa.select(table).order_by(*table.primary_key.columns)
        database = await self.desk.database()
        return await database.read(
            lambda connection: [dict(row) for row in connection.execute(wanted).mappings()]
        )

    async def alerts(self) -> list[Alert]:
        """All alerts, in the order in which they were saved."""
        database = await self.desk.database()
        ids = await database.read(
            lambda connection: list(
                connection.scalars(
                    sa.select(alerts.c.id)
                    .where(alerts.c.account_sid == self.desk.services.twilio.account_sid)
                    .order_by(alerts.c.position)
                )
            )
        )
        found = await (await self.desk.history()).get_all(ids)
        return [found[each] for each in ids]

    async def told(self) -> list[tuple[str, str]]:
        """Who was told what: number and words, in order."""
        return [(each.request.to, said(each)) for each in await self.alerts()]

    async def open(self, rule: Rule) -> dict[str, Episode]:
        """The rule's open episodes, by the first cell of their key."""
        account = self.desk.services.twilio.account_sid
        database = await self.desk.database()
        found = await database.read(lambda connection: read_open(connection, account, rule.id))
        keys = sa.select(episodes.c.key_hash, episodes.c.key)
        rows = await database.read(lambda connection: connection.execute(keys).all())
        words = {row.key_hash: str(next(iter(row.key.values()))) for row in rows}
        return {words[key]: each for key, each in found.items()}

    async def states(self, rule: Rule) -> dict[str, str]:
        """The states of the rule's open episodes."""
        return {key: each.state for key, each in (await self.open(rule)).items()}

    async def state(self, rule: Rule) -> Mapping[str, Any]:
        """The rule's row of rule_state."""
        wanted = sa.select(rule_state).where(rule_state.c.rule_id == rule.id)
        database = await self.desk.database()
        return await database.read(
            lambda connection: dict(connection.execute(wanted).mappings().one())
        )

    async def change_state(self, rule: Rule, **values: Any) -> None:
        """Change the rule's row of rule_state."""
        changed = sa.update(rule_state).where(rule_state.c.rule_id == rule.id).values(values)
        await (await self.desk.database()).write(lambda connection: connection.execute(changed))

    async def turn_back(self, seconds: float) -> None:
        """Let everything that has happened so far have happened earlier."""
        times = {
            episodes: ("began_at", "since", "fired_at", "over_at", "reminded_at"),
            rule_state: ("failing_since", "owner_told_at", "last_check_at", "gathered_until"),
        }

        def turn(connection: sa.Connection) -> None:
            for table, names in times.items():
                earlier = {name: table.c[name] - seconds for name in names}
                connection.execute(sa.update(table).values(earlier))

        await (await self.desk.database()).write(turn)


def _line(row: Row) -> str:
    return ",".join("" if cell is None else str(cell) for cell in row)


@asynccontextmanager
async def rule_at_work(
    folder: Path,
    *rows: Row,
    database_url: str = "",
    account_sid: str = SIMULATOR_ACCOUNT_SID,
    people: Iterable[Contact] = PEOPLE,
    **options: Any,
) -> AsyncIterator[RuleAtWork]:
    """A desk whose rules watch a file with these rows, and who may be told."""
    url = SecretStr(database_url) if database_url else database_in(folder)
    (folder / "sources.toml").write_text('[tastings]\nfile = "tastings.csv"\n')
    sandbox = Sandbox()
    try:
        sources = Sources.load(
            folder / "sources.toml", folder, columns_of=sandbox.columns, values={}
        )
        async with simulated_desk(
            folder, database_url=url, account_sid=account_sid, **options
        ) as desk:
            await desk.open()
            database = await desk.database()
            contacts = Contacts(database, desk.services.regions)
            for each in people:
                await contacts.save(each)
            scene = RuleAtWork(
                desk,
                folder,
                sandbox,
                sources,
                RuleChecker(desk, sources, sandbox),
                SavedRules(database, account_sid),
            )
            scene.write(*rows)
            yield scene
        await sources.close()
    finally:
        await sandbox.close()
