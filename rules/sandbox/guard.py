"""The guard: decides from a query's text, before it runs, whether it only reads its sources.

DuckDB's parser makes a tree of the text. Every node, table and function in it must be on a list of
those that are harmless; whatever is unknown is refused.
https://duckdb.org/docs/stable/data/json/sql_to_and_from_json
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import duckdb

from rules.sandbox.duckdb_errors import in_words
from rules.sandbox.functions import (
    CLOCK_FUNCTIONS,
    CLOCK_NAMES,
    FUNCTIONS,
    RANDOM_FUNCTIONS,
    TABLE_FUNCTIONS,
)
from rules.sandbox.query import Facts, Fix, QueryError, error_at
from rules.sandbox.quoting import folded, readable

LONGEST_QUERY_BYTES = 20_000
# Types of tables and of parts of a query, which have no class in DuckDB's tree.
NODES = frozenset(
    {
        "SELECT_NODE",
        "SET_OPERATION_NODE",
        "RECURSIVE_CTE_NODE",
        "BASE_TABLE",
        "EMPTY",
        "EXPRESSION_LIST",
        "JOIN",
        "PIVOT",
        "SUBQUERY",
        "TABLE_FUNCTION",
        "DISTINCT_MODIFIER",
        "LIMIT_MODIFIER",
        "LIMIT_PERCENT_MODIFIER",
        "ORDER_MODIFIER",
        "ASCENDING",
        "DESCENDING",
        "ORDER_DEFAULT",
    }
)
EXPRESSIONS = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLLATE",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "LAMBDA",
        "OPERATOR",
        "POSITIONAL_REFERENCE",
        "STAR",
        "SUBQUERY",
        "TYPE",
        "WINDOW",
    }
)
# Before a function's name, these are schemas. Anything else is the column it is called on.
SCHEMAS = frozenset({"information_schema", "main", "memory", "pg_catalog", "system", "temp"})
ONLY_READS = "A rule's query only reads, so it begins with SELECT, WITH or FROM"
PIVOT_NEEDS_VALUES = (
    "Name the values that PIVOT makes columns of, as in PIVOT t ON wine IN ('Riesling', 'Merlot')."
)
FIRST_WORD = re.compile(r"[A-Za-z]+")
COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
# Characters that editors don't show, and that a parser may skip or stop at.
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(slots=True)
class _Found:
    tables: set[str] = field(default_factory=set)
    uses_clock: bool = False


def check_query(
    connection: duckdb.DuckDBPyConnection, sql: str, sources: Iterable[str] | None = None
) -> Facts:
    """Return what the query reads from. Raises `QueryError` for anything but a harmless SELECT.

    `sources` are the tables it may read from; None allows any name. Runs nothing of the query.
    """
    _check_text(sql)
    _check_statement(connection, sql)
    # The parameter keeps the text a text: it is parsed, and never becomes part of this statement.
    row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree: dict[str, Any] = json.loads(row[0] if row else "{}")
    statements = tree.get("statements") or []
    if tree.get("error") or len(statements) != 1:
        raise QueryError(f"{ONLY_READS}.", "refused")
    known = None if sources is None else {folded(each): each for each in sources}
    found = _Found()
    _Walk(connection, sql, known, found).check(statements[0])
    return Facts(frozenset(found.tables), found.uses_clock)


def _check_text(sql: str) -> None:
    if not sql.strip():
        raise QueryError("Write a query.", "syntax", line=1, column=1, length=0)
    try:
        size = len(sql.encode())
    except UnicodeEncodeError:
        raise QueryError("The query holds a broken character: type it again.", "syntax") from None
    if size > LONGEST_QUERY_BYTES:
        raise QueryError(
            f"The query has {size:,} bytes, and {LONGEST_QUERY_BYTES:,} at most are read.", "limit"
        )
    if unseen := UNSEEN.search(sql):
        start = len(sql[: unseen.start()].encode())
        code = f"U+{ord(unseen[0]):04X}"
        raise error_at(
            sql, start, len(unseen[0].encode()), f"Remove the invisible character {code}.", "syntax"
        )


def _check_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        problem = in_words(error, sql)
        # DuckDB's own words name alternatives that a rule can't use.
        if "CTE" in problem.sentence:
            raise QueryError(f"{ONLY_READS}, and so does each query in it.", "refused") from None
        raise problem from None
    if not statements:
        raise QueryError("Write a query: there is none here.", "syntax", line=1, column=1, length=0)
    if len(statements) > 1:
        second = sql.find(statements[1].query.strip(), 1)
        start = len(sql[:second].encode()) if second > 0 else None
        words = f"Write one query: these are {len(statements)}."
        raise error_at(sql, start, 0, words, "refused")
    if _kind(statements[0]) == "MULTI":
        raise QueryError(PIVOT_NEEDS_VALUES, "refused")
    if _kind(statements[0]) != "SELECT":
        verb = FIRST_WORD.search(COMMENTS.sub(lambda found: " " * len(found[0]), sql))
        said = verb[0].upper() if verb else "this"
        if said == "WITH":
            said = _kind(statements[0]).replace("_", " ")
        words = f"{ONLY_READS}: {said} isn't allowed."
        start = len(sql[: verb.start()].encode()) if verb else 0
        raise error_at(sql, start, len(verb[0]) if verb else 0, words, "refused")


def _kind(statement: duckdb.Statement) -> str:
    try:
        return statement.type.name
    except ValueError:
        # DuckDB has kinds of statements that its Python module doesn't know.
        return ""


@dataclass(frozen=True, slots=True)
class _Walk:
    """Visits every node of the tree, with the names of the WITH queries that it can see."""

    connection: duckdb.DuckDBPyConnection
    sql: str
    sources: Mapping[str, str] | None
    found: _Found

    def check(self, statement: dict[str, Any]) -> None:
        # A list instead of recursion, because a long sum is a deep tree.
        waiting: list[tuple[Any, frozenset[str]]] = [(statement, frozenset())]
        while waiting:
            node, names = waiting.pop()
            if isinstance(node, list):
                waiting.extend((each, names) for each in node)
            elif isinstance(node, dict):
                self._check_node(node, names)
                waiting.extend(_parts(node, names))

    def _check_node(self, node: dict[str, Any], names: frozenset[str]) -> None:
        kind, expression = node.get("type"), node.get("class")
        if expression is not None:
            if expression not in EXPRESSIONS:
                raise self._refused_node(node, str(expression))
        elif isinstance(kind, str) and kind not in NODES:
            raise self._refused_node(node, kind)
        if kind == "BASE_TABLE":
            self._check_table(node, names)
        elif kind == "TABLE_FUNCTION":
            self._check_function(node["function"], TABLE_FUNCTIONS, node)
        elif expression in {"FUNCTION", "WINDOW"}:
            self._check_function(node, FUNCTIONS, node)
        elif expression == "COLUMN_REF":
            path = node.get("column_names") or []
            self.found.uses_clock |= len(path) == 1 and folded(str(path[0])) in CLOCK_NAMES
        self.found.uses_clock |= bool(node.get("sample"))

    def _check_table(self, node: dict[str, Any], names: frozenset[str]) -> None:
        path = (node.get("qualified_name") or {}).get("path") or []
        if node.get("catalog_name") or node.get("schema_name") or len(path) != 1:
            raise self._at(node, f"Name a source without a dot: {'.'.join(path)}.", "refused")
        if node.get("at_clause"):
            raise self._at(node, "A source has no versions: leave AT out.", "refused")
        name = str(node["table_name"])
        if path != [name]:
            raise self._at(node, "This table can't be read.", "refused")
        if folded(name) in names:
            return
        if self.sources is not None and folded(name) not in self.sources:
            raise self._unknown_table(node, name, names)
        self.found.tables.add(name)

    def _unknown_table(self, node: dict[str, Any], name: str, names: frozenset[str]) -> QueryError:
        known = {**(self.sources or {}), **{each: each for each in names}}
        close = get_close_matches(folded(name), known, 1)
        if close:
            meant = known[close[0]]
            words = f"There is no source called {shortened(name)}. Did you mean {meant}?"
            return self._at(node, words, "name", Fix(name, readable(meant)))
        there = ", ".join(list(known.values())[:5])
        also = f" There is {there}." if there else ""
        return self._at(node, f"There is no source called {shortened(name)}.{also}", "name")

    def _check_function(
        self, function: dict[str, Any], allowed: frozenset[str], node: dict[str, Any]
    ) -> None:
        name = folded(str(function.get("function_name", "")))
        path = (function.get("qualified_name") or {}).get("path") or [name]
        if name not in allowed or folded(str(path[-1])) != name:
            raise self._refused_function(node, name, allowed)
        # `system.main.now()` would be the built-in one, also where `now()` has been replaced.
        if any(folded(str(each)) in SCHEMAS for each in path[:-1]):
            raise self._at(node, f"Call {name} without {'.'.join(path[:-1])} before it.", "refused")
        if function.get("export_state"):
            raise self._at(node, "EXPORT_STATE can't be used in a rule.", "refused")
        uses_clock = name in CLOCK_FUNCTIONS | RANDOM_FUNCTIONS
        # With one argument, age() counts from today.
        uses_clock |= name == "age" and len(path[:-1]) + len(function.get("arguments") or []) < 2
        self.found.uses_clock |= uses_clock

    def _refused_function(
        self, node: dict[str, Any], name: str, allowed: frozenset[str]
    ) -> QueryError:
        where = " after FROM" if allowed is TABLE_FUNCTIONS else ""
        if allowed is TABLE_FUNCTIONS and name.startswith(("read_", "scan_", "parquet_", "sniff_")):
            words = (
                f"A rule reads sources, not files: add the file as a source instead of {name}()."
            )
            return self._at(node, words, "refused")
        known = self.connection.execute(
            "SELECT 1 FROM duckdb_functions() WHERE lower(function_name) = ? LIMIT 1", [name]
        ).fetchone()
        if known:
            words = f"The function {shortened(name)} can't be used{where} in a rule."
            return self._at(node, words, "refused")
        words = f"There is no function called {shortened(name)}{where}"
        close = get_close_matches(name, [each for each in allowed if each[:1].isalpha()], 1, 0.7)
        if close:
            fix = Fix(name, close[0])
            return self._at(node, f"{words}. Did you mean {close[0]}?", "name", fix)
        return self._at(node, f"{words} that a rule can use.", "name")

    def _refused_node(self, node: dict[str, Any], kind: str) -> QueryError:
        if kind == "PARAMETER":
            return self._at(node, "A rule's query has no parameters: write the value.", "refused")
        if kind == "SHOW_REF":
            return self._at(
                node, "DESCRIBE, SHOW and SUMMARIZE can't be used in a rule.", "refused"
            )
        verb = kind.removesuffix("_NODE").removesuffix("_QUERY").replace("_", " ")
        # DuckDB doesn't say where in the text these are.
        place = re.search(rf"\b{re.escape(verb.split()[0])}\b", self.sql, re.IGNORECASE)
        start = len(self.sql[: place.start()].encode()) if place else None
        words = f"{ONLY_READS}: {verb} isn't allowed."
        return error_at(self.sql, start, len(verb.split()[0]), words, "refused")

    def _at(
        self, node: dict[str, Any], words: str, kind: Any, fix: Fix | None = None
    ) -> QueryError:
        start = node.get("query_location")
        return error_at(self.sql, start, node.get("query_location_length"), words, kind, fix=fix)


def _parts(node: dict[str, Any], names: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
    """Yield what a node holds, each with the WITH queries that it can see.

    A name holds only where SQL says so: a WITH query named `duckdb_settings` must not open that
    table elsewhere.
    """
    entries = (node.get("cte_map") or {}).get("map") or []
    for entry in entries:
        yield entry["value"], names
        names |= {folded(str(entry["key"]))}
    recursive = node.get("type") == "RECURSIVE_CTE_NODE"
    itself = {folded(str(node.get("cte_name", "")))}
    for key, part in node.items():
        if key == "function" and node.get("type") == "TABLE_FUNCTION":
            # Checked already together with its table, by another list.
            yield list(part.values()), names
        elif key != "cte_map":
            yield part, names | itself if recursive and key == "right" else names


def shortened(name: str) -> str:
    """Return a name that is short enough for a sentence."""
    return name if len(name) <= 60 else f"{name[:57]}…"
