"""Rules in TOML: what is written is read back the same, and what is wrong is named."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import UnusableInput
from rules.guided import Guided
from rules.rule import WHOLE_ROW, Rule, definition_of, wrong_fields
from rules.rule_files import read_rules, write_rules

SQL = (
    "SELECT batch, phone\nFROM tastings\nWHERE diacetyl_ppb > limit_ppb AND note <> '\"\\'\n  -- é"
)
RULE = Rule(
    name="Diacetyl above limit",
    sql=SQL,
    key=("batch", "beer"),
    message="Batch {{ batch }} is bad.",
    to_column="phone",
)
FULL = replace(
    RULE,
    name='Every "field" = 1',
    message_for_many="{{ count }}:\n{{ list }}",
    owner="Ruth, +44 20 7946 0018",
    channel="call",
    voice="Polly.Joanna",
    language="en-US",
    repeat=0,
    acknowledge=True,
    voicemail="Please call back.",
    tries=3,
    minutes_between_tries=2.5,
    then_text=True,
    then_to=("Ines", "Ben"),
    quiet_hours="22:00-07:00",
    urgent=True,
    at="0 7 * * 1-5",
    time_zone="Europe/Berlin",
    pending_checks=2,
    pending_minutes=10,
    recovery_checks=3,
    most_at_once=100,
    gather_minutes=1.5,
    reminders=2,
    reminder_minutes=30,
    tell_recovery=True,
    once_ever=True,
    stale_after_minutes=90,
    time_column="tasted_at",
    guided=Guided("tastings", "odd \"'name", "jump", "20", key=("batch",), time_column="at"),
)


def test_a_file_reads_well() -> None:
    assert write_rules([replace(RULE, every_seconds=60, sql="SELECT 1\nFROM a")]) == (
        "# Rules of Callboard. Load them with: python -m alerts rules load FILE\n"
        "\n[[rule]]\n"
        'name = "Diacetyl above limit"\n'
        "sql = '''\nSELECT 1\nFROM a'''\n"
        'key = ["batch", "beer"]\n'
        'message = "Batch {{ batch }} is bad."\n'
        'to_column = "phone"\n'
        'check = "every minute"\n'
    )


def test_every_field_comes_back() -> None:
    usual = definition_of(Rule())
    same = [name for name, value in definition_of(FULL).items() if value == usual[name]]
    assert set(same) <= {"to", "channel", "every_seconds"}
    rules = [
        RULE,
        FULL,
        replace(RULE, name="x", key=WHOLE_ROW, channel="text", to_column="", to="A"),
    ]
    assert read_rules(write_rules(rules), "rules.toml") == rules


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0")
    | st.sampled_from("'\"\\\n\r\t\x1b\x7f\x85"),
    max_size=60,
)


@given(
    TEXTS, TEXTS, st.lists(TEXTS.filter(str.strip), min_size=1, max_size=3, unique_by=str.casefold)
)
def test_any_text_comes_back(sql: str, to: str, key: list[str]) -> None:
    rule = Rule(name="a", sql=sql, to=to, key=tuple(key))
    if wrong_fields(rule):
        return
    assert read_rules(write_rules([rule]), "rules.toml") == [rule]


@given(st.floats(1, 2e6), st.floats(0, 1000))
def test_any_number_comes_back(every: float, minutes: float) -> None:
    rule = Rule(name="a", every_seconds=every, gather_minutes=minutes)
    [read] = read_rules(write_rules([rule]), "rules.toml")
    assert read == rule


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[rule]", r"rules\.toml isn't TOML: .*line 1"),
        ("[[rules]]\nname = 'a'", r"rules isn't known here\. Rules are \[\[rule\]\]"),
        ("rule = 1", r"begin each rule with \[\[rule\]\]"),
        ("[[rule]]\nname = 'a'\nmesage = 'x'", r"rule a: mesage isn't known here\. .*message\?"),
        ("[[rule]]\nname = 'a'\nstate = 'on'", "state isn't known here"),
        ("[[rule]]\nname = 'a'\nid = 'x'", "id isn't known here"),
        ("[[rule]]\nname = 'a'\nchek = 'hourly'", r"Do you mean check\?"),
        ("[[rule]]\nname = 'a'\ntries = 'three'", "tries must be a whole number"),
        ("[[rule]]\nname = 'a'\ntries = true", "tries must be a whole number"),
        ("[[rule]]\nname = 'a'\nurgent = 1", "urgent must be true or false"),
        ("[[rule]]\nname = 'a'\ngather_minutes = '1'", "gather_minutes must be a number"),
        ("[[rule]]\nname = 'a'\nkey = 'batch'", "key must be a list of texts"),
        ("[[rule]]\nname = 'a'\nchannel = 'fax'", "channel must be one of call, text"),
        ("[[rule]]\nname = 'a'\ncheck = 'often'", "check: Write it as every 5 minutes"),
        ("[[rule]]\nname = 'a'\ncheck = 'every 0 minutes'", "check: Write it as every 5 minutes"),
        ("[[rule]]\nname = 'a'\ncheck = 5", "check must be a text"),
        ("[[rule]]\nname = 'a'\ntries = 99", "tries: Try it 1 to 10 times"),
        ("[[rule]]\nsql = 'x'", "rule 1: name: Give the rule a name"),
        ("[[rule]]\nname = 7", "rule 1: name must be a text"),
        ("[[rule]]\nname = 'a'\n[[rule]]\nname = 'A'", "rule A: there are two of this name"),
        ("[[rule]]\nname = 'a'\n[rule.guided]\nsource = 's'", "guided: column is missing"),
        ("[[rule]]\nname = 'a'\nguided = 1", r"begin it with \[rule\.guided\]"),
        ("[[rule]]\nname = 'a'\n[rule.guided]\nsorce = 's'", r"Do you mean source\?"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(UnusableInput, match=words) as raised:
        read_rules(text, "rules.toml")
    assert raised.value.field == "file"


def test_a_file_without_rules_has_none() -> None:
    assert read_rules("", "rules.toml") == []
    assert read_rules(write_rules([]), "rules.toml") == []


def test_files_name_every_field_of_a_rule() -> None:
    written = write_rules([FULL])
    unnamed = {"id", "state", "revision", "changed_by", "changed_at", "every_seconds", "at", "to"}
    for name in {field.name for field in fields(Rule)} - unnamed - {"channel"}:
        assert f"\n{name} = " in written or f".{name}]" in written, name
