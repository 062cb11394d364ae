"""What the Rules page is made of: the form and its rule, charts, rows, words. No database."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from alerts import Channel, UnusableInput
from dashboard.rules import charts, form, options, overview, result, sheets
from dashboard.rules.examples import EXAMPLES
from dashboard.rules.guided_form import guided_tag
from dashboard.rules.result import Decision, Seen
from dashboard.send.form import repeats_to_choose
from people.recipients import Recipient
from rules.guided import Guided, guided_sql
from rules.overview import NowWords, RuleHealth, RuleOverview
from rules.preview import Preview, PreviewRow
from rules.rule import Rule, missing_fields, wrong_fields
from rules.sandbox import Column

EXAMPLE = EXAMPLES["limit"].rule
NOW = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)


# --- The form -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [Rule(), *(each.rule for each in EXAMPLES.values())])
def test_a_form_that_holds_nothing_new_changes_nothing(rule: Rule):
    way = "guided" if rule.guided else "sql"
    source = {"source": rule.guided.source} if rule.guided else {}
    assert form.read_form({"way": way, **source}, rule) == rule


def test_each_field_of_the_form_is_taken_over():
    fields: dict[str, Any] = {
        "name": "Cold room",
        "way": "sql",
        "sql": "SELECT 1",
        "message": "Hello",
        "to_column": "",
        "to": "Ruth, Ines",
        "owner": "Maya",
        "channel": "call",
        "voice": "Polly.Amy",
        "language": "en-GB",
        "repeat": "2",
        "acknowledge": True,
        "voicemail": " Call back. ",
        "tries": "3",
        "minutes_between_tries": 2,
        "then_text": True,
        "then_to": "Ines\n412 555 0107",
        "quiet_hours": True,
        "when": "own",
        "schedule": "Mondays at 06:30",
        "pending": "minutes 30",
        "most_at_once": "20",
        "recovery_checks": 3,
        "gather_minutes": 5,
        "reminders": 1,
        "reminder_minutes": 15,
        "tell_recovery": True,
        "once_ever": True,
        "urgent": True,
        "stale_after_minutes": 90,
        "time_column": "tasted_at",
        "message_for_many": "{{ count }} are off",
    }
    rule = form.read_form(fields, EXAMPLE)
    assert rule == replace(
        EXAMPLE,
        name="Cold room",
        sql="SELECT 1",
        message="Hello",
        to_column="",
        to="Ruth, Ines",
        owner="Maya",
        voice="Polly.Amy",
        repeat=2,
        acknowledge=True,
        voicemail="Call back.",
        tries=3,
        minutes_between_tries=2,
        then_text=True,
        then_to=("Ines", "412 555 0107"),
        quiet_hours="22:00-07:00",
        at="30 6 * * 1",
        pending_minutes=30,
        most_at_once=20,
        recovery_checks=3,
        gather_minutes=5,
        reminders=1,
        reminder_minutes=15,
        tell_recovery=True,
        once_ever=True,
        urgent=True,
        stale_after_minutes=90,
        time_column="tasted_at",
        message_for_many="{{ count }} are off",
    )
    assert wrong_fields(rule) == {}


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("name", 7, "name"),
        ("sql", None, "sql"),
        ("message", "x" * 20_001, "message"),
        ("way", "magic", "way"),
        ("channel", "fax", "channel"),
        ("tries", "many", "tries"),
        ("repeat", "two", "repeat"),
        ("acknowledge", "yes", "acknowledge"),
        ("when", "whenever", "schedule"),
        ("pending", "checks many", "pending_checks"),
        ("most_at_once", "nan", "most_at_once"),
        ("reminder_minutes", "5", "reminder_minutes"),
        ("then_to", ["Ruth"], "then_to"),
    ],
)
def test_what_no_form_sends_is_refused_at_its_field(name: str, value: object, field: str):
    with pytest.raises(UnusableInput) as refused:
        form.read_form({name: value}, EXAMPLE)
    assert refused.value.field == field


@pytest.mark.parametrize("name", ["recovery_checks", "reminders", "gather_minutes"])
@pytest.mark.parametrize("value", [None, 1.5, -2, 1e400])
def test_a_number_that_is_none_is_wrong_at_its_field(name: str, value: float | None):
    wrong = wrong_fields(form.read_form({name: value}, EXAMPLE))
    assert name in wrong or (name == "gather_minutes" and value == 1.5)


def test_what_a_rule_has_is_always_among_the_choices():
    rule = replace(
        EXAMPLE, every_seconds=7, pending_checks=4, most_at_once=3, repeat=7, pending_minutes=0
    )
    assert form.schedule_value(rule) in form.schedules(rule)
    assert form.pending_value(rule) in form.pendings(rule)
    assert str(rule.most_at_once) in form.most_choices(rule)
    assert repeats_to_choose(rule.repeat)["7"] == "7 times"
    at = replace(rule, at="15 4 1 * *", pending_minutes=45)
    assert form.read_form({"when": form.schedule_value(at)}, at).at == at.at
    assert form.read_form({"pending": form.pending_value(at)}, at).pending_minutes == 45


def test_what_a_rule_from_a_file_has_is_chosen_in_the_form():
    rule = replace(EXAMPLE, tries=6, repeat=7, voice="Google.en-US-Kore", language="en-US")
    shown = str(options.options(rule)) + str(options.voices(rule))
    for value in ("6", "7", "Google.en-US-Kore", "en-US"):
        assert re.search(
            f'<option [^>]*value="{value}"[^>]* selected|selected[^>]* value="{value}"', shown
        )
    assert form.read_form({"tries": "6", "voice": rule.voice}, rule) == form.read_form({}, rule)


def test_how_it_calls_is_summed_up_in_one_sentence():
    rule = replace(EXAMPLE, voice="alice", repeat=3, acknowledge=False, quiet_hours="22:00-07:00")
    assert options.how_words(replace(rule, tries=1)) == "Alice, 3 times; not at night"
    assert options.how_words(replace(rule, tries=2)).startswith("Alice, 3 times; 2 tries, ")


def test_the_way_without_sql_fills_in_what_writes_the_query():
    fields: dict[str, Any] = {
        "way": "guided",
        "source": "tastings",
        "g_column": "diacetyl_ppb",
        "g_comparison": "over",
        "g_limit": " 100 ",
    }
    rule = form.read_form(fields, EXAMPLE)
    assert rule.guided == Guided("tastings", "diacetyl_ppb", "over", limit="100")
    assert "diacetyl_ppb > 100" in guided_sql(rule.guided)


def test_the_sentence_asks_for_what_its_comparison_needs():
    columns = (Column("batch", "VARCHAR"), Column("ppb", "BIGINT"), Column("at", "TIMESTAMP"))
    over = str(guided_tag(Guided("tastings", "ppb", "over"), columns))
    assert 'name="g_limit"' in over
    assert 'name="g_minutes"' not in over
    own_limit = str(guided_tag(Guided("tastings", "ppb", "over", limit_column="x"), columns))
    assert 'name="g_limit"' not in own_limit
    missing = str(guided_tag(Guided("tastings", "batch", "missing"), columns))
    assert 'name="g_limit"' not in missing
    assert 'name="g_minutes"' in missing
    assert 'name="g_time_column"' in missing
    jump = str(guided_tag(Guided("tastings", "ppb", "jump"), columns))
    assert all(f'name="{each}"' in jump for each in ("g_limit", "g_minutes", "g_time_column"))


def test_the_examples_are_complete_but_for_whom_one_of_them_calls():
    lacking = {name: set(missing_fields(each.rule)) for name, each in EXAMPLES.items()}
    assert lacking == {"limit": set(), "missing": {"to"}, "jump": set()}
    assert all(wrong_fields(each.rule) == {} for each in EXAMPLES.values())


# --- Charts -------------------------------------------------------------------------------------


def test_the_charts_tell_their_numbers_in_a_sentence():
    assert 'aria-label="1 alert in 14 days"' in str(charts.sparkline([0] * 13 + [1]))
    assert 'aria-label="0 alerts in 3 days"' in str(charts.sparkline([0, 0, 0]))
    first = date(2026, 10, 27)
    days = [(first + timedelta(days=each), {3: 2, 14: 3}.get(each, 0)) for each in range(30)]
    assert charts.month_in_words(days) == "5 alerts on 2 of 30 days, at most 3, on 10 November"
    chart = str(charts.month(days))
    assert ">3</span>" in chart
    assert "27 Oct" in chart
    nothing = [(day, 0) for day, _ in days]
    assert charts.month_in_words(nothing) == "No alert in 30 days"
    assert "top" not in str(charts.month(nothing))


# --- The list -----------------------------------------------------------------------------------


def in_list(**changes: Any) -> RuleOverview:
    rule = replace(EXAMPLE, id="a1", state="on")
    fine = RuleOverview(
        rule,
        NowWords(3, "3 bad"),
        0,
        None,
        (("tastings", "Example, CSV"),),
        NOW,
        NOW,
        (0,) * 13 + (2,),
        RuleHealth("fine", "Fine"),
    )
    return replace(fine, **changes)


def test_a_row_says_where_a_rule_stands():
    html = str(overview.list_tag([in_list()], 2, "UTC"))
    assert "2 workers check them" in html
    assert "Calls the number in phone" in html
    assert "3 bad" in html
    assert "Example, CSV" in html
    assert 'aria-label="2 alerts in 14 days"' in html
    assert 'href="?page=rules&amp;rule=a1"' in html
    assert "Held" not in html


def test_no_worker_is_a_warning_and_a_failed_check_never_none_bad():
    failed = in_list(
        now=NowWords(None, "Not known"),
        health=RuleHealth("failed", "Can’t check", "Column diacetyl_ppb is gone", NOW),
    )
    html = str(overview.list_tag([failed], 0, "UTC"))
    assert "0 workers: nothing is checked" in html
    assert "Not known" in html
    assert "None bad" not in html
    assert "Can’t check since" in html
    assert "Column diacetyl_ppb is gone" in html


def test_a_held_rule_stands_above_everything_with_its_three_answers():
    rule = replace(EXAMPLE, id="b2", name="Fill <level>", state="held")
    held = in_list(rule=rule, held=41, held_since=NOW, health=RuleHealth("held", "Held: 41 new"))
    html = str(overview.list_tag([in_list(), held], 1, "UTC"))
    assert html.index("41 new at once") < html.index("rules-table")
    assert "Fill &lt;level&gt;: 41 new at once" in html
    assert all(each in html for each in (">Call all 41<", ">Choose…<", ">Call none<"))
    assert "over its limit of 10" in html
    text = replace(rule, channel="text")
    assert ">Text about it<" in str(overview.held_tag(replace(held, rule=text, held=1), "UTC"))


def test_without_rules_there_are_three_to_start_from():
    html = str(overview.list_tag([], 0, "UTC"))
    assert html.count(">Start from this<") == 3
    assert "workers" not in html


# --- What it comes to ---------------------------------------------------------------------------

BEN = Recipient(0, "+14125550123", "Ben Adeyemi")
ROW = PreviewRow("k1", ("1407", "Pale ale"), {}, (BEN,), "", "Hello Ben <b>")


def seen(total: int = 1, **changes: Any) -> Seen:
    preview = Preview("f", total, (ROW,) * min(total, 5), frozenset({"k1"}), ("batch",), 0.2, NOW)
    return Seen(EXAMPLE, replace(preview, **changes), NOW)


def test_each_bad_row_says_who_would_hear_what_and_can_be_listened_to():
    html = str(result.bad_now(seen(5), "", "UTC", is_reading=False))
    assert "Bad now: 5 rows" in html
    assert "first 3" in html
    assert "See all 5" in html
    assert "Ben Adeyemi" in html
    assert "Hello Ben &lt;b&gt;" in html
    assert 'data-listen="rules-twiml-first-k1"' in html
    as_text = replace(seen(), rule=replace(EXAMPLE, channel="text"))
    html = str(result.bad_now(as_text, "", "UTC", is_reading=False))
    assert "What they read" in html
    assert "data-listen" not in html


@pytest.mark.parametrize(("channel", "verb"), [("call", "calls"), ("text", "texts")])
def test_without_a_bad_row_it_says_what_becomes_of_the_next(channel: Channel, verb: str):
    none = replace(seen(0), rule=replace(EXAMPLE, channel=channel))
    html = str(result.bad_now(none, "", "UTC", is_reading=False))
    assert f"If one turns bad later, the rule {verb} about it." in html


def test_a_mistake_keeps_the_last_good_result_with_its_time():
    html = str(result.bad_now(seen(), "No such column.", "UTC", is_reading=False))
    assert "Bad now: 1 row<" in html
    assert "before the mistake" in html


def test_a_row_whose_recipient_cannot_be_read_says_so():
    lost = replace(ROW, recipients=(), problem="Nobody is called Bean.")
    html = str(result.bad_now(seen(rows=(lost,)), "", "UTC", is_reading=False))
    assert "Nobody is called Bean." in html


def decided(**changes: Any) -> str:
    usual = Decision(EXAMPLE, seen(214), "", "none", frozenset(), is_changed=False)
    return str(result.turn_on(replace(usual, **changes)))


def test_turning_on_waits_for_a_preview_and_says_why():
    refused = decided(why_not="Line 1 needs a fix first.")
    assert 'aria-disabled="true"' in refused
    assert "Line 1 needs a fix first." in refused
    ready = decided()
    assert "aria-disabled" not in ready
    assert "214 rows are bad already" in ready
    assert "Nobody is called now" in ready


def test_only_a_button_that_calls_is_in_the_color_of_calls():
    assert "wide ink" in decided()
    assert "wide ink" in decided(telling="choose")
    ringing = decided(telling="choose", chosen=frozenset({"k1"}))
    assert "wide ring" in ringing
    assert "Turn on and call about 1 row" in ringing


def test_a_rule_that_is_on_is_saved_instead():
    on = replace(EXAMPLE, state="on")
    assert "It is on, as you see it here." in decided(rule=on)
    changed = decided(rule=on, is_changed=True)
    assert "Save changes" in changed
    assert "aria-disabled" not in changed
    new_key = decided(rule=on, is_changed=True, seen=seen(new_baseline=True))
    assert "The key has changed" in new_key


# --- Sheets -------------------------------------------------------------------------------------


def version(revision: int, minutes: float, by: str, **changes: Any) -> Rule:
    at = NOW + timedelta(minutes=minutes)
    return replace(EXAMPLE, id="a1", revision=revision, changed_by=by, changed_at=at, **changes)


def test_versions_say_who_changed_what_and_join_what_one_person_saved_in_a_row():
    versions = [
        version(4, 60, "Ruth", message="New", every_seconds=60),
        version(3, 3, "Maya", message="Hullo"),
        version(2, 1, "Maya", name="Diacetyl"),
        version(1, 0, "Maya"),
    ]
    grouped = sheets.grouped(versions)
    assert [each.revision for each, _ in grouped] == [4, 3]
    assert sheets.changed_fields(versions[1], versions[0]) == "message, how often"
    assert sheets.changed_fields(None, versions[3]) == "first saved"
    html = str(sheets.versions_sheet(versions, "UTC"))
    assert html.count(">Bring back<") == 1
    assert "Ruth" in html


def test_a_rule_that_is_not_saved_yet_has_no_versions():
    assert "no versions before it is saved" in str(sheets.versions_sheet([], "UTC"))
