"""What makes rows the same thing."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.keys import (
    KeyProblem,
    cases_in,
    hash_of,
    shown,
    words_of,
)
from rules.rule import WHOLE_ROW
from rules.sandbox import Column, QueryResult


def result(columns: dict[str, str], *rows: tuple[Any, ...]) -> QueryResult:
    found = tuple(Column(name, kind) for name, kind in columns.items())
    return QueryResult(found, list(rows), is_cut=False, seconds=0)


BATCHES = {"batch": "INTEGER", "tank": "VARCHAR", "client": "VARCHAR"}


def hashes(
    columns: dict[str, str], *rows: tuple[Any, ...], key: tuple[str, ...] = ("batch",)
) -> list[str]:
    return list(cases_in(result(columns, *rows), key).by_hash)


@pytest.mark.parametrize(
    ("value", "type"),
    [(7, "INTEGER"), (7, "BIGINT"), ("7", "VARCHAR"), ("7.00", "DECIMAL(9,2)"), ("7", "HUGEINT")],
)
def test_a_key_stays_the_same_when_its_type_changes(value, type):
    assert hashes({"batch": type}, (value,)) == hashes({"batch": "INTEGER"}, (7,))


def test_different_values_are_different_keys():
    columns = {"batch": "VARCHAR", "tank": "VARCHAR"}
    rows = [("1", "23"), ("12", "3"), ("", "123"), (None, "123"), ("1\x1f2", "3"), ('1","2', "3")]
    assert len(hashes(columns, *rows, key=("batch", "tank"))) == len(rows)


@given(st.lists(st.tuples(st.text(), st.none() | st.text()), unique=True, max_size=8))
def test_no_two_keys_share_a_hash(rows):
    columns = {"batch": "VARCHAR", "tank": "VARCHAR"}
    assert len(hashes(columns, *rows, key=("batch", "tank"))) == len(rows)


def test_a_moment_is_the_same_in_every_time_zone():
    zoned = "TIMESTAMP WITH TIME ZONE"
    texts = ["2026-11-20 09:42:00+00", "2026-11-20 10:42:00+01", "2026-11-20 04:42:00-05"]
    assert len(hashes({"at": zoned}, *((each,) for each in texts), key=("at",))) == 1
    without_zone = hashes({"at": "TIMESTAMP"}, ("2026-11-20 09:42:00",), key=("at",))
    assert without_zone == [hash_of(["2026-11-20 09:42:00"])]
    assert hashes({"at": zoned}, ("infinity",), key=("at",)) == [hash_of(["infinity"])]


@pytest.mark.parametrize(
    ("text", "canonical"), [("-0.00", "0"), ("0.10", "0.1"), ("100", "100"), ("-7.50", "-7.5")]
)
def test_places_after_the_point_dont_count(text, canonical):
    assert hashes({"batch": "DECIMAL(9,2)"}, (text,)) == [hash_of([canonical])]


@pytest.mark.parametrize("type", ["DOUBLE", "FLOAT", "DOUBLE[]", "STRUCT(x DOUBLE)"])
def test_a_key_that_is_never_quite_the_same_is_refused(type):
    with pytest.raises(KeyProblem, match=r"level is a .*: leave it out of the key, or write CAST"):
        cases_in(result({"level": type}, (7.0,)), ("level",))
    with pytest.raises(KeyProblem, match="level"):
        cases_in(result({"batch": "INTEGER", "level": type}, (1, 7.0)), WHOLE_ROW)
    assert cases_in(result({"batch": "INTEGER", "level": type}, (1, 7.0)), ("batch",)).by_hash


def test_a_column_that_isnt_there_is_told_with_those_that_are():
    with pytest.raises(KeyProblem, match=r"The key column, lot, .* It has: batch"):
        cases_in(result(BATCHES), ("lot",))
    with pytest.raises(KeyProblem, match="The column of recipients, whom, isn't in the query"):
        cases_in(result(BATCHES), ("batch",), "whom")
    # SQL doesn't mind capitals.
    assert cases_in(result(BATCHES, (1, "T1", "Ben")), ("BATCH",), "Client").by_hash


def test_rows_with_one_key_are_one_case():
    rows = [(1, "T1", "Ben"), (2, "T9", "Ines"), (1, "T2", "Clara"), (1, "T3", " Ben ")]
    found = cases_in(result(BATCHES, *rows), ("batch",), "client")
    first = next(iter(found.bad.values()))
    assert (first.row, first.to, first.words) == (rows[0], ("Ben", "Clara"), "1")
    assert len(found.bad) == 2


def test_an_empty_key_is_a_case_of_its_own_and_says_so():
    rows = [(None, "T1", "Ben"), (None, "T2", "Clara"), (1, "T1", "Ben")]
    found = list(cases_in(result(BATCHES, *rows), ("batch",), "client").bad.values())
    assert len(found) == 2
    assert found[0].problem == ("batch is empty in this row, so it isn't clear what it is about.")
    assert found[0].words == "(empty)"
    assert found[1].problem == ""


def test_the_whole_row_is_a_key_without_the_column_that_says_what_is_bad():
    columns = {"batch": "INTEGER", "bad": "BOOLEAN"}
    found = cases_in(result(columns, (1, True)), WHOLE_ROW)
    assert [case.values for case in found.by_hash.values()] == [{"batch": 1}]


def test_a_column_named_bad_says_what_is_bad_and_what_is_good():
    columns = {"batch": "INTEGER", "Bad": "BOOLEAN"}
    rows = [(1, True), (2, False), (3, None), (4, False), (4, True)]
    found = cases_in(result(columns, *rows), ("batch",))
    assert [case.values["batch"] for case in found.bad.values()] == [1, 4]
    assert {found.by_hash[each].values["batch"] for each in found.good} == {2}
    assert found.says_good


@pytest.mark.parametrize("type", ["VARCHAR", "INTEGER"])
def test_a_column_named_bad_must_be_true_or_false(type):
    with pytest.raises(KeyProblem, match=f"must be true or false: it is {type}"):
        cases_in(result({"batch": "INTEGER", "bad": type}, (1, "yes")), ("batch",))


def test_cells_as_people_read_them():
    assert [shown(each) for each in (374.0, 0.1, True, None, "x", 10**20)] == [
        "374", "0.1", "true", "", "x", "100000000000000000000",
    ]  # fmt: skip
    assert words_of({"a": "x" * 200}) == "x" * 79 + "…"
    assert words_of({"batch": 1407, "tank": "T 3\n4"}) == "1407 T 3 4"


def test_half_a_character_has_a_hash_too():
    assert hash_of(["\ud800"]) != hash_of(["\ud801"])


@pytest.mark.slow
def test_a_key_with_very_many_recipients_takes_no_longer_than_as_many_keys():
    columns = {"batch": "INTEGER", "client": "VARCHAR"}
    rows = [(1407, str(number % 50_000)) for number in range(100_000)]
    began = time.process_time()
    [case] = cases_in(result(columns, *rows), ("batch",), "client").by_hash.values()
    assert len(case.to) == 50_000
    assert time.process_time() - began < 10
