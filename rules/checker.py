"""RuleChecker: makes the checks that are due, in every process that delivers alerts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from typing import TYPE_CHECKING

import sqlalchemy as sa

from access.audit_entry import AuditEntry
from alerts import DatabaseError, Desk, UnusableInput
from database import NewerDatabase
from rules.check import CHANGED, GONE, CheckReport, Known, RuleCheck, Switching, read_known
from rules.episodes import Tell
from rules.leases import Claim, claim_due, claim_one, next_due, release, renew
from rules.looking import Looker
from rules.retention import delete_old
from rules.rule import Rule
from rules.sandbox import Sandbox
from rules.saved_rules import read_rule

if TYPE_CHECKING:
    from rules.sources import Sources

log = logging.getLogger(__name__)

CHECKS_AT_ONCE = 4
# Another process may have switched a rule on, or may have died during a check.
MOST_SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_RENEWALS = 2.5
SECONDS_BETWEEN_RETRIES = 2.0
SECONDS_BETWEEN_DELETIONS = 3600.0
# How long to wait for a check that another process is making.
LONGEST_WAIT_SECONDS = 40.0
SECONDS_BETWEEN_CLAIMS = 0.1
RELEASE_TIMEOUT_SECONDS = 2.0
BUSY = "The rule is being checked right now: try again in a moment."
OFF = "The rule is off: switch it on to have it checked."


class RuleChecker:
    """Checks the rules of a desk's account. Use it from the desk's event loop.

    `run` checks what is due for as long as the desk delivers; any number of processes may do so.
    """

    def __init__(self, desk: Desk, sources: Sources, sandbox: Sandbox) -> None:
        self._desk = desk
        self._check = RuleCheck(desk, Looker(sources, sandbox, desk.services.time_zone))
        self._account_sid = desk.services.twilio.account_sid
        self._process = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._claims: dict[Claim, None] = {}  # whose leases are to be renewed
        self._tasks: set[asyncio.Task[None]] = set()
        self._look_now = asyncio.Event()

    async def run(self) -> None:
        """Make the checks that are due until canceled, whenever the desk delivers."""
        beside = [
            asyncio.create_task(self._renew(), name="renewing the leases of rules"),
            asyncio.create_task(self._delete_old(), name="deleting old checks"),
        ]
        try:
            while True:
                seconds = MOST_SECONDS_BETWEEN_LOOKS
                try:
                    if self._desk.delivers:
                        seconds = min(seconds, await self._start_due())
                except NewerDatabase:
                    pass  # the desk soon delivers nothing any more
                except Exception:
                    log.exception("Rules couldn't be checked; trying again in a moment")
                    seconds = SECONDS_BETWEEN_RETRIES
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._look_now.wait()
                self._look_now.clear()
        finally:
            under_way = [*beside, *self._tasks]
            for each in under_way:
                each.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    def look(self) -> None:
        """Look for due checks at once, such as after a person has decided something."""
        self._look_now.set()

    async def check_once(self, rule_id: str, *, dry_run: bool = False) -> CheckReport:
        """Check a rule now, whether it is due or not. With `dry_run` nothing is written or told.

        Raises `UnusableInput` about `rule` if it is unknown or, unless `dry_run`, off.
        """
        rule = await self._rule(rule_id)
        if dry_run:
            return await self._check.dry_run(rule)
        if not rule.is_checked:
            raise UnusableInput("rule", OFF)
        return await self._make(*await self._claim(rule_id))

    async def dry_run(self, rule: Rule) -> CheckReport:
        """Return what a check of a rule, saved or not, would find, and whom it would tell, now."""
        return await self._check.dry_run(rule)

    async def turn_on(
        self, rule_id: str, revision: int, tell: Tell, by: str, audit: AuditEntry | None = None
    ) -> CheckReport:
        """Switch a rule on with its first check, which decides about what is bad already.

        `tell` says what is told of that: "all", "none", or the keys with these hashes; the rest
        stays known. If the check fails, the rule stays off. A rule that is on already is checked as
        usual. Raises `UnusableInput` about `rule`, or about `revision` if the rule isn't the one
        that the person has seen. `audit` is written with the first check.
        """
        rule = await self._rule(rule_id)
        if rule.revision != revision:
            raise UnusableInput("revision", CHANGED)
        claim, known = await self._claim(rule_id)
        report = await self._make(claim, known, Switching(tell, by, revision, audit))
        self.look()
        return report

    async def _start_due(self) -> float:
        """Start the checks that are due; returns after how many seconds to look again."""
        database = await self._desk.database()
        room = CHECKS_AT_ONCE - len(self._tasks)
        if room <= 0:
            return MOST_SECONDS_BETWEEN_LOOKS  # the end of a check wakes this up, too
        seconds = await database.read(lambda connection: next_due(connection, self._account_sid))
        if seconds is None or seconds > 0:
            return MOST_SECONDS_BETWEEN_LOOKS if seconds is None else seconds
        holder = self._holder()
        claims = await database.write(
            lambda connection: [
                (each, read_known(connection, self._account_sid, each.rule_id))
                for each in claim_due(connection, self._account_sid, holder, room)
            ]
        )
        for claim, known in claims:
            task = asyncio.create_task(
                self._make_due(claim, known), name=f"checking {claim.rule_id}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # More may be due than there was room for.
        return MOST_SECONDS_BETWEEN_LOOKS if len(claims) == room else 0.0

    async def _make_due(self, claim: Claim, known: Known | None) -> None:
        try:
            await self._make(claim, known)
        except (UnusableInput, NewerDatabase):
            pass  # the rule was deleted meanwhile, or a newer version checks it
        except Exception:
            log.exception("A check of the rule %s failed; it is made again", claim.rule_id)
        finally:
            self._look_now.set()

    async def _make(
        self, claim: Claim, known: Known | None, switching: Switching | None = None
    ) -> CheckReport:
        self._claims[claim] = None
        is_over = False
        try:
            report = await self._check.make(claim, known, switching)
            # A check that was recorded has no lease any more.
            is_over = report.result != "superseded" and switching is None
            return report
        except UnusableInput:
            raise
        except Exception:
            # At once it would fail again. It is made again when its lease ends, in a few seconds.
            is_over = True
            raise
        finally:
            self._claims.pop(claim, None)
            if not is_over:
                await self._release(claim)

    async def _release(self, claim: Claim) -> None:
        """Let another process make an unfinished check at once."""
        try:
            async with asyncio.timeout(RELEASE_TIMEOUT_SECONDS):
                await (await self._desk.database()).write(
                    lambda connection: release(connection, self._account_sid, claim)
                )
        except (TimeoutError, DatabaseError, sa.exc.SQLAlchemyError):
            log.info("The lease of rule %s wasn't released; it runs out by itself", claim.rule_id)

    async def _claim(self, rule_id: str) -> tuple[Claim, Known | None]:
        """Claim a check of a rule, once no other process is checking it."""
        database, holder = await self._desk.database(), self._holder()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                while True:
                    claim, known = await database.write(
                        lambda connection: (
                            claim_one(connection, self._account_sid, holder, rule_id),
                            read_known(connection, self._account_sid, rule_id),
                        )
                    )
                    if claim is not None:
                        return claim, known
                    await asyncio.sleep(SECONDS_BETWEEN_CLAIMS)
        raise UnusableInput("rule", BUSY)

    def _holder(self) -> str:
        # Each claim has a holder of its own, so that no two checks of a process share a lease.
        return f"{self._process}-{secrets.token_hex(4)}"

    async def _rule(self, rule_id: str) -> Rule:
        rule = await (await self._desk.database()).read(
            lambda connection: read_rule(connection, self._account_sid, rule_id)
        )
        if rule is None:
            raise UnusableInput("rule", GONE)
        return rule

    async def _renew(self) -> None:
        """Keep renewing the leases of the checks under way, in the event loop that makes them."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_RENEWALS)
            claims = list(self._claims)
            if not claims:
                continue

            def keep(connection: sa.Connection, claims: list[Claim] = claims) -> None:
                renew(connection, self._account_sid, claims)

            try:
                await (await self._desk.database()).write(keep)
            except NewerDatabase:
                return
            except Exception:
                log.exception("Leases of rules couldn't be renewed; trying again in a moment")

    async def _delete_old(self) -> None:
        """Delete old checks and episodes, in small pieces, once an hour."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_DELETIONS)
            try:
                if self._desk.delivers:
                    keep_days = self._desk.services.keep_days
                    await delete_old(await self._desk.database(), self._account_sid, keep_days)
            except NewerDatabase:
                return
            except Exception:
                log.exception("Old checks couldn't be deleted; trying again in an hour")
