"""What each role may do below the pages: every public method is decided about, and tried as all."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from access import Actor, NotAllowed
from access.audit import Audit, AuditFilters
from access.audit_entry import Action, Kind
from alerts import Desk
from alerts.message.compose import said
from people.contact import Contact
from people.contacts import Contacts
from people.directory import Directory
from people.groups import Groups
from people.importing import Choices, Importer
from people.listing import Listing, PeopleFilter
from people.message_templates import Templates
from people.sheet import read_sheet
from rules.desk import RuleDesk
from tests.support.desks import CALL, until_over
from tests.support.roles import (
    ADMINISTER,
    LOOK,
    ROLES,
    SEND,
    WRITE,
    Decisions,
    mistakes,
    public_members,
)
from tests.support.rule_at_work import RULE, RuleAtWork, rule_at_work

ROWS = ((1407, "T3", 210, "Ben"), (1408, "T4", 180, "Ben"))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[RuleAtWork]:
    async with rule_at_work(tmp_path, *ROWS) as opened:
        yield opened


async def test_every_method_of_the_desk(scene: RuleAtWork) -> None:
    sent = await scene.desk.broadcast([CALL, replace(CALL, to="+14125550198")], id="b1")
    found = await scene.desk.broadcast_of(sent.id)
    assert found is not None
    one = found[1][0].id
    decisions = {
        "history": (LOOK, ()),
        "database": (LOOK, ()),
        "workers": (LOOK, ()),
        "broadcast_of": (LOOK, (sent.id,)),
        "watch_broadcast": (LOOK, (sent.id,)),
        "sent_before": (LOOK, ([CALL],)),
        "recent_alerts": (LOOK, ([CALL],)),
        "status": (LOOK, (one,)),
        "watch": (LOOK, (one,)),
        "send": (SEND, (CALL,)),
        "send_all": (SEND, ([CALL],)),
        "broadcast": (SEND, ([CALL],)),
        "write_with_alerts": (SEND, (lambda *_: None, 1)),
        "cancel": (SEND, (one,)),
        "cancel_broadcast": (SEND, (sent.id,)),
        "send_now": (SEND, (one,)),
        "approvals": (LOOK, ()),
        "ask_for_approval": (SEND, ([CALL],)),
        "approve": (SEND, ("nothing",)),
        "refuse": (SEND, ("nothing",)),
        "would_stop": (LOOK, ()),
        "stop_everything": (SEND, ()),
        "lift_stop": (ADMINISTER, ()),
        "refusals": (ADMINISTER, ()),
    }
    # They show nothing that is saved and change nothing, or what they return is checked itself. And
    # that everything is stopped stands on every page.
    anybodys = {
        "acting_as", "audit", "check", "check_database", "close", "composed", "delivers",
        "emergency_stop", "from_settings", "open", "warm_up", "is_delivered",
        "until_newer_version",
    }  # fmt: skip
    assert public_members(Desk) == decisions.keys() | anybodys
    assert await mistakes(scene.desk.acting_as, decisions) == []


async def test_every_method_of_the_rule_desk(scene: RuleAtWork) -> None:
    rules = RuleDesk(scene.desk, scene.sources, scene.sandbox)
    rule = await scene.switched_on()
    file = scene.folder / "lots.csv"
    file.write_text("lot\n7\n")
    changed = replace(rule, sql="SELECT * FROM tastings")
    decisions = {
        "all": (LOOK, ()),
        "get": (LOOK, (rule.id,)),
        "by_name": (LOOK, (rule.name,)),
        "versions": (LOOK, (rule.id,)),
        "switched": (LOOK, ()),
        "export": (LOOK, ([rule],)),
        "overview": (LOOK, ()),
        "workers": (LOOK, ()),
        "preview": (LOOK, (rule,)),
        "past_alerts": (LOOK, (rule,)),
        "columns": (LOOK, (["tastings"],)),
        "sources": (LOOK, ()),
        "sources_problem": (LOOK, ()),
        "notes": (LOOK, ("tastings",)),
        "notes_of": (LOOK, (rule,)),
        "uploads": (LOOK, ()),
        "shape_change": (LOOK, ("tastings",)),
        "episodes": (LOOK, (rule.id,)),
        "held_rows": (LOOK, (rule.id,)),
        "mutes": (LOOK, ()),
        "save": (WRITE, (rule,)),
        "delete": (WRITE, ("nothing",)),
        "turn_on": (WRITE, (rule.id, rule.fingerprint, "none")),
        "turn_off": (WRITE, ("nothing",)),
        "check_now": (WRITE, (rule.id,)),
        "answer_held": (WRITE, (rule.id, "none")),
        "mute": (WRITE, (rule.id,)),
        "unmute": (WRITE, ("nothing",)),
        "accept_shape": (WRITE, ("tastings",)),
        "upload": (WRITE, ("lots.csv", file)),
        "remove_upload": (WRITE, ("nothing",)),
        "protections": (ADMINISTER, ()),
    }
    anybodys = {"acting_as", "actor", "close", "from_settings"}
    assert public_members(RuleDesk) == decisions.keys() | anybodys
    assert await mistakes(rules.acting_as, decisions) == []
    # A query of one's own may ask for anything that is in the sources.
    queries = {"preview": (WRITE, (changed,)), "past_alerts": (WRITE, (changed,))}
    assert await mistakes(rules.acting_as, queries) == []
    queries = {"preview": (WRITE, (RULE,)), "past_alerts": (WRITE, (RULE,))}
    assert await mistakes(rules.acting_as, queries) == []
    with pytest.raises(NotAllowed):
        await rules.acting_as(ROLES["nobody"]).check_now(rule.id, dry_run=True)
    assert (await rules.acting_as(ROLES["looks"]).check_now(rule.id, dry_run=True)).is_dry


async def test_every_method_of_people(scene: RuleAtWork) -> None:
    database, regions = await scene.desk.database(), scene.desk.services.regions
    sheet = read_sheet(b"name,number\nKaito Mori,808 555 0173\n")
    choices = Choices(("name", "number"), "US")
    ben = Contact("", "Ben", ("412 555 0123",))

    def audit_of(actor: Actor) -> Audit:
        return Audit(database, actor)

    decided: dict[type, tuple[Callable[[Actor], Any], Decisions]] = {
        Contacts: (
            lambda actor: Contacts(database, regions, actor),
            {
                "get": (LOOK, (["x"],)),
                "check": (LOOK, (ben,)),
                "save": (WRITE, (ben,)),
                "remove": (WRITE, (["x"],)),
                "put_into": (WRITE, (["x"], "Lab")),
                "take_out": (WRITE, (["x"], "Lab")),
            },
        ),
        Groups: (
            lambda actor: Groups(database, actor),
            {
                "all": (LOOK, ()),
                "add": (WRITE, ("Night",)),
                "rename": (WRITE, ("Night", "Day")),
                "remove": (WRITE, ("Day",)),
            },
        ),
        Templates: (
            lambda actor: Templates(database, actor),
            {
                "all": (LOOK, ()),
                "save": (WRITE, ("Off", "It is off.")),
                "remove": (WRITE, ("Off",)),
            },
        ),
        Importer: (
            lambda actor: Importer(database, regions, sheet, actor),
            {"plan": (WRITE, (choices,)), "run": (WRITE, (choices,))},
        ),
        Listing: (
            lambda actor: Listing(database, "AC1", actor),
            {
                "page": (LOOK, (PeopleFilter(), 0, 10)),
                "ids": (LOOK, (PeopleFilter(),)),
                "export": (LOOK, (PeopleFilter(),)),
                "counts": (LOOK, ()),
            },
        ),
        Directory: (
            lambda actor: Directory(database, actor),
            {"find": (LOOK, (["Ben"],)), "of_numbers": (LOOK, (["+14125550123"],))},
        ),
        Audit: (audit_of, {"page": (ADMINISTER, (AuditFilters(),)), "actors": (ADMINISTER, ())}),
    }
    # Whatever anybody does is recorded.
    assert public_members(Audit) - decided[Audit][1].keys() == {"record"}
    for kind, (as_actor, decisions) in decided.items():
        assert public_members(kind) - {"record"} == decisions.keys()
        assert await mistakes(as_actor, decisions) == [], kind


def test_every_class_of_people_that_reads_the_database_is_among_them() -> None:
    """A new one has to be decided about, too."""
    known = {"Contacts", "Groups", "Templates", "Importer", "Listing", "Directory"}
    found = {
        name
        for module_name, module in list(sys.modules.items())
        if module_name.startswith("people.")
        for name, each in vars(module).items()
        if isinstance(each, type)
        and each.__module__.startswith("people.")
        and "database" in getattr(vars(each).get("__init__"), "__annotations__", {})
    }
    assert found == known


async def test_nothing_is_done_for_who_may_not(scene: RuleAtWork) -> None:
    desk = scene.desk.acting_as(ROLES["looks"])
    with pytest.raises(NotAllowed, match=r"^You may look, but not send or cancel alerts\.$"):
        await desk.send(replace(CALL, id="never"))
    assert await desk.status("never") is None
    night = await scene.desk.send(replace(CALL, id="later", hold_seconds=30))
    with pytest.raises(NotAllowed):
        await desk.cancel(night.id)
    found = await desk.status(night.id)
    assert found is not None
    assert not found.canceling


async def test_what_is_sent_is_sent_in_the_actors_name(scene: RuleAtWork) -> None:
    sam = scene.desk.acting_as(ROLES["sends"])
    theirs = replace(CALL, user="Maya", message="{{ user }} calls")
    alert = await sam.send(theirs)
    assert (alert.request.user, said(alert)) == ("Sam", "Sam calls")
    broadcast = await sam.broadcast([replace(theirs, to="+14125550198")])
    assert broadcast.sender == "Sam"
    # A script may send for whom it says.
    script = await scene.desk.send(replace(theirs, to="+14125550197"))
    assert script.request.user == "Maya"


async def test_all_who_act_share_one_desk(scene: RuleAtWork) -> None:
    one, other = (scene.desk.acting_as(ROLES[each]) for each in ("sends", "looks"))
    alert = await one.send(CALL)
    assert (await until_over(other, alert.id)).request.user == "Sam"
    assert await other.database() is await scene.desk.database()
    assert other.acting_as(ROLES["sends"]).actor.name == "Sam"


async def test_entries_are_written_for_anybody(scene: RuleAtWork) -> None:
    stranger = Audit(await scene.desk.database(), Actor("mallory", frozenset()))
    await stranger.record(Action.REFUSED, Kind.SIGN_IN, "sign-in")
    audit = await scene.desk.audit()
    [entry, *_] = (await audit.page(AuditFilters(actor="mallory"))).entries
    assert entry.words == "Was refused sign-in"
    assert datetime.now(UTC) - entry.at < timedelta(minutes=1)
