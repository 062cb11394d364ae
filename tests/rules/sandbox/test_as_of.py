"""A query as of another moment: its clock says so, and tables with a time column end there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from rules.sandbox import Column, Query, QueryError, Sandbox, Table
from tests.support.sandboxed import lab_csv, lab_parquet, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = datetime(2026, 11, 24, 12, 0, 0, 500_000, tzinfo=UTC)
CLOCK = {
    "now()": "2026-11-24 07:00:00.5-05",
    "current_timestamp": "2026-11-24 07:00:00.5-05",
    "get_current_timestamp()": "2026-11-24 07:00:00.5-05",
    "transaction_timestamp()": "2026-11-24 07:00:00.5-05",
    "current_date": "2026-11-24",
    "current_date()": "2026-11-24",
    "today()": "2026-11-24",
    "TODAY()": "2026-11-24",
    "localtimestamp": "2026-11-24 07:00:00.5",
    "current_localtimestamp()": "2026-11-24 07:00:00.5",
    "localtime": "07:00:00.5",
    "current_localtime()": "07:00:00.5",
    "current_time": "07:00:00.5-05",
    "get_current_time()": "07:00:00.5-05",
    "ago(INTERVAL 1 DAY)": "2026-11-23 07:00:00.5-05",
    "age(TIMESTAMP '2026-11-20')": "4 days",
    "age(DATE '2026-11-20')": "4 days",
    "age(TIMESTAMP '2026-11-20', TIMESTAMP '2026-11-19')": "1 day",
    "now() - INTERVAL '1 hour'": "2026-11-24 06:00:00.5-05",
    "current_date - 1": "2026-11-23",
    "list_transform([1], lambda x: today() + x)": "[2026-11-25]",
    "(SELECT max(d) FROM (SELECT current_date AS d))": "2026-11-24",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox():
    """One for all tests, which only ask it: its process takes long to start."""
    async with opened() as made:
        yield made


async def test_every_clock_says_the_moment(sandbox: Sandbox):
    query = "SELECT " + ", ".join(f"({each})::VARCHAR" for each in CLOCK)
    result = await sandbox.run(Query(query, time_zone="America/New_York", as_of=NOON))
    assert dict(zip(CLOCK, result.rows[0], strict=True)) == CLOCK


async def test_the_types_are_those_of_the_real_clock(sandbox: Sandbox):
    query = "SELECT " + ", ".join(f"typeof({each})" for each in CLOCK)
    real = await sandbox.run(Query(query))
    then = await sandbox.run(Query(query, as_of=NOON))
    assert then.rows == real.rows


async def test_a_column_of_a_clocks_name_is_still_the_column(sandbox: Sandbox):
    query = "SELECT current_date FROM (SELECT 5 AS current_date)"
    result = await sandbox.run(Query(query, as_of=NOON))
    assert result.rows == [(5,)]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
async def test_tables_end_at_the_moment(sandbox: Sandbox, tmp_path: Path, zone: str):
    """Times without a zone are those of the rule's zone."""
    made = lab_csv(tmp_path)
    lab = Table("lab", made.files, "csv", time_column="tasted_at")
    query = Query("SELECT max(batch), count(*) FROM lab", (lab,), time_zone=zone)
    hours = {"UTC": 0, "America/New_York": 5, "Pacific/Auckland": -13}[zone]
    # 1403 was tasted on the 24th at 23:30.
    tasted = datetime(2026, 11, 24, 23, 30, tzinfo=UTC) + timedelta(hours=hours)
    as_ofs = [tasted + timedelta(seconds=each) for each in (-86400 * 60, -1, 0, 86400)]
    results = await sandbox.run_many(query, as_ofs)
    assert [each.rows for each in results] == [[(None, 0)], [(1402, 2)], [(1403, 3)], [(1404, 4)]]
    assert [(await sandbox.run(each)).rows for each in (query,)] == [[(1404, 4)]]


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMPTZ"])
async def test_time_columns_of_all_types(sandbox: Sandbox, tmp_path: Path, kind: str):
    file = tmp_path / "lab.csv"
    file.write_text("n,t\n1,2026-11-23 00:00:00\n2,2026-11-25 00:00:00\n3,\n")
    columns = (Column("n", "BIGINT"), Column("t", kind))
    if kind == "DATE":
        file.write_text("n,t\n1,2026-11-23\n2,2026-11-25\n3,\n")
    lab = Table("lab", (file,), "csv", columns, time_column="T")
    result = await sandbox.run(Query("SELECT n FROM lab ORDER BY n", (lab,), as_of=NOON))
    # A row without a time isn't after anything.
    assert result.rows == [(1,), (3,)]


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("client", "lab: its column client is VARCHAR, not a time or a date, so what it held on "),
        ("batch", "lab: its column batch is BIGINT, not a time or a date, so what it held on "),
        ("tasted", "lab: it has no column tasted to tell its times by."),
    ],
)
async def test_a_column_that_holds_no_times_is_refused(
    sandbox: Sandbox, tmp_path: Path, column: str, sentence: str
):
    lab = Table("lab", lab_csv(tmp_path).files, "csv", time_column=column)
    with pytest.raises(QueryError) as problem:
        await sandbox.run_many(Query("FROM lab", (lab,)), [NOON])
    assert problem.value.kind == "refused"
    assert str(problem.value).startswith(sentence)
    assert (await sandbox.run(Query("SELECT count(*) FROM lab", (lab,)))).rows == [(4,)]


