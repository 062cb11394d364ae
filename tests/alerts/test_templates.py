"""Messages with variables."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.errors import UnusableInput
from alerts.message.templates import ALLOWED_FILTERS, MOST_TEMPLATE_CHARACTERS, render

VARIABLES = {
    "user": "ann",
    "now": "9:42 AM on Friday",
    "today": "Friday, November 20",
    "n": 3.14159,
}


def refusal(message: str) -> str:
    with pytest.raises(UnusableInput) as refused:
        render(message, VARIABLES)
    assert refused.value.field == "message"
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("Plain words & signs <here>", "Plain words & signs <here>"),
        ("  {{ user }} at {{now}}\n", "ann at 9:42 AM on Friday"),
        ("{{ user|upper }} {{ user|capitalize }} {{ user|length }}", "ANN Ann 3"),
        ("{{ user|length }} {{ user|first }}", "3 a"),
        ("{{ name|default('somebody') }}", "somebody"),
        ("{% if user == 'ann' %}yes{% else %}no{% endif %}", "yes"),
        ("{% if name is defined %}yes{% else %}no{% endif %}", "no"),
        ("{{ 'high' if n > 3 else 'low' }}", "high"),
        ("{{ user ~ '-' ~ (n + 1) }} {{ 'nn' in user }}", "ann-4.14159 True"),
        ("100% {ok} }}", "100% {ok} }}"),
        ("{%- if user -%} yes {%+ endif %}", "yes"),
        ("{%if user%}{#1407}{%endif%} {{user}}", "{#1407} ann"),
        ("{% raw %}{{ .CommonLabels.alertname }}{% endraw %}", "{{ .CommonLabels.alertname }}"),
    ],
)
def test_what_a_message_may_hold(message, text):
    assert render(message, VARIABLES) == text


@pytest.mark.parametrize(
    "message",
    [
        "Room {# 12 #} free",
        "Ticket {#1407}",
        "{# a remark #}kept",
        "{#- a #} b {#",
        "Discount {%50%} today",
        "100{% off",
        "{% end %}",
        "{%%} {% %}",
        "{% iffy %}",
        '{"a": {"b": {}}}',
        "#} %} }} {",
        "${VALUE} {0} %(name)s",
        "# a heading\n## another",
        "{#\U000f0000#} \U000f0001",
    ],
)
def test_no_data_is_eaten(message):
    assert render(message, VARIABLES) == message
    assert render(message + " {{ user }}", VARIABLES) == f"{message} ann"


@pytest.mark.parametrize(
    "message",
    [
        "{{ .CommonLabels.alertname }}",
        "{{ $labels.instance }}",
        "{{#if high}}now{{/if}}",
        "{{ trigger.to_state }}",
        "{% for alert in alerts %}x{% endfor %}",
        "{% if you can %}",
    ],
)
def test_other_programs_templates_are_refused_with_the_way_out(message):
    sentence = refusal(message)
    assert "--verbatim" in sentence
    assert "template=False" in sentence
    assert render(f"{{% raw %}}{message}{{% endraw %}}", VARIABLES) == message


def test_values_are_not_templates():
    assert render("{{ user }}", {"user": "{{ 1/0 }}"}) == "{{ 1/0 }}"


def test_a_variable_without_a_value():
    sentence = refusal("{{ batch }} failed")
    assert "asks for {{ batch }}, which isn't known here" in sentence
    assert "{{ user }}, {{ now }}, {{ today }}" in sentence


def test_a_variable_that_was_mistyped():
    sentence = refusal("{{ usre }} is on call")
    assert sentence.endswith("which isn't known here. Did you mean {{ user }}?")


@pytest.mark.parametrize(
    "message", ["{{ user", "{% if user %}", "{{ }}", "{% endif %}", "{{ 'a }}"]
)
def test_malformed(message):
    sentence = refusal(message)
    assert any(words in sentence for words in ("can't be read", "has no end", "isn't known here"))
    assert "token" not in sentence
    assert "undefined" not in sentence
    assert sentence.endswith(".")
    assert not sentence.endswith("..")


@pytest.mark.parametrize("message", ["{{ 1/0 }}", "{{ -user }}", "{{ n|first }}"])
def test_failing(message):
    assert "fails" in refusal(message)


HOSTILE = {
    "a loop": "{% for a in user %}x{% endfor %}",
    "a range": "{{ range(10 ** 9) }}",
    "multiplication": "{{ 'a' * 10 ** 9 }}",
    "a power": "{{ 9 ** 9 ** 9 }}",
    "formatting by %": "{{ '%999999999d' % 1 }}",
    "formatting by odd": "{{ '%999999999d' is odd }}",
    "formatting by even": "{{ '%999999999d' is even }}",
    "formatting by divisibleby": "{{ '%999999999d' is divisibleby 1 }}",
    "the format filter": "{{ '%999999999d'|format(1) }}",
    "centering": "{{ 'a'|center(999999999) }}",
    "indenting": "{{ 'a'|indent(999999999) }}",
    "a far-off round": "{{ n|round(999999999, 'ceil') }}",
    "a round of a text": "{{ user|round(15, 'ceil') }}",
    "a round the other way": "{{ n|round(-999999999, 'ceil') }}",
    "a round by name": "{{ n|round(precision=999999999) }}",
    "a round by variable": "{{ n|round(n|int) }}",
    "a round by list": "{{ n|round(*user) }}",
    "replacing": "{{ user|replace('', user) }}",
    "a call": "{{ user.upper() }}",
    "a macro": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "an assignment": "{% set a = user ~ user %}{{ a }}",
    "an include": "{% include '/etc/passwd' %}",
    "an import": "{% import 'os' as os %}",
    "its class": "{{ user.__class__ }}",
    "its class by item": "{{ user['__class__'].__mro__ }}",
    "its class by filter": "{{ user|attr('__class__') }}",
    "globals": "{{ cycler.__init__.__globals__ }}",
    "many parentheses": "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "many negations": "{{ " + "not " * 4_000 + "user }}",
    "150 conditions": "{% if user %}" * 150 + "x" + "{% endif %}" * 150,
    "1,000 conditions": "{% if n %}" * 1_000 + "x" + "{% endif %}" * 1_000,
    "250 filters": "{{ user" + "|lower" * 250 + " }}",
    "2,500 filters": "{{ user" + "|lower" * 2_500 + " }}",
    "a long sum": "{{ 1" + "+1" * 9_000 + " }}",
    "a huge number": "{{ " + "9" * 19_000 + " }}",
    "a huge hexadecimal number": "{{ 0x" + "f" * 19_000 + " }}",
    "too long": "a" * (MOST_TEMPLATE_CHARACTERS + 1),
}


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile(message):
    started = time.process_time()
    refusal(message)
    assert time.process_time() - started < 1


words = st.sampled_from(["user", "user.upper", "user['x']", "user[0]", "now", "missing", "none"])
literals = st.sampled_from(["n", "'%9d'", "'99'", "''", "0", "-7", "15", "1e308", "0xfff", "true"])
filters = st.sampled_from(sorted(ALLOWED_FILTERS))
tests = st.sampled_from(["defined", "none", "number", "string", "in user", "eq n", "lt 3", "upper"])
expressions = st.recursive(
    words | literals,
    lambda inner: st.one_of(
        st.tuples(inner, filters).map("({0[0]})|{0[1]}".format),
        st.tuples(inner, tests).map("({0[0]} is {0[1]})".format),
        st.tuples(inner, st.sampled_from(["+", "-", "/", "~", "<", "and", "in"]), inner).map(
            "({0[0]} {0[1]} {0[2]})".format
        ),
        st.tuples(inner, inner, inner).map("({0[0]} if {0[1]} else {0[2]})".format),
    ),
    max_leaves=12,
)
pieces = st.one_of(
    st.text(max_size=10),
    expressions.map("{{{{ {} }}}}".format),
    expressions.map("{{% if {} %}}a{{% else %}}b{{% endif %}}".format),
    st.sampled_from(["{{", "}}", "{%", "%}", "{#", "'", "|", "{% raw %}", "{% endif %}"]),
)


@example("{{ ((1e308 + 1e308))|first }}")
@settings(max_examples=300, deadline=2_000)
@given(st.lists(pieces, max_size=6).map("".join))
def test_any_message_gives_little_text_or_is_refused(message):
    text = render_or_refuse(message)
    if isinstance(text, UnusableInput):
        assert text.field == "message"
        assert str(text).endswith(".")
    else:
        # The longest that a short piece becomes: 1e308 as a whole number has 309 digits.
        assert len(text) <= 309 * (len(message) + 1)


def render_or_refuse(message: str) -> str | UnusableInput:
    try:
        return render(message, VARIABLES)
    except UnusableInput as refused:
        return refused
