"""Whatever people write in rules works: joins, windows, dates, texts, lists, JSON and the like."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rules.sandbox import Column, Query, QueryResult, Sandbox
from tests.support.sandboxed import lab_csv, lab_parquet, opened, outcome

QUERIES = {
    "SELECT batch FROM lab WHERE diacetyl_ppb > 200 ORDER BY batch": [(1402,), (1403,)],
    "FROM lab SELECT count(*)": [(4,)],
    "SELECT count(*) AS n FROM Lab": [(4,)],
    'SELECT count(*) FROM "LAB" AS l': [(4,)],
    "TABLE lab LIMIT 0": [],
    "VALUES (1, 'a'), (2, NULL)": [(1, "a"), (2, None)],
    "SELECT 1;": [(1,)],
    "SELECT 1 ; ; -- the end": [(1,)],
    "-- first\nSELECT /* one */ 1 -- last": [(1,)],
    "(SELECT 1)": [(1,)],
    "SELECT ';' AS x, '--' AS y, $$it's$$ AS z": [(";", "--", "it's")],
    # Joins
    "SELECT a.batch FROM lab a JOIN lab b ON a.client = b.client AND a.batch > b.batch": [(1403,)],
    "SELECT l.batch FROM lab l LEFT JOIN tastings t USING (batch) "
    "WHERE t.batch IS NULL OR t.batch = 1401 ORDER BY 1": [(1401,)],
    "SELECT count(*) FROM lab SEMI JOIN tastings USING (batch)": [(4,)],
    "SELECT count(*) FROM lab ANTI JOIN tastings USING (batch)": [(0,)],
    "SELECT count(*) FROM lab NATURAL JOIN (SELECT batch FROM lab) AS n": [(4,)],
    "SELECT l.batch, x.y FROM lab l, LATERAL (SELECT l.batch + 1 AS y) AS x LIMIT 1": [
        (1401, 1402)
    ],
    "SELECT count(*) FROM lab ASOF JOIN tastings ON lab.tasted_at >= tastings.tasted_at": [(4,)],
    "SELECT count(*) FROM lab POSITIONAL JOIN tastings": [(5000,)],
    # Subqueries and WITH
    "WITH bad AS (FROM lab WHERE diacetyl_ppb > 200) SELECT count(*) FROM bad": [(2,)],
    "WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT y FROM b": [(2,)],
    "WITH lab AS (SELECT * FROM lab WHERE batch = 1401) SELECT count(*) FROM lab": [(1,)],
    "WITH m AS MATERIALIZED (FROM lab) SELECT (SELECT count(*) FROM m) + count(*) FROM m": [(8,)],
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) "
    "SELECT sum(n) FROM t": [(15,)],
    "SELECT batch FROM lab WHERE batch = (SELECT max(batch) FROM lab)": [(1404,)],
    "SELECT count(*) FROM lab WHERE EXISTS (SELECT 1 FROM tastings t WHERE t.batch = lab.batch)": [
        (4,)
    ],
    "SELECT batch FROM lab WHERE client NOT IN (SELECT 'Ann') AND batch < ALL (SELECT 1404)": [
        (1402,)
    ],
    "SELECT 1 UNION SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 2": [(1,)],
    "SELECT 1 AS a UNION ALL BY NAME SELECT 2 AS b": [(1, None), (None, 2)],
    # Windows and groups
    "SELECT batch FROM lab QUALIFY row_number() OVER (PARTITION BY client ORDER BY batch DESC) = 1 "
    "ORDER BY batch": [(1402,), (1403,), (1404,)],
    "SELECT batch, diacetyl_ppb - lag(diacetyl_ppb) OVER (ORDER BY batch) AS jump FROM lab "
    "ORDER BY jump DESC NULLS LAST LIMIT 1": [(1402, 130)],
    "SELECT avg(diacetyl_ppb) OVER w FROM lab WINDOW w AS (ORDER BY tasted_at "
    "RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND CURRENT ROW) ORDER BY batch LIMIT 1": [(120.0,)],
    "SELECT client, count(*) FROM lab GROUP BY ALL HAVING count(*) > 1": [("Ann", 2)],
    "SELECT count(*) FROM (SELECT client, count(*) FROM lab GROUP BY ROLLUP (client)) AS r": [(4,)],
    "SELECT sum(batch) FILTER (WHERE client = 'Ann'), grouping(client) FROM lab "
    "GROUP BY GROUPING SETS ((client)) ORDER BY 1 DESC NULLS LAST LIMIT 1": [(2804, 0)],
    "SELECT max_by(client, diacetyl_ppb), median(diacetyl_ppb), mode(client) FROM lab": [
        ("Ann", 185.0, "Ann")
    ],
    "SELECT string_agg(DISTINCT client, ', ' ORDER BY client) FROM lab WHERE batch < 1404": [
        ("Ann, Ben",)
    ],
    "SELECT DISTINCT ON (client) client, batch FROM lab ORDER BY client, batch DESC LIMIT 1": [
        ("Ann", 1403)
    ],
    "FROM lab PIVOT (count(*) FOR client IN ('Ann', 'Ben')) SELECT sum(Ann), sum(Ben)": [(2, 1)],
    "WITH p AS (PIVOT lab ON client IN ('Ann', 'Ben') USING sum(diacetyl_ppb)) "
    "SELECT count(*) FROM p": [(4,)],
    "SELECT name, value FROM (SELECT 1 AS a, 2 AS b) UNPIVOT (value FOR name IN (a, b))": [
        ("a", 1),
        ("b", 2),
    ],
    # Dates and times
    "SELECT tasted_at::DATE AS day, count(*) FROM lab GROUP BY day ORDER BY day LIMIT 1": [
        ("2026-11-01", 1)
    ],
    "SELECT date_trunc('month', tasted_at), extract(hour FROM tasted_at) FROM lab LIMIT 1": [
        ("2026-11-01 00:00:00", 10)
    ],
    "SELECT strftime(tasted_at, '%d %b %Y'), dayname(tasted_at) FROM lab LIMIT 1": [
        ("01 Nov 2026", "Sunday")
    ],
    "SELECT count(*) FROM lab WHERE tasted_at > TIMESTAMP '2026-11-25' - INTERVAL '2 days'": [(2,)],
    "SELECT datediff('day', DATE '2026-11-01', DATE '2026-11-26'), DATE '2026-11-01' + 3": [
        (25, "2026-11-04")
    ],
    "SELECT TIMESTAMPTZ '2026-11-01 12:00+00' AT TIME ZONE 'Europe/Berlin'": [
        ("2026-11-01 13:00:00",)
    ],
    "SELECT strptime('24.11.2026', '%d.%m.%Y')::DATE, epoch(TIMESTAMP '1970-01-02')": [
        ("2026-11-24", 86400.0)
    ],
    "SELECT age(TIMESTAMP '2026-11-02', TIMESTAMP '2026-11-01'), now() > '2026-01-01'::DATE": [
        ("1 day", True)
    ],
    "SELECT count(*) FROM lab WHERE retest": [(1,)],
    'SELECT "at" FROM lab LIMIT 1': [("2026-11-01",)],
    # Texts and patterns
    "SELECT client FROM lab WHERE client LIKE 'O''%' AND client ILIKE '%zoë'": [("O'Neil, Zoë",)],
    "SELECT regexp_extract(client, '(\\w+)$', 1) FROM lab WHERE regexp_matches(client, '^A')": [
        ("Ann",),
        ("Ann",),
    ],
    "SELECT client.upper().left(1) FROM lab WHERE client SIMILAR TO 'B.*' AND client ^@ 'B'": [
        ("B",)
    ],
    "SELECT lpad(batch::VARCHAR, 6, '0') || '/' || trim(' x ') FROM lab LIMIT 1": [("001401/x",)],
    "SELECT 'a' COLLATE NOCASE = 'A', levenshtein('Ann', 'Anna'), split_part('a-b', '-', 2)": [
        (True, 1, "b")
    ],
    "SELECT format('{:05.2f}', 3.14159), printf('%d', 7), concat_ws('-', 1, 'x')": [
        ("03.14", "7", "1-x")
    ],
    # Lists, structs, maps, JSON
    "SELECT list_sum([1, 2]), [x * 2 FOR x IN [1, 2] IF x > 1], len([1]), [3, 4][1]": [
        (3, "[4]", 1, 3)
    ],
    "SELECT unnest([1, 2]) AS x": [(1,), (2,)],
    "SELECT x FROM unnest([1, 2]) AS t(x) WHERE x > 1": [(2,)],
    "SELECT list_filter([1, 2, 3], lambda x: x > 1), list_contains([1], 1)": [("[2, 3]", True)],
    "SELECT {'a': 1}.a, MAP {'k': 7}['k'], struct_pack(x := 1).x": [(1, 7, 1)],
    "SELECT '{\"a\": [1, {\"b\": 2}]}'::JSON ->> '$.a[1].b' AS b": [("2",)],
    "SELECT json_extract_string('{\"a\": 1}', 'a'), to_json({'x': 1})": [("1", '{"x":1}')],
    "SELECT value FROM json_each('[5, 6]')": [("5",), ("6",)],
    "SELECT range FROM range(2)": [(0,), (1,)],
    "SELECT count(*) FROM generate_series(DATE '2026-01-01', DATE '2026-01-31', INTERVAL 1 DAY)": [
        (31,)
    ],
    # The rest
    "SELECT CASE WHEN batch > 1402 THEN 'new' ELSE 'old' END, if(true, 1, 2) FROM lab LIMIT 1": [
        ("old", 1)
    ],
    "SELECT coalesce(NULL, 2), nullif(1, 1), ifnull(NULL, 3), 5 % 3, 7 // 2, 2 ** 3": [
        (2, None, 3, 2, 3, 8.0)
    ],
    "SELECT try_cast('x' AS INTEGER), try(1 // 0), 1 / 0, 5 BETWEEN 1 AND 9, NOT true, 1 IS NULL": [
        (None, None, math.inf, True, False, False)
    ],
    "SELECT * EXCLUDE (client, tasted_at, retest, weight) REPLACE (batch + 1 AS batch) FROM lab "
    "LIMIT 1": [(1402, 120, "2026-11-01")],
    "SELECT COLUMNS('ba.*') FROM lab LIMIT 1": [(1401,)],
    "SELECT count(*) > 0 FROM tastings USING SAMPLE 1 ROWS": [(True,)],
    "SELECT batch, #1 FROM lab ORDER BY ALL LIMIT 1 OFFSET 1": [(1402, 1402)],
    "SELECT round(avg(weight), 2), stddev(weight) > 0, corr(batch, weight) < 1 FROM lab": [
        (1.88, True, True)
    ],
    "SELECT random() BETWEEN 0 AND 1, length(uuid()::VARCHAR)": [(True, 36)],
    "SELECT typeof(1::DECIMAL(9, 2)), 'b'::ENUM('a', 'b'), hash('x') > 0": [
        ("DECIMAL(9,2)", "b", True)
    ],
}

TYPES = {
    "1::TINYINT": 1,
    "9223372036854775807": 9223372036854775807,
    "170141183460469231731687303715884105727::HUGEINT": 2**127 - 1,
    "1.50::DECIMAL(9, 2)": "1.50",
    "0::DECIMAL(20, 10)": "0.0000000000",
    "1e300": 1e300,
    "0.5::FLOAT": 0.5,
    "true": True,
    "NULL": None,
    "''": "",
    "'Zoë 漢 🍺'": "Zoë 漢 🍺",
    "DATE '2026-11-26'": "2026-11-26",
    "DATE '12026-11-26'": "12026-11-26",
    "DATE '0044-03-15 (BC)'": "0044-03-15 (BC)",
    "'infinity'::TIMESTAMP": "infinity",
    "TIMESTAMP '2026-11-26 08:00:00.5'": "2026-11-26 08:00:00.5",
    "TIMESTAMPTZ '2026-11-26 08:00:00+02'": "2026-11-26 06:00:00+00",
    "TIME '08:00:00'": "08:00:00",
    "INTERVAL '1 day 2 hours'": "1 day 02:00:00",
    "[1, NULL]": "[1, NULL]",
    "{'a': 'x', 'b': [1]}": "{'a': x, 'b': [1]}",
    "MAP {'a': 1}": "{a=1}",
    "'\\xAA'::BLOB": "\\xAA",
    "'101'::BIT": "101",
    "'{\"a\":1}'::JSON": '{"a":1}',
    "'6a7bd4a4-0000-4000-8000-000000000000'::UUID": "6a7bd4a4-0000-4000-8000-000000000000",
}


async def test_all_kinds_of_queries(tmp_path: Path):
    tables = (lab_csv(tmp_path), lab_parquet(tmp_path))
    wrong = []
    async with opened() as sandbox:
        for query, expected in QUERIES.items():
            found = await outcome(sandbox, query, *tables)
            rows = found.rows if isinstance(found, QueryResult) else str(found)
            if rows != expected:
                wrong.append(f"{query}\n    {rows}\n    {expected}")
    assert not wrong, "\n".join(wrong)


async def test_values_arrive_as_plain_ones_or_as_text():
    wrong = []
    async with opened() as sandbox:
        for value, expected in TYPES.items():
            found = await outcome(sandbox, f"SELECT {value} AS x")
            got = found.rows[0][0] if isinstance(found, QueryResult) else str(found)
            if got != expected or type(got) is not type(expected):
                wrong.append(f"{value}: {got!r}, not {expected!r}")
    assert wrong == []


async def test_the_order_of_rows_and_columns_is_the_querys(tmp_path: Path):
    tastings = lab_parquet(tmp_path)
    query = "SELECT client, batch, batch AS b FROM tastings ORDER BY diacetyl_ppb DESC, batch"
    async with opened() as sandbox:
        result = await sandbox.run(Query(query, (tastings,)))
    assert [each.name for each in result.columns] == ["client", "batch", "b"]
    assert result.columns[0] == Column("client", "VARCHAR")
    everything = sorted(range(5000), key=lambda batch: (-(batch * 7919 % 400), batch))
    assert [row[1] for row in result.rows] == everything
    assert result.seconds > 0


async def test_a_second_column_of_one_name_gets_another(tmp_path: Path):
    lab = lab_csv(tmp_path)
    query = "SELECT a.batch, b.batch FROM lab a JOIN lab b USING (batch) ORDER BY 1 LIMIT 1"
    async with opened() as sandbox:
        result = await sandbox.run(Query(query, (lab,)))
    assert [each.name for each in result.columns] == ["batch", "batch_1"]


@pytest.fixture
async def sandbox():
    async with opened() as made:
        yield made


async def test_a_long_answer_is_cut_and_says_so(sandbox: Sandbox):
    query = "SELECT range AS n FROM range({})"
    for rows, is_cut in ((7, False), (10, False), (11, True), (10_000_000, True)):
        result = await sandbox.run(Query(query.format(rows), most_rows=10))
        assert result.is_cut is is_cut
        assert [row[0] for row in result.rows] == list(range(min(rows, 10)))
    result = await sandbox.run(Query(query.format(10_000_000)))
    assert len(result.rows) == 50_000
    assert result.is_cut


async def test_the_time_zone_is_the_rules(sandbox: Sandbox):
    query = "SELECT TIMESTAMPTZ '2026-11-26 08:00:00+00' AS x"
    result = await sandbox.run(Query(query, time_zone="America/New_York"))
    assert result.rows == [("2026-11-26 03:00:00-05",)]
