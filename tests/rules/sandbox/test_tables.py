"""Tables of CSV, Parquet and JSON: pinned columns, files that changed, odd files and names."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import pytest
import pytest_asyncio

from rules.sandbox import Column, Query, QueryError, QueryResult, Sandbox, Table
from tests.support.sandboxed import lab_csv, lab_parquet, opened, outcome

pytestmark = pytest.mark.asyncio(loop_scope="module")

PINNED = (Column("batch", "BIGINT"), Column("ppb", "DECIMAL(9,2)"), Column("at", "TIMESTAMP"))
ROWS = "batch,ppb,at\n1,2.50,2026-11-01 10:00\n2,3.75,2026-11-02 10:00\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox():
    """One for all tests, which only ask it: its process takes long to start."""
    async with opened() as made:
        yield made


def csv(folder: Path, text: str, name: str = "lab.csv", **more: object) -> Table:
    (folder / name).write_bytes(text.encode(str(more.pop("written", "utf-8"))))
    return Table("lab", (folder / name,), "csv", **more)  # type: ignore[arg-type]


async def error_of(sandbox: Sandbox, *tables: Table, sql: str = "SELECT * FROM lab") -> str:
    found = await outcome(sandbox, sql, *tables)
    assert isinstance(found, QueryError), found
    assert found.kind == "data"
    return str(found)


async def rows_of(sandbox: Sandbox, *tables: Table, sql: str = "SELECT * FROM lab") -> list[object]:
    found = await outcome(sandbox, sql, *tables)
    assert isinstance(found, QueryResult), str(found)
    return list(found.rows)


async def test_columns_are_guessed_or_read(sandbox: Sandbox, tmp_path: Path):
    (tmp_path / "notes.json").write_text('[{"batch": 1, "notes": ["a"]}, {"batch": 2}]')
    notes = Table("notes", (tmp_path / "notes.json",), "json")
    found = await sandbox.columns([lab_csv(tmp_path), lab_parquet(tmp_path), notes])
    assert found == {
        "lab": (
            Column("batch", "BIGINT"),
            Column("client", "VARCHAR"),
            Column("diacetyl_ppb", "BIGINT"),
            Column("weight", "DOUBLE"),
            Column("tasted_at", "TIMESTAMP"),
            Column("at", "DATE"),
            Column("retest", "BOOLEAN"),
        ),
        "tastings": (
            Column("batch", "BIGINT"),
            Column("client", "VARCHAR"),
            Column("diacetyl_ppb", "BIGINT"),
            Column("tasted_at", "TIMESTAMP"),
        ),
        "notes": (Column("batch", "BIGINT"), Column("notes", "VARCHAR[]")),
    }


async def test_a_csv_is_read_in_its_pinned_types(sandbox: Sandbox, tmp_path: Path):
    lab = csv(tmp_path, ROWS, columns=PINNED)
    assert await rows_of(sandbox, lab) == [
        (1, "2.50", "2026-11-01 10:00:00"),
        (2, "3.75", "2026-11-02 10:00:00"),
    ]
    assert await sandbox.columns([lab]) == {"lab": PINNED}


async def test_a_csv_is_read_by_the_names_of_its_columns(sandbox: Sandbox, tmp_path: Path):
    swapped = "ppb,new,batch,at\n2.50,x,1,2026-11-01 10:00\n"
    lab = csv(tmp_path, swapped, columns=PINNED)
    assert await rows_of(sandbox, lab) == [(1, "2.50", "2026-11-01 10:00:00")]
    other = csv(tmp_path, ROWS, name="other.csv").files
    both = Table("lab", (*lab.files, *other), "csv", PINNED)
    assert await rows_of(sandbox, both, sql="SELECT batch, ppb FROM lab ORDER BY ALL") == [
        (1, "2.50"),
        (1, "2.50"),
        (2, "3.75"),
    ]


async def test_texts_only_still_have_a_header(sandbox: Sandbox, tmp_path: Path):
    columns = (Column("name", "VARCHAR"), Column("site", "VARCHAR"))
    lab = csv(tmp_path, "name,site\nAnn,Graz\n", columns=columns)
    assert await rows_of(sandbox, lab) == [("Ann", "Graz")]
    assert await rows_of(sandbox, csv(tmp_path, "name,site\n", columns=columns)) == []


async def test_a_csv_without_a_header(sandbox: Sandbox, tmp_path: Path):
    lab = csv(tmp_path, "1,2\n3,4\n", options={"header": False})
    columns = (await sandbox.columns([lab]))["lab"]
    assert [each.name for each in columns] == ["column0", "column1"]
    pinned = Table("lab", lab.files, "csv", columns)
    assert await rows_of(sandbox, pinned) == [(1, 2), (3, 4)]


async def test_options_say_how_a_csv_is_written(sandbox: Sandbox, tmp_path: Path):
    text = "# of the lab\nbatch;ppb;at\n1;2,50;01/02/2026\n2;N/A;03/02/2026\n"
    lab = csv(
        tmp_path,
        text,
        written="utf-16",
        columns=(PINNED[0], PINNED[1], Column("at", "DATE")),
        options={
            "delimiter": ";",
            "decimal": ",",
            "nullstr": "N/A",
            "dateformat": "%d/%m/%Y",
            "skip": "1",
            "encoding": "utf-16",
        },
    )
    assert await rows_of(sandbox, lab) == [(1, "2.50", "2026-02-01"), (2, None, "2026-02-03")]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"delimeter": ";"}, "lab: there is no option delimeter; there are comment, dateformat, "),
        ({"skip": "one"}, "lab: skip must be a number of lines."),
        ({"filename": True}, "lab: there is no option filename; "),
        ({"delimiter": "';DROP"}, "lab: "),
    ],
)
async def test_other_options_are_refused(
    sandbox: Sandbox, tmp_path: Path, options: dict[str, str | bool], sentence: str
):
    found = await outcome(sandbox, "FROM lab", csv(tmp_path, ROWS, options=options))
    assert isinstance(found, QueryError)
    assert str(found).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("batch,ppb\n1,2.5\n", "lab: its file has no column at now; it has batch, ppb."),
        (
            "batch,PPM,when\n1,2.5,2026-11-01\n",
            "lab: its file has no column ppb, at now; it has batch, PPM, when.",
        ),
        (
            ROWS + "3,high,2026-11-03\n",
            "lab: line 4, column ppb: Could not convert string \"high\" to 'DECIMAL'.",
        ),
        (ROWS + "3,1\n", "lab: line 4: Expected Number of Columns: 3 Found: 2."),
        (ROWS + "3,1,2026-11-03,x,y\n", "lab: line 4: Expected Number of Columns: 3 Found: 4."),
        ("", "lab: its file has no column batch, ppb, at now and is empty."),
    ],
    ids=["missing", "renamed", "retyped", "short", "long", "empty"],
)
async def test_a_csv_that_no_longer_fits_says_so(
    sandbox: Sandbox, tmp_path: Path, text: str, sentence: str
):
    assert (await error_of(sandbox, csv(tmp_path, text, columns=PINNED))).startswith(sentence)


def parquet(folder: Path, select: str, **more: object) -> Table:
    file = folder / "lab.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet)")
    return Table("lab", (file,), "parquet", **more)  # type: ignore[arg-type]


async def test_parquet_columns_are_pinned_by_name_and_type(sandbox: Sandbox, tmp_path: Path):
    lab = parquet(tmp_path, "SELECT 2.5 AS ppb, '7' AS batch, 1 AS new", columns=PINNED[:2])
    assert await rows_of(sandbox, lab) == [(7, "2.50")]
    lab = parquet(tmp_path, "SELECT 'x' AS batch, 1 AS ppb", columns=PINNED[:2])
    assert "'x'" in await error_of(sandbox, lab)
    lab = parquet(tmp_path, "SELECT 1 AS batch, 2 AS ppm", columns=PINNED[:2])
    assert await error_of(sandbox, lab) == "lab: its file has no column ppb now."


async def test_parquet_files_with_other_columns_are_read_by_name(sandbox: Sandbox, tmp_path: Path):
    one = parquet(tmp_path, "SELECT 1 AS a, 2 AS b").files[0].rename(tmp_path / "one.parquet")
    two = parquet(tmp_path, "SELECT 3 AS b, 4 AS a, 5 AS c").files[0]
    lab = Table("lab", (one, two), "parquet")
    assert await rows_of(sandbox, lab, sql="SELECT a, b FROM lab ORDER BY a") == [(1, 2), (4, 3)]


async def test_a_torn_or_foreign_file_says_so(sandbox: Sandbox, tmp_path: Path):
    lab = lab_parquet(tmp_path, name="lab")
    whole = lab.files[0].read_bytes()
    lab.files[0].write_bytes(whole[: len(whole) // 2])
    assert (await error_of(sandbox, lab)).startswith("lab: ")
    lab.files[0].write_bytes(b"")
    assert (await error_of(sandbox, lab)).startswith("lab: ")
    lab.files[0].write_bytes(os.urandom(5000))
    assert (await error_of(sandbox, lab)).startswith("lab: ")
    found = csv(tmp_path, "a,b\n\xff\xfe,1\n", written="latin-1")
    assert (await error_of(sandbox, found)).startswith("lab: ")
    (tmp_path / "lab.json").write_text('{"a": 1}\n{"a": ')
    found = Table("lab", (tmp_path / "lab.json",), "json")
    assert (await error_of(sandbox, found)).startswith("lab: ")


async def test_json_in_an_array_and_in_lines(sandbox: Sandbox, tmp_path: Path):
    rows = [{"batch": 1, "ppb": 2.5}, {"ppb": 3, "batch": 2, "new": True}, {"batch": 3}]
    for text in (json.dumps(rows), "\n".join(map(json.dumps, rows))):
        (tmp_path / "lab.json").write_text(text)
        lab = Table("lab", (tmp_path / "lab.json",), "json", PINNED[:2])
        assert await rows_of(sandbox, lab) == [(1, "2.50"), (2, "3.00"), (3, None)]


async def test_a_file_that_is_gone_and_none_at_all(sandbox: Sandbox, tmp_path: Path):
    lab = lab_csv(tmp_path)
    lab.files[0].unlink()
    assert await error_of(sandbox, lab) == "lab: lab.csv is gone."
    assert await error_of(sandbox, Table("lab", (), "csv")) == "lab: there is no file yet."
    os.mkfifo(lab.files[0])
    assert await error_of(sandbox, lab) == "lab: lab.csv is gone."


async def test_odd_names_of_files_tables_and_columns(sandbox: Sandbox, tmp_path: Path):
    folder = tmp_path / 'it\'s a "folder" (1) ü {x} ; -- '
    folder.mkdir()
    file = folder / "lab's; DROP TABLE x.csv"
    name = 'it\'s "odd"; DROP VIEW x'
    file.write_text('"a ""b""; \'c\'",x\n1,2\n')
    columns = (Column("a \"b\"; 'c'", "INTEGER"), Column("x", "INTEGER"))
    table = Table(name, (file,), "csv", columns)
    quoted = '"' + name.replace('"', '""') + '"'
    found = await outcome(sandbox, f"FROM {quoted}", table)
    assert isinstance(found, QueryResult), str(found)
    assert found.rows == [(1, 2)]
    assert found.columns == columns


@pytest.mark.parametrize("name", ["a*.csv", "a[1].csv", "a?.csv"])
async def test_a_file_whose_name_is_a_pattern_is_refused(
    sandbox: Sandbox, tmp_path: Path, name: str
):
    (tmp_path / "a1.csv").write_text("another file's\n1\n")
    words = await error_of(sandbox, csv(tmp_path, ROWS, name=name))
    assert words == f"lab: rename {name} and its folder without *, ? and [."


@pytest.mark.parametrize("kind", ["INTEGER); DROP VIEW x; --", "INTEGER'", "", "NOPE"])
async def test_a_type_must_be_one(sandbox: Sandbox, tmp_path: Path, kind: str):
    for made in (csv(tmp_path, ROWS), parquet(tmp_path, "SELECT 1 AS batch")):
        table = Table("lab", made.files, made.format, (Column("batch", kind),))
        found = await outcome(sandbox, "FROM lab", table)
        assert isinstance(found, QueryError)
        assert str(found).startswith("lab: ")


async def test_no_column_comes_from_a_folders_name(sandbox: Sandbox, tmp_path: Path):
    folder = tmp_path / "year=2026"
    folder.mkdir()
    assert await rows_of(sandbox, csv(folder, "a,b\n1,2\n")) == [(1, 2)]


async def test_many_files(sandbox: Sandbox, tmp_path: Path):
    files = []
    for n in range(300):
        files.append(tmp_path / f"{n}.csv")
        files[-1].write_text(f"n,x\n{n},1\n")
    lab = Table("lab", tuple(files), "csv", (Column("n", "BIGINT"), Column("x", "BIGINT")))
    assert await rows_of(sandbox, lab, sql="SELECT sum(n) FROM lab") == [(sum(range(300)),)]


async def test_an_unknown_time_zone_is_refused(sandbox: Sandbox):
    with pytest.raises(QueryError, match=r"^There is no time zone Europe/Wien\.$"):
        await sandbox.run(Query("SELECT 1", time_zone="Europe/Wien"))
    with pytest.raises(QueryError, match="There is no time zone"):
        await sandbox.run(Query("SELECT 1", time_zone="../../etc/passwd"))
