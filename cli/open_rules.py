"""What the commands about rules share: opening them, finding one, and why one can't be checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alerts import Desk, UnusableInput
from alerts.sending_desk import is_answered
from alerts.services import Mode
from cli.printing import as_given
from people import tables as _people  # noqa: F401 - the database has to have them
from settings import Settings

if TYPE_CHECKING:
    from rules.desk import RuleDesk
    from rules.rule import Rule

# If Twilio takes longer than this, the app or a worker sends what a check has saved.
LONGEST_WAIT_SECONDS = 30.0
# Problems with these fields depend on the people in this database, not on the rule.
OF_PEOPLE = ("to", "owner", "then_to")


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a rule can be checked: a `problem` if not, else notes, and what is bad."""

    problem: str
    note: str = ""
    bad: int | None = None


@asynccontextmanager
async def opened_rules(settings: Settings, mode: Mode = "observer") -> AsyncIterator[RuleDesk]:
    # The other commands don't wait for what rules need.
    from rules.desk import RuleDesk  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(Desk.from_settings(settings, mode=mode))
        yield await stack.enter_async_context(RuleDesk.from_settings(settings, desk))


def read_file(file: Path) -> list[Rule]:
    from rules.rule_files import read_rules  # noqa: PLC0415

    try:
        text = file.read_text(encoding="utf-8")
    except OSError as problem:
        raise UnusableInput("file", f"{file} can't be read: {problem.strerror}.") from None
    except UnicodeDecodeError:
        raise UnusableInput("file", f"{file} isn't a text in UTF-8.") from None
    return read_rules(text, file.name)


async def find_rule(rules: RuleDesk, name: str) -> Rule:
    """Return the rule of a name or id. Raises `UnusableInput`."""
    if found := await rules.by_name(name) or await rules.get(name):
        return found
    known = [each.name for each in await rules.all()]
    there = f"There are: {', '.join(known)}." if known else "There is none yet."
    called = f"called {as_given(name)}" if name.strip() else "without a name"
    raise UnusableInput("rule", f"There is no rule {called}. {there}")


async def until_accepted(desk: Desk, alert_ids: Iterable[str]) -> None:
    """Wait until Twilio has these alerts or they are for later, up to LONGEST_WAIT_SECONDS."""

    async def wait(alert_id: str) -> None:
        async with aclosing(desk.watch(alert_id)) as changes:
            async for alert in changes:
                if is_answered(alert):
                    return

    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            await asyncio.gather(*map(wait, alert_ids))


async def checked(rules: RuleDesk, rule: Rule) -> Checked:
    """Find out whether a rule can be checked, without alerting people."""
    from rules.rule import check_complete  # noqa: PLC0415
    from rules.sandbox import QueryError  # noqa: PLC0415
    from rules.sources import SourceError  # noqa: PLC0415

    try:
        check_complete(rule)
        preview = await rules.preview(rule)
    except QueryError as problem:
        where = f"Line {problem.line}: " if problem.line else ""
        # A column that is read as text may be what is wrong with the query.
        notes: tuple[str, ...] = ()
        with suppress(QueryError, SourceError, UnusableInput):
            notes = await rules.notes_of(rule)
        return Checked(" ".join((f"{where}{problem}", *notes)))
    except (SourceError, UnusableInput) as problem:
        return Checked(str(problem))
    wrong = [said for field, said in preview.problems.items() if field not in OF_PEOPLE]
    of_people = [said for field, said in preview.problems.items() if field in OF_PEOPLE]
    said = " ".join((*of_people, *await rules.notes_of(rule)))
    return Checked(next(iter(wrong), ""), said, preview.total)
