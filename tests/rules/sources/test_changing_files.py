"""Files that change while rules watch them: torn, replaced, truncated, rotated, and growing."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from rules.sources import SourceError
from tests.rules.sources.conftest import Lab

LAB = '[lab]\nfile = "lab.csv"\n'
ROWS = "batch,ppb\n1407,148\n1408,31\n"


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


async def test_unchanged_is_the_same_fingerprint_and_the_same_snapshot(lab: Lab):
    lab.write("lab.csv", ROWS)
    lab.open(LAB)
    first = await lab.snapshot()

    assert (await lab.snapshot()).fingerprint == first.fingerprint
    lab.open(LAB)  # as another process would
    again = await lab.sources.fetch(["lab"], known={"lab": first})
    assert again["lab"] is first


async def test_a_change_is_another_fingerprint(lab: Lab):
    path = lab.write("lab.csv", ROWS)
    lab.open(LAB)
    first = await lab.snapshot()

    # As long, and as old to the second.
    path.write_text(ROWS.replace("148", "149"))
    os.utime(path, ns=(0, first.stamps[0].mtime_ns + 1))
    second = await lab.snapshot()
    assert second.fingerprint != first.fingerprint
    assert (await lab.rows())[0] == (1407, 149)


async def test_a_file_written_this_moment_never_counts_as_unchanged(lab: Lab):
    # Its time might be the same after one more change.
    lab.write("lab.csv", ROWS, age_seconds=0)
    lab.open(LAB)
    first = await lab.snapshot()

    assert (await lab.snapshot()).fingerprint != first.fingerprint


async def test_a_torn_last_line_is_not_read(lab: Lab):
    path = lab.write("lab.csv", ROWS)
    lab.open(LAB)
    assert len(await lab.rows()) == 2

    replaced = lab.write("new.csv", ROWS + "1409,14", age_seconds=60)  # of 148
    replaced.replace(path)
    said = await lab.problem()
    assert "lab is still being written: lab.csv doesn't end with a line break" in said
    append(path, "8\n")
    assert (1409, 148) in await lab.rows()


async def test_a_file_without_a_last_line_break_is_read_once_it_rests(lab: Lab):
    path = lab.write("lab.csv", ROWS.rstrip(), age_seconds=1)
    lab.open(LAB)
    assert "lab is still being written: lab.csv isn't complete yet" in await lab.problem()

    lab.make_older(path, 11)
    assert len(await lab.rows()) == 2
    # It never ends with one, so that's how it is.
    lab.write("lab.csv", ROWS + "1409,9", age_seconds=11)
    assert len(await lab.rows()) == 3


async def test_whole_lines_are_read_of_a_file_whose_writer_buffers(lab: Lab):
    path = lab.write("lab.csv", ROWS)
    lab.open(LAB)
    await lab.rows()

    append(path, "1409,96\n1410,1")
    assert await lab.rows() == [(1407, 148), (1408, 31), (1409, 96)]
    append(path, "20\n1411,")
    assert (await lab.rows())[3:] == [(1410, 120)]
    # Its own file stays as it is.
    assert path.read_text().endswith("1411,")


async def test_a_file_that_shrank_is_read_once_it_rests(lab: Lab):
    lab.write("lab.csv", ROWS)
    lab.open(LAB)
    await lab.rows()

    path = lab.write("lab.csv", "batch,ppb\n1407,148\n", age_seconds=1)
    assert "lab is still being written" in await lab.problem()
    lab.make_older(path, 11)
    assert await lab.rows() == [(1407, 148)]


async def test_a_header_alone_is_read_once_it_rests(lab: Lab):
    lab.write("lab.csv", ROWS)
    lab.open(LAB)
    await lab.rows()

    lab.open(LAB)  # a process that hasn't seen the rows
    path = lab.write("lab.csv", "batch,ppb\n", age_seconds=1)
    assert "lab is still being written" in await lab.problem()
    lab.make_older(path, 11)
    assert await lab.rows() == []


@pytest.mark.parametrize("what", ["appended", "replaced", "truncated", "removed", "rewritten"])
async def test_what_changes_while_it_is_read_is_void(lab: Lab, what: str):
    path = lab.write("lab.csv", ROWS)
    lab.open(LAB)
    snapshot = await lab.snapshot()
    await lab.sources.confirm([snapshot])

    if what == "appended":
        append(path, "1409,9\n")
    elif what == "replaced":
        lab.write("new.csv", ROWS).replace(path)
    elif what == "truncated":
        os.truncate(path, 20)
    elif what == "removed":
        path.unlink()
    else:
        path.write_text(ROWS.replace("148", "149"))
    with pytest.raises(SourceError, match=r"lab changed while it was read: lab\.csv"):
        await lab.sources.confirm([snapshot])


async def test_after_that_a_copy_is_read_that_nobody_changes(lab: Lab):
    path = lab.write("lab.csv", ROWS)
    lab.open(LAB)
    snapshot = await lab.snapshot()
    append(path, "1409,9\n")
    with pytest.raises(SourceError):
        await lab.sources.confirm([snapshot])

    snapshot = await lab.snapshot()
    append(path, "1410,10\n")
    await lab.sources.confirm([snapshot])
    assert snapshot.table.files[0] != path
    assert snapshot.table.files[0].read_text() == ROWS + "1409,9\n"


async def test_a_rotated_file(lab: Lab):
    path = lab.write("lab.csv", ROWS)
    lab.open(LAB)
    await lab.rows()

    path.rename(lab.folder / "lab.1.csv")
    assert f"lab can't be used: there is no file {path}" in await lab.problem()
    lab.write("lab.csv", "")
    assert "lab.csv is empty" in await lab.problem()
    lab.write("lab.csv", "batch,ppb\n1500,9\n")
    assert await lab.rows() == [(1500, 9)]


async def test_a_folder_that_grows(lab: Lab):
    lab.write("exports/1.csv", "batch,ppb\n1407,148\n")
    lab.open('[lab]\nfile = "exports/**/*.csv"')
    first = await lab.snapshot()

    lab.write("exports/2026/2.csv", "ppb,batch\n31,1408\n")
    second = await lab.snapshot()
    assert second.fingerprint != first.fingerprint
    # By name, for the second file has its columns in another order.
    assert await lab.rows() == [(1407, 148), (1408, 31)]
    assert second.newest_at is not None
    lab.write("exports/3.csv", "batch,weight\n1409,7\n")
    assert "lab doesn't fit any more: 3.csv has no column ppb but a new one, weight" in (
        await lab.problem()
    )


async def test_files_that_differ_from_the_start(lab: Lab):
    lab.write("exports/1.csv", "batch,ppb\n1407,148\n")
    lab.write("exports/2.csv", "batch,weight\n1408,7\n")
    lab.open('[lab]\nfile = "exports/*.csv"')

    said = await lab.problem()
    assert "2.csv has no column ppb, and 1.csv has one" in said or (
        "1.csv has no column weight, and 2.csv has one" in said
    )


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("nothing.csv", "there is no file"),
        ("exports/*.csv", "lab has no file: nothing is called *.csv"),
        ("a.csv/b.csv", "there is no file"),
        ("folder.csv", "is a folder. Name its files, such as folder.csv/*.csv"),
        ("pipe.csv", "pipe.csv: it isn't a regular file"),
        ("loop.csv", "loop.csv: Too many levels of symbolic links"),
    ],
)
async def test_files_that_are_none(lab: Lab, file: str, sentence: str):
    (lab.folder / "folder.csv").mkdir()
    lab.write("a.csv", ROWS)
    os.mkfifo(lab.folder / "pipe.csv")
    (lab.folder / "loop.csv").symlink_to(lab.folder / "loop.csv")
    lab.open(f'[lab]\nfile = "{file}"')

    assert sentence in await lab.problem()


async def test_json(lab: Lab):
    lab.write("lab.ndjson", '{"batch": 1407, "ppb": 148}\n{"batch": 1408, "ppb": 31.5}\n')
    lab.open('[lab]\nfile = "lab.ndjson"')
    assert await lab.rows() == [(1407, 148.0), (1408, 31.5)]

    lab.write("lab.ndjson", '{"batch": 1407, "ppb": 148}\n{"batch": 1408, "pp')
    assert "lab is still being written: lab.ndjson isn't complete yet" in await lab.problem()
    lab.write("lab.ndjson", '[{"batch": 1407, "ppb": 9}]')
    assert await lab.rows() == [(1407, 9.0)]
    lab.write("lab.ndjson", '[{"batch": 1407, "weight": 9}]')
    assert "lab.ndjson has no column ppb but a new one, weight" in await lab.problem()
    lab.write("lab.ndjson", '[{"batch": 1407, "ppb": "high"}]')
    assert "ppb of lab.ndjson was DOUBLE and is VARCHAR" in await lab.problem()


async def test_parquet(lab: Lab):
    path = lab.folder / "lab.parquet"
    write = duckdb.connect().execute
    write(f"COPY (SELECT 1407 AS batch, 148::DECIMAL(9,2) AS ppb) TO '{path}'")
    lab.open('[lab]\nfile = "lab.parquet"')
    assert await lab.types() == {"batch": "INTEGER", "ppb": "DECIMAL(9,2)"}
    assert await lab.rows() == [(1407, "148.00")]

    whole = path.read_bytes()
    lab.write("lab.parquet", whole[:-1])
    assert "lab is still being written: lab.parquet isn't complete yet" in await lab.problem()
    lab.write("lab.parquet", b"batch,ppb\n")
    assert "lab.parquet isn't Parquet" in await lab.problem()
    write(f"COPY (SELECT '1407' AS batch, 148 AS ppb) TO '{path}'")
    assert "batch of lab.parquet was INTEGER and is VARCHAR" in await lab.problem()
