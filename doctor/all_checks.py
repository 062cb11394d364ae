"""Every check of the doctor and of the Setup page, in the order in which things are set up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import chain
from typing import TYPE_CHECKING

from alerts import Desk
from doctor import Check, Group
from doctor.access import AccessChecks, LimitChecks
from doctor.account import AccountChecks, ClockChecks
from doctor.database import DatabaseChecks
from doctor.documents import DocumentChecks
from doctor.first_steps import FirstSteps
from doctor.people import PeopleChecks
from doctor.reachability import ReachabilityChecks
from doctor.rules import RuleChecks
from doctor.sender import ReplyChecks, SenderChecks
from settings import Settings

if TYPE_CHECKING:
    from rules.desk import RuleDesk


def checks_of(
    settings: Settings,
    desk: Desk,
    open_rules: Callable[[], Awaitable[RuleDesk]] | None = None,
    *,
    create_bucket: bool = False,
    set_webhook: bool = False,
) -> list[Check]:
    """Return all checks, for one examination: what they learn of the account is asked once.

    Without `open_rules` rules aren't checked. With `create_bucket` and `set_webhook` the bucket and
    the webhook for incoming texts are set up first; checks never change anything else.
    """
    services = desk.services
    account = AccountChecks(settings, services)
    parts = (
        FirstSteps(settings, desk),
        account,
        SenderChecks(settings, services, account),
        DocumentChecks(settings, services, create_bucket=create_bucket),
        ReachabilityChecks(settings, services),
        ReplyChecks(settings, services, account, set_webhook=set_webhook),
        ClockChecks(settings, services, account),
        DatabaseChecks(settings, desk),
        PeopleChecks(desk),
        *([RuleChecks(open_rules, services.alerts_per_person_per_hour)] if open_rules else ()),
        AccessChecks(settings),
        LimitChecks(services),
    )
    groups = list(Group)
    found = chain.from_iterable(part.checks() for part in parts)
    return sorted(found, key=lambda check: groups.index(check.group))
