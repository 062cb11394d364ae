"""The audit trail: what is in it, that it is written with what it tells of, and how it is read."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from access import EVERYTHING, Actor, NotAllowed
from access.audit import Audit, AuditFilters, delete_old_entries, write_entries
from access.audit_entry import Action, AuditEntry, Kind, first_id
from access.changed_settings import record_changed_settings
from access.tables import audit, last_settings
from alerts import UnusableInput
from database.database import Database
from database.tables import metadata
from people.contact import Contact
from people.contacts import Contacts
from people.groups import Groups
from people.importing import Choices, Importer
from people.listing import Listing, PeopleFilter
from people.message_templates import Templates
from people.sheet import read_sheet
from rules.desk import RuleDesk
from settings import Settings
from tests.support.desks import ANYBODY, CALL, simulated_desk
from tests.support.roles import ROLES
from tests.support.rule_at_work import RULE, rule_at_work

MAYA = Actor("Maya", EVERYTHING)
TOKEN = "0123456789abcdef0123456789abcdef"


async def done(database: Database, **filters: Any) -> list[str]:
    """What was done, newest first, and the details."""
    page = await Audit(database).page(AuditFilters(**filters))
    return [f"{each.words} {each.more_words}".strip() for each in page.entries]


async def test_what_is_done_to_alerts(tmp_path: Path) -> None:
    async with simulated_desk(tmp_path) as desk:
        maya, database = desk.acting_as(MAYA), await desk.database()
        await maya.send(replace(CALL, id="one", name="Ben Adeyemi", hold_seconds=60))
        await maya.send(replace(CALL, id="one"))  # the same again is no second alert
        await maya.send_now("one")
        await maya.cancel("one")
        await maya.cancel("one")
        await maya.send_all([replace(CALL, to=f"+1412555{each:04}") for each in (1, 2)])
        held = [
            replace(CALL, to=f"+1412555{each:04}", hold_seconds=60, message="Lot 7 is off")
            for each in (3, 4, 5)
        ]
        sent = await maya.broadcast(held, "Lot 7")
        await maya.cancel_broadcast(sent.id)
        with pytest.raises(UnusableInput):
            await maya.send(replace(CALL, to="7"))
        assert await done(database, actor="Maya", kind=Kind.ALERTS) == [
            "Canceled Lot 7 (broadcast) Alerts: 3",
            "Sent Lot 7 (broadcast) Alerts: 3",
            "Sent 2 alerts Alerts: 2",
            "Canceled an alert to Ben Adeyemi",
            "Let an alert to Ben Adeyemi wait no longer",
            f"Sent an alert to Ben Adeyemi Channel: call · to: {ANYBODY}",
        ]
        await desk.send(CALL)
        [entry] = (await (await desk.audit()).page(AuditFilters(), limit=1)).entries
        assert (entry.actor, entry.place) == (desk.actor.name, "shell")


async def test_what_is_done_to_people(database: Database, tmp_path: Path) -> None:
    async with simulated_desk(tmp_path) as desk:
        regions = desk.services.regions
    contacts, groups = Contacts(database, regions, MAYA), Groups(database, MAYA)
    templates = Templates(database, MAYA)
    ben = await contacts.save(Contact("", "Ben Adeyemi", ("412 555 0123",)))
    await contacts.save(replace(ben, notes="Nights"))
    await groups.add("Lab")
    await groups.rename("Lab", "Night lab")
    await contacts.put_into([ben.id], "Night lab")
    await contacts.take_out([ben.id], "Night lab")
    await contacts.take_out([ben.id], "Nothing")
    await groups.remove("Night lab")
    await groups.remove("Night lab")
    await templates.save("Recall", "Stop.")
    await templates.save("recall", "Stop it.")
    await templates.remove("Recall")
    await templates.remove("Recall")
    sheet = read_sheet(b"name,number\nKaito Mori,808 555 0173\nClara,412 555 0124\n")
    await Importer(database, regions, sheet, MAYA).run(Choices(("name", "number"), "US"))
    people = await Listing(database, "AC1", MAYA).export(PeopleFilter())
    await contacts.remove([each.id for each in people])
    await contacts.remove([ben.id])
    with pytest.raises(UnusableInput):
        await contacts.save(Contact("", "", ()))
    assert await done(database) == [
        "Removed 3 people",
        "Exported 3 people",
        "Imported 2 people Added: 2 · changed: 0",
        "Removed the template Recall",
        "Changed the template recall",
        "Added the template Recall",
        "Removed the group Night lab",
        "Took Ben Adeyemi out of a group Group: Night lab",
        "Put Ben Adeyemi into a group Group: Night lab",
        "Renamed the group Lab To: Night lab",
        "Added the group Lab",
        "Changed Ben Adeyemi",
        "Added Ben Adeyemi",
    ]


async def test_what_is_done_to_rules(tmp_path: Path) -> None:
    rows = ((1407, "T3", 210, "Ben"), (1409, "T5", 240, "Brewers"))
    async with rule_at_work(tmp_path, *rows) as scene:
        rules = RuleDesk(scene.desk, scene.sources, scene.sandbox).acting_as(MAYA)
        rule = await rules.save(RULE)
        await rules.save(rule)  # nothing has changed
        rule = await rules.save(replace(rule, most_at_once=2))
        preview = await rules.preview(rule)
        await rules.turn_on(rule.id, preview.fingerprint, {preview.rows[0].key})
        scene.append(*((number, "T9", 300, "Ben") for number in (1, 2, 3)))
        await rules.check_now(rule.id)
        await rules.answer_held(rule.id, "none")
        mute = await rules.mute(rule.id, recipient="+14125550104")
        await rules.unmute(mute.id)
        await rules.unmute(mute.id)
        file = scene.folder / "lots.csv"
        file.write_text("lot\n7\n")
        name = await rules.upload("Lots.csv", file)
        await rules.remove_upload(name)
        await rules.export([rule])
        await rules.export([])
        await rules.turn_off(rule.id)
        await rules.turn_off(rule.id)
        await rules.delete(rule.id)
        await rules.delete(rule.id)
        assert await done(await scene.desk.database(), actor="Maya") == [
            "Removed the rule Diacetyl",
            "Turned off the rule Diacetyl",
            "Exported 0 rules",
            "Exported the rule Diacetyl",
            "Removed the source lots",
            "Uploaded the source lots",
            "Unmuted the rule Diacetyl Recipient: +14125550104",
            "Muted the rule Diacetyl Recipient: +14125550104",
            "Decided about what was held by the rule Diacetyl Told: nobody",
            "Checked the rule Diacetyl",
            "Turned on the rule Diacetyl Told: 1",
            "Changed the rule Diacetyl",
            "Added the rule Diacetyl",
        ]
        # What a rule sends was done by no person.
        assert await done(await scene.desk.database(), kind=Kind.ALERTS) == []


async def test_what_a_person_was_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with simulated_desk(tmp_path) as desk:
        lena = desk.acting_as(ROLES["looks"])

        async def try_all() -> list[str]:
            database = await lena.database()
            templates = Templates(database, lena.actor)
            for tried in (lena.send(CALL), lena.lift_stop(), templates.save("Off", "It is off.")):
                with pytest.raises(NotAllowed):
                    await tried
            await lena.history()
            await desk.opening.refused.finish()
            return await done(database, actor="Lena")

        refused = [
            "Was refused permission to save a template",
            "Was refused permission to lift the emergency stop",
            "Was refused permission to send an alert",
        ]
        assert await try_all() == refused
        # A page may ask again every few seconds.
        assert await try_all() == refused
        database = await desk.database()
        assert await done(database, kind=Kind.TEMPLATES) == refused[:1]
        assert await done(database, kind=Kind.EMERGENCY_STOP) == refused[1:2]
        assert await done(database, kind=Kind.ALERTS) == refused[2:]
        monkeypatch.setattr("access.refused_actions.SAME_AGAIN_AFTER_SECONDS", 0)
        assert await try_all() == refused * 2


async def test_what_was_refused_is_recorded_before_the_desk_closes(tmp_path: Path) -> None:
    async with simulated_desk(tmp_path) as desk:
        with pytest.raises(NotAllowed):
            await desk.acting_as(ROLES["looks"]).cancel("one")
        url = desk.services.database_url.get_secret_value()
    database = Database(url, metadata)
    await database.open()
    assert await done(database) == ["Was refused permission to cancel an alert"]
    await database.close()


async def test_an_alert_that_can_not_be_saved_leaves_no_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated_desk(tmp_path) as desk:
        database = await desk.database()

        def fail(*_: object) -> None:
            raise ValueError("no room")

        monkeypatch.setattr("alerts.records.add_words", fail)
        with pytest.raises(ValueError, match="no room"):
            await desk.send(CALL)
        assert await done(database) == []


async def test_many_sent_at_once_have_an_entry_each(tmp_path: Path) -> None:
    async with simulated_desk(tmp_path) as desk:
        numbers = [f"+1412555{each:04}" for each in range(20)]
        await asyncio.gather(*(desk.send(replace(CALL, to=each)) for each in numbers))
        page = await (await desk.audit()).page(AuditFilters(kind=Kind.ALERTS))
        assert {each.about for each in page.entries} == set(numbers)


# --- Reading ------------------------------------------------------------------------------------


def entry(minutes_ago: float, **changes: Any) -> AuditEntry:
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    made = AuditEntry.by(MAYA, Action.CHANGED, Kind.RULES, "Diacetyl", "r1")
    return replace(made, id=first_id(at) + made.id[-8:], at=at, **changes)


async def write(database: Database, *entries: AuditEntry) -> None:
    await database.write(lambda connection: write_entries(connection, entries))


async def test_entries_are_paged_both_ways(database: Database) -> None:
    await write(database, *(entry(each, about=str(each)) for each in range(7)))
    trail = Audit(database)

    async def page(**place: str) -> tuple[list[str], bool, bool]:
        found = await trail.page(AuditFilters(), limit=3, **place)
        return [each.about for each in found.entries], found.has_older, found.has_newer

    assert await page() == (["0", "1", "2"], True, False)
    first = (await trail.page(AuditFilters(), limit=3)).entries
    assert await page(before=first[-1].id) == (["3", "4", "5"], True, True)
    second = (await trail.page(AuditFilters(), before=first[-1].id, limit=3)).entries
    assert await page(before=second[-1].id) == (["6"], False, True)
    assert await page(after=second[0].id) == (["0", "1", "2"], True, False)
    assert await page(before="0" * 24) == ([], False, True)


async def test_entries_are_found(database: Database) -> None:
    await write(
        database,
        entry(1, actor="Ines", about="100 % malt"),
        entry(2, kind=Kind.PEOPLE, about="Ben Adeyemi"),
        entry(60 * 24 * 3, about="Taint"),
    )
    assert await done(database, actor="Ines") == ["Changed the rule 100 % malt"]
    assert await done(database, kind=Kind.PEOPLE) == ["Changed Ben Adeyemi"]
    assert await done(database, text="ADEY") == ["Changed Ben Adeyemi"]
    assert await done(database, text="0 %") == ["Changed the rule 100 % malt"]
    assert await done(database, text="%_") == []
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert len(await done(database, since=yesterday)) == 2
    assert await done(database, until=yesterday) == ["Changed the rule Taint"]
    assert await Audit(database).actors() == ["Ines", "Maya"]


async def test_old_entries_are_deleted_as_alerts_are(database: Database) -> None:
    await write(database, entry(60 * 24 * 3, about="old"), entry(1, about="new"))
    assert await delete_old_entries(database, 2) == 1
    assert await delete_old_entries(database, 2) == 0
    assert await done(database) == ["Changed the rule new"]


async def test_an_entry_that_is_written_again_stays_one(database: Database) -> None:
    one = entry(1)
    await write(database, one)
    await write(database, one)
    assert (await Audit(database).page(AuditFilters())).entries == (one,)


def test_long_names_are_cut() -> None:
    made = AuditEntry.by(MAYA, Action.ADDED, Kind.RULES, "x" * 500, "r1", row="y" * 500, told=7)
    assert len(made.about) == 200
    assert made.details == {"row": "y" * 199 + "…", "told": 7}


# --- Settings -----------------------------------------------------------------------------------


async def test_changed_settings_are_named_and_never_shown(
    database: Database, tmp_path: Path
) -> None:
    first = Settings(
        _env_file=None,
        data_dir=tmp_path,
        twilio_account_sid="AC" + TOKEN,
        twilio_auth_token=SecretStr(TOKEN),
        twilio_from_number="+14125550100",
    )

    async def start(settings: Settings, mode: str = "app") -> list[str]:
        return await record_changed_settings(database, settings, mode, MAYA)

    assert await start(first) == []
    assert await start(first) == []
    moved = first.model_copy(update={"data_dir": tmp_path / "other"})
    assert await start(moved) == []
    another = first.model_copy(
        update={"twilio_auth_token": SecretStr(TOKEN[::-1]), "keep_days": 30, "time_zone": "UTC"}
    )
    assert await start(another) == ["KEEP_DAYS", "TIME_ZONE", "TWILIO_AUTH_TOKEN"]
    assert await start(another) == []
    assert await start(first, "worker") == []
    assert await done(database) == ["Changed KEEP_DAYS, TIME_ZONE, TWILIO_AUTH_TOKEN"]

    def everything(connection: sa.Connection) -> str:
        tables = (audit, last_settings)
        return str([connection.execute(sa.select(each)).all() for each in tables])

    kept = await database.read(everything)
    assert TOKEN not in kept.replace("AC" + TOKEN, "")
    assert TOKEN[::-1] not in kept
    assert "AC" + TOKEN in kept
