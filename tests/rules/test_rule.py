"""What a rule may be: one sentence for each field that is wrong."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from alerts import AlertRequest, UnusableInput
from rules.guided import Guided
from rules.rule import (
    NOT_OF_THE_DEFINITION,
    OF_THE_ALERT,
    WHOLE_ROW,
    Rule,
    alert_request,
    check_complete,
    check_rule,
    definition_of,
    missing_fields,
    rule_from,
    wrong_fields,
)

RULE = Rule(
    name="Diacetyl above limit",
    sql="SELECT batch, phone FROM tastings WHERE diacetyl_ppb > limit_ppb",
    key=("batch",),
    message="Batch {{ batch }} is bad.",
    to_column="phone",
)


def test_a_rule_that_is_right_has_nothing_wrong() -> None:
    check_complete(RULE)
    check_complete(replace(RULE, key=WHOLE_ROW, at="0 7 * * 1-5", then_to=("Ruth", "Ines")))


def test_a_draft_may_lack_what_a_check_needs() -> None:
    draft = Rule(name="Diacetyl")
    check_rule(draft)
    assert set(missing_fields(draft)) == {"sql", "key", "message", "to"}
    with pytest.raises(UnusableInput, match="Write a query"):
        check_complete(draft)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "  ", "Give the rule a name"),
        ("name", "x" * 101, "100 characters at most; this one has 101"),
        ("name", "a\u0007b", "invisible character"),
        ("sql", "x" * 20_001, "20,000 bytes at most"),
        ("sql", "SELECT '\ud800'", "broken character"),
        ("key", ("a", "b", "c", "d", "e", "f"), "5 columns at most"),
        ("key", ("batch", "BATCH"), "twice"),
        ("key", ("*", "batch"), "not both"),
        ("key", ("",), "Name the columns"),
        ("message", "{{ batch", "has no end"),
        ("message", "{% for a in b %}{% endfor %}", "no loops"),
        ("message_for_many", "{{ batch | nosuch }}", "filter"),
        ("voicemail", "{{ batch", "has no end"),
        ("to", "Ben", "Choose one"),
        ("channel", "fax", "neither call nor text"),
        ("voice", "", "voice"),
        ("language", "english", "not a language code"),
        ("tries", 0, "Try it 1 to 10 times"),
        ("minutes_between_tries", -1, "Wait 0 to 1,440"),
        ("quiet_hours", "night", "22:00"),
        ("time_zone", "Mars", "not a time zone"),
        ("then_to", tuple("abcdefghij"), "9 further"),
        ("repeat", -1, "Say it 1 to 100"),
        ("every_seconds", 0.5, "every second"),
        ("every_seconds", float("nan"), "every second"),
        ("pending_checks", 0, "1 to 100"),
        ("pending_checks", 1.5, "1 to 100"),
        ("pending_minutes", float("inf"), "a week"),
        ("recovery_checks", 0, "1 to 100"),
        ("most_at_once", 0, "1 to 10,000"),
        ("most_at_once", float("nan"), "1 to 10,000"),
        ("reminders", float("inf"), "0 to 3"),
        ("gather_minutes", -1, "a day"),
        ("reminders", 4, "0 to 3"),
        ("reminder_minutes", 0, "1 to 10,080"),
        ("stale_after_minutes", -1, "a year"),
        ("at", "every morning", "five fields"),
        ("at", "0 25 * * *", "can't be read"),
        ("at", "0 7 30 2 *", "can't be read"),
        ("at", "0 0 7 * * 1", "five fields"),
    ],
)
def test_a_field_that_is_wrong_is_told_by_itself(field: str, value: Any, words: str) -> None:
    [(found, problem)] = wrong_fields(replace(RULE, **{field: value})).items()
    assert (found, problem.field) == (field, field)
    assert words in str(problem)


def test_every_wrong_field_is_told_at_once() -> None:
    wrong = replace(RULE, name="", tries=0, quiet_hours="night", time_zone="Mars", reminders=9)
    assert set(wrong_fields(wrong)) == {"name", "tries", "quiet_hours", "time_zone", "reminders"}


def test_a_text_cannot_have_what_only_a_call_has() -> None:
    wrong = replace(RULE, channel="text", voicemail="Bad", then_text=True)
    assert set(wrong_fields(wrong)) == {"voicemail", "then_text"}


def test_a_definition_comes_back_as_it_was() -> None:
    guided = Guided("tastings", "diacetyl_ppb", "over", "100", key=("batch", "beer"))
    rule = replace(RULE, guided=guided, then_to=("Ruth",), tell_recovery=True)
    kept = json.loads(json.dumps(definition_of(rule)))
    assert rule_from(kept) == rule
    assert not set(NOT_OF_THE_DEFINITION) & set(kept)
    # From a version that has other fields.
    assert rule_from({**kept, "color": "red"}) == rule


def test_the_fingerprint_is_that_of_the_definition() -> None:
    same = replace(RULE, id="r1", state="on", revision=7, changed_by="Ann")
    assert same.fingerprint == RULE.fingerprint
    daily = replace(RULE, at="0 7 * * *")
    assert replace(daily, every_seconds=1).fingerprint == daily.fingerprint
    assert replace(RULE, every_seconds=300).fingerprint == RULE.fingerprint
    for other in (replace(RULE, sql=RULE.sql + " "), replace(RULE, key=("beer",))):
        assert other.fingerprint != RULE.fingerprint


def test_alerts_take_the_rules_options() -> None:
    request = alert_request(replace(RULE, tries=3, urgent=True, quiet_hours="22:00-07:00"))
    assert (request.tries, request.urgent, request.quiet_hours) == (3, True, "22:00-07:00")
    shared = {field.name for field in fields(Rule)} & {field.name for field in fields(AlertRequest)}
    assert shared - set(OF_THE_ALERT) == {"id", "message", "name", "to", "then_to"}
