"""The Rules page in memory: from the form to a rule that is on; what people see is in a browser."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from shiny import Inputs, Outputs, Session
from shiny.testserver import AsyncTestServerSession
from shiny.testserver import test_server_async as serve_in_memory

from access import EVERYTHING, Actor
from dashboard import rules as page_of_rules
from rules.desk import RuleDesk
from rules.guided import Guided, guided_sql
from rules.rule import Rule
from settings import SettingsError
from tests.support.page_in_memory import until
from tests.support.rule_at_work import RULE, SQL, RuleAtWork, rule_at_work

pytestmark = pytest.mark.usefixtures("fresh_lock")

ROWS = ((1407, "T3", 210, "Ben"), (1408, "T4", 180, "Ben"), (1409, "T5", 240, "Brewers"))
FORM: dict[str, Any] = {
    "way": "sql",
    "source": "tastings",
    "name": "Diacetyl",
    "sql": SQL,
    "message": "Batch {{ batch }} has {{ diacetyl_ppb }} ppb.",
    "to_column": "client",
    "channel": "text",
}


class Visit:
    """A Rules page, and what its script was told to show."""

    def __init__(self, page: AsyncTestServerSession, told: list[dict[str, Any]]) -> None:
        self.page = page
        self.told = told
        self.presses = 0

    async def go(self, address: str) -> None:
        await self.page.set_inputs(**{"rules-address": address})

    async def do(self, action: str, **sent: Any) -> None:
        self.presses += 1
        await self.page.set_inputs(
            **{"rules-act": {"action": action, "nonce": self.presses, **sent}}
        )

    async def fill_in(self, **fields: Any) -> None:
        """Send the form as it is on the page, with these fields."""
        generation = str(self.page.get_output("rules-editor").value).split("data-generation")[1]
        number = "".join(each for each in generation[:12] if each.isdigit())
        self.presses += 1
        await self.page.set_inputs(
            **{"rules-form": {"generation": number, "fields": fields, "nonce": self.presses}}
        )

    def shown(self, part: str) -> str:
        """What a part shows now, or was told last."""
        found = [
            each.get("html", each.get("value", "")) for each in self.told if each["part"] == part
        ]
        return str(found[-1]) if found else ""

    async def until(self, condition: Callable[[], bool]) -> None:
        await until(self.page, condition)

    async def open(self, address: str) -> None:
        await self.go(address)
        await self.until(lambda: bool(self.shown("turn-on")))


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[RuleAtWork]:
    async with rule_at_work(tmp_path, *ROWS) as opened:
        yield opened


@pytest.fixture
def rules(scene: RuleAtWork) -> RuleDesk:
    return RuleDesk(scene.desk, scene.sources, scene.sandbox)


@pytest.fixture
async def visit(scene: RuleAtWork, rules: RuleDesk) -> AsyncIterator[Visit]:
    async def open_rules() -> RuleDesk:
        return rules

    async with visiting(scene, open_rules) as opened:
        yield opened


@asynccontextmanager
async def visiting(
    scene: RuleAtWork, open_rules: Callable[[], Awaitable[RuleDesk]]
) -> AsyncIterator[Visit]:
    told: list[dict[str, Any]] = []

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        send = session.send_custom_message

        async def listen(kind: str, message: Any) -> None:
            if kind == "callboard-rules":
                told.append(message)
            await send(kind, message)

        session.send_custom_message = listen  # type: ignore[method-assign, assignment]
        page_of_rules.server("rules", scene.desk, open_rules)

    async with serve_in_memory(server, timeout_secs=60) as page:
        await page.set_inputs(**{"rules-time_zone": "America/New_York"})
        yield Visit(page, told)


async def only(rules: RuleDesk) -> Rule:
    [found] = await rules.all()
    return found


async def drafted(visit: Visit) -> None:
    """Write a rule by hand, up to a preview that it can be switched on with."""
    await visit.open("?page=rules&rule=new")
    await visit.fill_in(**FORM)
    await visit.until(lambda: "Bad now: 2 rows" in visit.shown("bad-now"))
    await visit.do("key_add", value="+batch")
    await visit.until(lambda: "Nobody is texted now" in visit.shown("turn-on"))


async def test_a_rule_is_written_saved_as_a_draft_and_switched_on_silently(
    visit: Visit, rules: RuleDesk, scene: RuleAtWork
) -> None:
    await visit.go("?page=rules")
    await visit.until(lambda: visit.shown("list").count(">Start from this<") == 3)
    await visit.open("?page=rules&rule=new")
    assert "Give the rule a name." in visit.shown("turn-on")
    assert "Give the rule a name." not in visit.shown("line-name")
    await drafted(visit)
    assert "Ben Adeyemi" in visit.shown("bad-now")
    assert "Batch 1407 has 210 ppb." in visit.shown("bad-now")
    await visit.until(lambda: "Draft, saved" in visit.shown("saved"))
    rule = await only(rules)
    assert (rule.state, rule.key, rule.name) == ("draft", ("batch",), "Diacetyl")
    assert visit.shown("address") == f"?page=rules&rule={rule.id}"
    await visit.do("turn_on")
    await visit.until(lambda: "This rule is on" in visit.shown("turn-on"))
    assert (await only(rules)).state == "on"
    assert await scene.told() == []
    await visit.until(lambda: "1407" in visit.shown("episodes"))
    assert f"?page=activity&amp;rule={rule.id}" in visit.shown("episodes")


async def test_what_is_changed_right_before_it_is_switched_on_is_looked_at_first(
    visit: Visit, rules: RuleDesk
) -> None:
    await drafted(visit)
    await visit.fill_in(**FORM | {"sql": SQL.replace("200", "220")})
    await visit.do("turn_on")
    await visit.until(lambda: "What is bad has just changed." in visit.shown("said"))
    assert "Bad now: 1 row<" in visit.shown("bad-now")
    await visit.until(lambda: "Draft, saved" in visit.shown("saved"))
    assert (await only(rules)).state == "draft"
    await visit.fill_in(**FORM | {"sql": SQL.replace("200", "220"), "message": "{{ batch }}"})
    await visit.do("turn_on")
    await visit.until(lambda: "This rule is on" in visit.shown("turn-on"))
    assert (await only(rules)).message == "{{ batch }}"


async def test_only_rows_that_were_chosen_are_told_at_once(visit: Visit, scene: RuleAtWork) -> None:
    await drafted(visit)
    await visit.do("telling", value="choose")
    await visit.until(lambda: "Which to tell about" in visit.shown("sheet"))
    sheet = visit.shown("sheet")
    key = sheet.split('value="')[-1].split('"')[0]
    await visit.do("choose_keys", fields={"keys": [key]})
    await visit.until(lambda: "Turn on and text about 1 row" in visit.shown("turn-on"))
    assert "wide ring" in visit.shown("turn-on")
    await visit.do("turn_on")
    await visit.until(lambda: "This rule is on" in visit.shown("turn-on"))
    assert len(await scene.told()) == 1


async def test_a_mistake_is_marked_keeps_the_last_rows_and_turns_the_button_off(
    visit: Visit, rules: RuleDesk
) -> None:
    await drafted(visit)
    await visit.fill_in(**FORM | {"sql": SQL.replace("batch", "bach", 1)})
    await visit.until(lambda: "bach" in visit.shown("sql-line"))
    assert "Line 1: " in visit.shown("sql-line")
    [mark] = [each for each in visit.told if each["part"] == "mark"][-1:]
    assert (mark["line"], mark["column"], mark["length"]) == (1, 8, 4)
    assert "Use batch" in visit.shown("sql-line")
    assert "Bad now: 2 rows" in visit.shown("bad-now")
    assert "before the mistake" in visit.shown("bad-now")
    assert 'aria-disabled="true"' in visit.shown("turn-on")
    assert "Line 1 needs a fix first." in visit.shown("turn-on")
    await visit.until(lambda: "Draft, saved" in visit.shown("saved"))
    await visit.do("turn_on")
    await visit.do("see_all")  # done after it
    await visit.until(lambda: "Bad at" in visit.shown("sheet"))
    assert (await only(rules)).state == "draft"


async def test_the_way_without_sql_writes_what_can_be_seen_and_gone_on_with(visit: Visit) -> None:
    await visit.open("?page=rules&rule=new")
    await visit.fill_in(way="guided", source="tastings", name="Diacetyl", message="{{ batch }}")
    await visit.until(lambda: "Choose a column." in visit.shown("sql-line"))
    guided = {"g_column": "diacetyl_ppb", "g_comparison": "over", "g_limit": "200"}
    fields = {**FORM, "way": "guided", **guided}
    del fields["sql"]
    await visit.fill_in(**fields)
    await visit.until(lambda: "Bad now: 2 rows" in visit.shown("bad-now"))
    assert "diacetyl_ppb &gt; 200" in visit.shown("written-sql")
    await visit.do("to_sql")
    await visit.until(lambda: "diacetyl_ppb > 200" in visit.shown("sql"))
    assert visit.shown("way") == "sql"


async def test_opening_a_rule_changes_nothing_of_what_an_older_version_wrote(
    visit: Visit, rules: RuleDesk, scene: RuleAtWork
) -> None:
    guided = Guided("tastings", "diacetyl_ppb", "over", "200", key=RULE.key)
    sql = 'SELECT *\nFROM tastings\nWHERE "diacetyl_ppb" > 200'
    assert guided_sql(guided) != sql
    saved = await scene.saved_rule(guided=guided, sql=sql)
    await visit.open(f"?page=rules&rule={saved.id}")
    await visit.until(lambda: "Bad now: 2 rows" in visit.shown("bad-now"))
    assert html.unescape(visit.shown("written-sql")).count('"diacetyl_ppb" > 200') == 1
    assert (await only(rules)).revision == saved.revision


async def test_each_form_is_answered_once_what_it_changed_is_shown(visit: Visit) -> None:
    await visit.open("?page=rules&rule=new")
    await visit.fill_in(**FORM | {"name": "Changed"})
    sent = visit.presses
    await visit.until(lambda: visit.shown("answered") == str(sent))
    parts = [each["part"] for each in visit.told]
    assert parts.index("heading") < parts.index("answered")
    # One of a form that isn't there any more, too: the page waits for it.
    await visit.page.set_inputs(
        **{"rules-form": {"generation": "99", "fields": {"name": "Old"}, "nonce": sent + 1}}
    )
    await visit.until(lambda: visit.shown("answered") == str(sent + 1))
    assert visit.shown("heading") == "Changed"


async def test_a_missing_row_is_asked_for_by_what_has_to_come(visit: Visit) -> None:
    await visit.open("?page=rules&rule=new")
    guided = {"g_column": "batch", "g_comparison": "missing", "g_time_column": "batch"}
    await visit.fill_in(way="guided", source="tastings", g_minutes=60, **guided)
    await visit.until(lambda: "all together, or add a column" in visit.shown("key"))
    await visit.do("key_add", value="+tank")
    await visit.until(lambda: "PARTITION BY tank" in visit.shown("written-sql"))


async def test_changes_of_a_rule_that_is_on_wait_until_they_are_saved(
    visit: Visit, rules: RuleDesk, scene: RuleAtWork
) -> None:
    rule = await scene.switched_on()
    await visit.open(f"?page=rules&rule={rule.id}")
    await visit.until(lambda: "It is on, as you see it here." in visit.shown("turn-on"))
    fields = {"way": "sql", "source": "tastings", "sql": SQL.replace("200", "220")}
    await visit.fill_in(**fields)
    await visit.until(lambda: "1 the same, 0 new, 1 gone" in visit.shown("bad-now"))
    assert (await only(rules)).sql == SQL
    assert "changed since" in visit.shown("saved")
    # They are still there after a look at the list.
    await visit.go("?page=rules")
    await visit.until(lambda: "Calls" in visit.shown("list") or "Texts" in visit.shown("list"))
    visit.told.clear()
    await visit.open(f"?page=rules&rule={rule.id}")
    assert "changed since" in visit.shown("saved")
    await visit.until(lambda: "1 the same, 0 new, 1 gone" in visit.shown("bad-now"))
    await visit.do("save")
    await visit.until(lambda: "On, saved" in visit.shown("saved"))
    assert "220" in (await only(rules)).sql


async def test_a_change_by_another_person_meanwhile_is_told_and_not_overwritten(
    visit: Visit, rules: RuleDesk, scene: RuleAtWork
) -> None:
    rule = await scene.saved_rule()
    await visit.open(f"?page=rules&rule={rule.id}")
    await rules.acting_as(Actor("Ruth", EVERYTHING)).save(replace(rule, message="Theirs"))
    await visit.fill_in(way="sql", source="tastings", message="Mine")
    await visit.until(lambda: "Ruth changed this rule" in visit.shown("saved"))
    assert (await only(rules)).message == "Theirs"


async def test_a_flood_is_held_counted_on_the_tab_and_answered(
    visit: Visit, rules: RuleDesk, scene: RuleAtWork
) -> None:
    rule = await scene.switched_on(most_at_once=2)
    scene.append(*((1500 + each, "T9", 300, "Ben") for each in range(4)))
    await scene.check(rule)
    await visit.go("?page=rules")
    await visit.until(lambda: "4 new at once" in visit.shown("list"))
    await visit.page.set_inputs(**{".clientdata_output_rules-waiting_hidden": False})
    await visit.until(lambda: "1 waits" in str(visit.page.get_output("rules-waiting").value))
    await visit.do("held_some", id=rule.id, fields={"keys": []})
    await visit.until(lambda: "still held" in visit.shown("said"))
    await visit.do("held_choose", id=rule.id)
    await visit.until(lambda: "1500" in visit.shown("sheet"))
    held = await rules.held_rows(rule.id)
    await visit.do("held_some", id=rule.id, fields={"keys": [held[0].key]})
    await visit.until(lambda: "1 row is told now" in visit.shown("said"))
    await visit.until(lambda: "new at once" not in visit.shown("list"))
    await scene.check(rule)
    # Beside the owner, who heard that it is held.
    assert [words[:10] for _, words in await scene.told()][1:] == ["Batch 1500"]


async def test_all_of_a_flood_is_told_only_if_it_is_what_the_button_said(
    visit: Visit, rules: RuleDesk, scene: RuleAtWork
) -> None:
    rule = await scene.switched_on(most_at_once=2)
    scene.append(*((1500 + each, "T9", 300, "Ben") for each in range(4)))
    await scene.check(rule)
    await visit.go("?page=rules")
    await visit.do("held_all", id=rule.id, value="3")
    await visit.until(lambda: "By now 4 are held" in visit.shown("said"))
    assert (await only(rules)).state == "held"
    await visit.do("held_all", id=rule.id, value="4")
    await visit.until(lambda: "4 rows are told now" in visit.shown("said"))


async def test_the_switch_turns_off_at_once_and_on_only_by_the_editor(
    visit: Visit, rules: RuleDesk, scene: RuleAtWork
) -> None:
    rule = await scene.switched_on()
    await visit.go("?page=rules")
    await visit.until(lambda: "Diacetyl" in visit.shown("list"))
    await visit.do("switch", id=rule.id, value="off")
    await visit.until(lambda: "It is off" in visit.shown("said"))
    assert (await only(rules)).state == "paused"
    await visit.do("switch", id=rule.id, value="on")
    await visit.until(lambda: visit.shown("go") == f"?page=rules&rule={rule.id}")
    assert (await only(rules)).state == "paused"


async def test_versions_mutes_export_and_removal(
    visit: Visit, rules: RuleDesk, scene: RuleAtWork
) -> None:
    rule = await scene.saved_rule()
    rule = await rules.acting_as(Actor("Ruth", EVERYTHING)).save(replace(rule, message="Newer"))
    await visit.open(f"?page=rules&rule={rule.id}")
    await visit.do("versions")
    await visit.until(lambda: "Ruth" in visit.shown("sheet"))
    await visit.do("bring_back", id="1")
    editor = lambda: str(visit.page.get_output("rules-editor").value)  # noqa: E731
    await visit.until(lambda: RULE.message in editor())
    await visit.do("mute_sheet")
    await visit.until(lambda: "Mute Diacetyl" in visit.shown("sheet"))
    await visit.do("mute", fields={"how_long": "weekly", "weekly": "someday", "recipient": ""})
    await visit.until(lambda: "Write the days" in visit.shown("sheet"))
    assert await rules.mutes(rule.id) == []
    await visit.do("mute", fields={"how_long": "60", "weekly": "", "recipient": "412 555 0123"})
    await visit.until(lambda: "1 muted" in visit.shown("tools"))
    [mute] = await rules.mutes(rule.id)
    assert mute.until is not None
    assert mute.recipient == "+14125550123"
    await visit.do("unmute", id=mute.id)
    await visit.until(lambda: "1 muted" not in visit.shown("tools"))
    await visit.do("export")
    await visit.until(lambda: 'name = "Diacetyl"' in visit.shown("download"))
    await visit.do("remove")
    await visit.until(lambda: "Remove Diacetyl?" in visit.shown("sheet"))
    await visit.do("really_remove")
    await visit.until(lambda: visit.shown("go") == "?page=rules")
    assert await rules.all() == []


async def test_an_upload_becomes_a_source_and_says_what_was_sniffed(
    visit: Visit, scene: RuleAtWork, tmp_path: Path
) -> None:
    folder = tmp_path / "fileupload-1" / "a"
    folder.mkdir(parents=True)
    (folder / "0.csv").write_text('tank,temp_c,litres\nT1,4.5,"1,250"\nT2,7.1,\n')
    await visit.open("?page=rules&rule=new")
    sent = {"name": "Cellar temps.csv", "size": 9, "datapath": str(folder / "0.csv")}
    await visit.page.set_inputs(**{"rules-file": [sent]})
    await visit.until(lambda: "temp_c (double)" in visit.shown("uploaded"))
    assert "cellar_temps" in visit.shown("sources").lower()
    assert "temp_c" in visit.shown("columns")
    for place in ("uploaded", "columns"):
        assert "litres is read as text: 1,250 may be a large number" in visit.shown(place)
    await visit.do("remove_upload", id="cellar_temps")
    await visit.until(lambda: "is removed" in visit.shown("uploaded"))
    assert scene.sources.names() == ("tastings",)


async def test_the_new_columns_of_a_source_are_taken_only_when_a_person_says_so(
    visit: Visit, scene: RuleAtWork, rules: RuleDesk
) -> None:
    await rules.columns(["tastings"])
    scene.write((1407, 210, "Ben"), columns="batch,ppb,client", good=((1, 0, ""),))
    await visit.open("?page=rules&rule=new")
    await visit.until(lambda: "Take its columns as they are now" in visit.shown("columns"))
    await visit.do("accept_shape")
    await visit.until(lambda: ">ppb<" in visit.shown("columns"))
    assert "Take its columns" not in visit.shown("columns")


async def test_a_column_that_is_clear_by_now_is_taken_as_it_is(
    visit: Visit, scene: RuleAtWork, rules: RuleDesk
) -> None:
    columns, good = "batch,litres,client", ((1, "1250", "Ben"),)
    scene.write((1407, '"1,250"', "Ben"), columns=columns, good=())
    await rules.columns(["tastings"])
    await visit.open("?page=rules&rule=new")
    await visit.until(lambda: "litres is read as text: 1,250" in visit.shown("columns"))
    assert "Take its columns" not in visit.shown("columns")
    scene.write((1407, 1250, "Ben"), columns=columns, good=good)
    await visit.do("look_again")
    await visit.until(lambda: "Take its columns as they are now" in visit.shown("columns"))
    await visit.do("accept_shape")
    await visit.until(lambda: "is read as text" not in visit.shown("columns"))


async def test_no_file_of_this_machine_is_taken_for_an_upload(
    visit: Visit, scene: RuleAtWork
) -> None:
    await visit.open("?page=rules&rule=new")
    before = scene.sources.names()
    sent = {"name": "passwd", "size": 9, "datapath": "/etc/passwd"}
    await visit.page.set_inputs(**{"rules-file": [sent]})
    await visit.page.flush()
    assert scene.sources.names() == before
    assert visit.shown("uploaded") == ""


async def test_wrong_sources_are_said_in_the_place_of_the_list(scene: RuleAtWork) -> None:
    async def open_rules() -> RuleDesk:
        raise SettingsError("sources.toml, line 3: there is no such kind of source.")

    async with visiting(scene, open_rules) as visit:
        await visit.go("?page=rules")
        await visit.until(lambda: "no such kind of source" in visit.shown("list"))


async def test_an_unknown_rule_leads_back_to_the_list(visit: Visit) -> None:
    for unknown in ("abc", "%00", "%ED%A0%80", "x" * 5000):
        await visit.go(f"?page=rules&rule={unknown}")
        await visit.until(lambda: "This rule was removed" in visit.shown("said"))
        assert visit.shown("go") == "?page=rules"
        visit.told.clear()
        await visit.go("?page=rules")


WRONG: list[Any] = [None, True, 5, 1e308, "", "\ud800", "\0", "9" * 30_000, [], [[1]], {}, {"a": 1}]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FORM | {"when": 0, "schedule": 0, "g_minutes": 0}))
async def test_any_value_of_a_field_is_taken_or_refused_in_a_sentence(
    visit: Visit, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    await visit.open("?page=rules&rule=new")
    for value in WRONG:
        await visit.fill_in(**FORM | {name: value, "when": value if name == "when" else "hourly"})
        await visit.do("turn_on", id=value, value=value, fields=value)
        await visit.do(value, id="1")
    await visit.fill_in(**FORM)
    await visit.until(lambda: "Bad now: 2 rows" in visit.shown("bad-now"))
    assert "Traceback" not in caplog.text
    assert "Callboard failed" not in str(visit.told)
