"""The guided way: what it writes finds the rows that were meant, whatever they are called."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from alerts import UnusableInput
from rules.guided import Guided, guided_key, guided_sql
from rules.sandbox.quoting import readable

TASTINGS = """
CREATE TABLE tastings (
  batch INT, "at" TIMESTAMP, "odd ""name" DECIMAL(5,1), allowed INT, note TEXT);
INSERT INTO tastings VALUES
  (1, '2026-01-01 10:00', 99.5, 100, 'it''s fine'), (2, '2026-01-01 10:05', 100.5, 100, '7'),
  (3, '2026-01-01 10:10', 40, 30, NULL), (4, '2026-01-01 10:15', NULL, 30, 'it''s bad');
CREATE TABLE readings AS
  SELECT sensor, now() - INTERVAL (m) MINUTE AS taken, sensor || '-phone' AS phone,
    CASE WHEN sensor = 'warm' AND m < 60 THEN 9 ELSE 4 END + (m % 3) * 0.001 AS degrees
  FROM (VALUES ('cold', 0), ('warm', 0), ('late', 90)) AS s(sensor, start), range(0, 9000, 10) r(m)
  WHERE m >= start;
"""
# DuckDB isn't imported into the tests' own process.
RUN = """
import duckdb, json, sys
connection = duckdb.connect()
connection.execute(sys.argv[1])
found = connection.execute(sys.argv[2])
names = [each[0] for each in found.description]
print(json.dumps([dict(zip(names, row)) for row in found.fetchall()], default=str))
"""


def rows(guided: Guided) -> list[dict[str, Any]]:
    """What DuckDB finds with the query."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, TASTINGS, guided_sql(guided)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("guided", "batches"),
    [
        (Guided("tastings", 'odd "name', "over", "100"), [2]),
        (Guided("tastings", 'odd "name', "under", "+1e2"), [1, 3]),
        (Guided("tastings", 'odd "name', "over", limit_column="allowed"), [2, 3]),
        (Guided("tastings", "note", "is", "it's bad"), [4]),
        (Guided("tastings", "note", "is", "7"), [2]),
        (Guided("tastings", "at", "over", "2026-01-01 10:07"), [3, 4]),
    ],
)
def test_a_limit_finds_the_rows_beyond_it(guided: Guided, batches: list[int]) -> None:
    assert sorted(row["batch"] for row in rows(guided)) == batches


def test_what_is_missing_is_found_by_its_newest_row() -> None:
    missing = Guided("readings", "degrees", "missing", key=("sensor",), time_column="taken")
    [row] = rows(missing)
    assert (row["sensor"], row["phone"]) == ("late", "late-phone")
    assert rows(replace(missing, minutes=120)) == []
    assert rows(replace(missing, key=())) == []
    assert guided_key(replace(missing, key=())) == ("source",)


def test_a_source_that_stopped_is_one_bad_thing() -> None:
    stopped = Guided("tastings", "batch", "missing", time_column="at")
    [row] = rows(stopped)
    assert (row["source"], row["batch"]) == ("tastings", 4)


def test_a_jump_is_found_against_the_week_before() -> None:
    jump = Guided(
        "readings", "degrees", "jump", "20", key=("sensor",), time_column="taken", also=("phone",)
    )
    assert rows(jump) == [
        {"sensor": "warm", "phone": "warm-phone", "mean_now": 9.0, "mean_before": 4.0}
    ]
    assert rows(replace(jump, limit="200")) == []
    assert len(rows(replace(jump, key=(), also=()))) == 1


HOSTILE = ('x"; DROP TABLE tastings; --', "x'; DROP TABLE tastings; --", "select", "at", "é", "1a")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_and_values_stay_what_they_are(name: str) -> None:
    quoted = name.replace('"', '""')
    assert readable(name) == f'"{quoted}"'
    guided = Guided("tastings", "note", "is", name)
    assert rows(guided) == []


@pytest.mark.parametrize(
    ("field", "guided"),
    [
        ("source", Guided("", "a", "over", "1")),
        ("column", Guided("a", "", "over", "1")),
        ("comparison", Guided("a", "b", "near", "1")),  # type: ignore[arg-type]
        ("limit", Guided("a", "b", "over")),
        ("limit", Guided("a", "b", "over", "x" * 201)),
        ("limit", Guided("a", "b", "jump", "much", time_column="c")),
        ("limit", Guided("a", "b", "jump", "0", time_column="c")),
        ("time_column", Guided("a", "b", "missing")),
        ("minutes", Guided("a", "b", "missing", time_column="c", minutes=0)),
        ("minutes", Guided("a", "b", "missing", time_column="c", minutes=float("nan"))),
        ("key", Guided("a", "b", "over", "1", key=("x\0",))),
        ("limit", Guided("a", "b", "over", "\ud800")),
    ],
)
def test_what_is_left_out_is_asked_for(field: str, guided: Guided) -> None:
    with pytest.raises(UnusableInput) as raised:
        guided_sql(guided)
    assert raised.value.field == field
