"""A name is quoted where DuckDB needs it, which is where its own list of keywords says so."""

from __future__ import annotations

import duckdb
import pytest

from rules.guided import Guided, guided_sql
from rules.sandbox.quoting import RESERVED, identifier, readable


def keywords() -> list[tuple[str, str]]:
    """DuckDB's keywords that can't be used everywhere, with the category; a few have two."""
    with duckdb.connect() as connection:
        return connection.execute(
            "SELECT keyword_name, string_agg(keyword_category, ' ') FROM duckdb_keywords() "
            "WHERE keyword_category != 'unreserved' GROUP BY keyword_name ORDER BY keyword_name"
        ).fetchall()


def test_the_reserved_words_are_those_of_the_installed_duckdb():
    found = {word for word, categories in keywords() if categories in {"reserved", "type_function"}}
    assert found == RESERVED


@pytest.mark.parametrize("word", ["order", "Order", "at", "by", "grant", "time", "values"])
def test_words_of_sql_are_quoted_if_they_must_be(word: str):
    needs_quotes = word.lower() in {"order", "at", "by"}
    assert readable(word) == (f'"{word}"' if needs_quotes else word)


def test_plain_names_need_no_quotes():
    assert [readable(each) for each in ("batch", "limit_ppb", "Level", "_1")] == [
        "batch", "limit_ppb", "Level", "_1",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["", "1a", "é", "two words", 'half "quoted', "a\n"])
def test_other_names_need_quotes(name: str):
    assert readable(name) == identifier(name) != name


def test_any_keyword_can_name_a_source_and_its_columns():
    with duckdb.connect() as connection:
        for word, _ in keywords():
            name = identifier(word)
            connection.execute(
                f"CREATE TABLE {name} AS SELECT 7 AS {name}, now()::TIMESTAMP AS taken"
            )
            connection.execute(
                f"CREATE TABLE moments AS SELECT now()::TIMESTAMP AS {name}, 1 AS degrees"
            )
            found = connection.execute(f"FROM {readable(word)} SELECT {readable(word)}").fetchall()
            assert found == [(7,)], word
            assert connection.execute(guided_sql(Guided(word, word, "over", "5"))).fetchone(), word
            for guided in (
                Guided(word, word, "missing", key=(word,), time_column="taken"),
                Guided(word, word, "jump", "20", time_column="taken", also=(word,)),
                Guided("moments", "degrees", "missing", time_column=word),
                Guided("moments", "degrees", "jump", "20", time_column=word, also=(word,)),
            ):
                assert connection.execute(guided_sql(guided)).fetchall() == [], word
            connection.execute(f"DROP TABLE {name}")
            connection.execute("DROP TABLE moments")