async def test_thirty_days_of_parquet_and_of_csv(sandbox: Sandbox, tmp_path: Path):
    made = lab_parquet(tmp_path, rows=40_000)
    tastings = Table("tastings", made.files, "parquet", time_column="tasted_at")
    lab = lab_csv(tmp_path)
    query = (
        "SELECT count(*) AS n, (SELECT count(*) FROM lab) AS m, current_date AS day FROM tastings "
        "WHERE tasted_at > now()::TIMESTAMP - INTERVAL '1 day'"
    )
    days = [datetime(2026, 11, 2, tzinfo=UTC) + timedelta(days=each) for each in range(30)]
    results = await sandbox.run_many(Query(query, (tastings, lab)), days)
    assert [each.rows[0][2] for each in results] == [str(each.date()) for each in days]
    assert {each.rows[0][1] for each in results} == {4}
    # One a minute, until they end on the 28th.
    counts = [each.rows[0][0] for each in results]
    assert counts[:27] == [1440] * 27
    assert counts[28:] == [0, 0]
    assert await sandbox.run_many(Query(query, (tastings, lab)), []) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1", False),
        ("SELECT now()", True),
        ("SELECT NOW()", True),
        ("SELECT current_date", True),
        ("SELECT Current_Timestamp", True),
        ("SELECT * FROM lab WHERE t > today() - 3", True),
        ("SELECT (SELECT localtimestamp)", True),
        ("WITH x AS (SELECT current_date AS d) FROM x", True),
        ("SELECT lab.current_date FROM lab", False),
        ("SELECT 'now()', \"now\" FROM lab -- now()", False),
        ("SELECT age(t) FROM lab", True),
        ("SELECT t.age() FROM lab", True),
        ("SELECT age(t, u) FROM lab", False),
        ("SELECT ago(INTERVAL 1 DAY)", True),
        ("SELECT random()", True),
        ("SELECT uuid()", True),
        ("SELECT reservoir_quantile(x, 0.5) FROM lab", True),
        ("FROM lab USING SAMPLE 10%", True),
        ("SELECT * FROM lab TABLESAMPLE reservoir(5)", True),
        ("SELECT date_trunc('day', t), strftime(t, '%d') FROM lab", False),
    ],
)
async def test_whether_the_answer_depends_on_the_clock(
    sandbox: Sandbox, query: str, expected: bool
):
    assert (await sandbox.examine(query)).uses_clock is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1", set()),
        ("FROM lab", {"lab"}),
        ("SELECT * FROM lab l JOIN customers USING (id)", {"lab", "customers"}),
        ("SELECT * FROM LAB WHERE x IN (FROM Customers)", {"lab", "customers"}),
        ("WITH a AS (FROM lab), b AS (FROM a) FROM b", {"lab"}),
        ("WITH lab AS (FROM lab) FROM lab", {"lab"}),
        ("WITH lab AS (FROM customers) FROM lab", {"customers"}),
        ("WITH RECURSIVE t AS (SELECT 1 UNION ALL FROM t) FROM t, lab", {"lab"}),
        ('SELECT * FROM "my lab", range(3), unnest([1])', {"my lab"}),
        ("SELECT (SELECT max(x) FROM lab), y FROM other ORDER BY (SELECT 1 FROM third)", None),
        ("PIVOT lab ON x IN (1, 2) USING sum(y)", {"lab"}),
    ],
)
async def test_which_sources_a_query_names(sandbox: Sandbox, query: str, expected: set[str] | None):
    found = await sandbox.tables_of(query, known=["lab", "customers"])
    assert found == (expected if expected is not None else {"lab", "other", "third"})
    assert sandbox._facts[query].tables is not None


async def test_looking_at_a_text_twice_takes_no_second_process():
    query = "SELECT * FROM lab"
    async with opened() as sandbox:
        assert await sandbox.examine(query) is await sandbox.examine(query)
        for n in range(600):
            sandbox._facts[f"SELECT {n}"] = await sandbox.examine(query)
        assert await sandbox.tables_of("SELECT * FROM other") == {"other"}
        assert len(sandbox._facts) <= 601
