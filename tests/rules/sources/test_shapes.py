"""The shape of a source: found out once, kept, and accepted again by a person only."""

from __future__ import annotations

import pytest

from rules.sandbox import QueryError
from tests.rules.sources.conftest import Lab

LAB = '[lab]\nfile = "lab.csv"\n'


async def test_what_was_found_is_kept_for_other_processes(lab: Lab):
    lab.write("lab.csv", "batch,tasted\n1407,31/01/2025\n")
    lab.open(LAB)
    assert await lab.types() == {"batch": "BIGINT", "tasted": "DATE"}

    lab.open(LAB)
    # Only the kept shape tells that the day comes first here.
    lab.write("lab.csv", "batch,tasted\n1407,01/02/2025\n")
    assert await lab.rows() == [(1407, "2025-02-01")]


async def test_swapped_columns_are_read_by_name(lab: Lab):
    lab.write("lab.csv", "batch,ppb,limit\n1407,148,100\n")
    lab.open(LAB)
    await lab.snapshot()

    lab.write("lab.csv", "limit,batch,ppb\n100,1408,31\n")
    assert await lab.rows(sql='SELECT batch, ppb, "limit" FROM lab') == [(1408, 31, 100)]
    assert await lab.rows() == [(1408, 31, 100)]


async def test_a_renamed_column_is_told_until_a_person_accepts_it(lab: Lab):
    lab.write("lab.csv", "batch,diacetyl\n1407,148\n")
    lab.open(LAB)
    before = await lab.snapshot()

    lab.write("lab.csv", "batch,diacetyl_ppb\n1407,148\n")
    assert await lab.problem() == (
        "lab doesn't fit any more: lab.csv has no column diacetyl but a new one, diacetyl_ppb. "
        "Correct the data, or accept the new columns."
    )
    change = await lab.sources.shape_change("lab")
    assert change is not None
    assert change.words == "diacetyl is gone; diacetyl_ppb is new"
    assert "diacetyl_ppb" in await lab.problem()

    await lab.sources.accept_shape("lab")
    assert await lab.rows(sql="SELECT diacetyl_ppb FROM lab") == [(148,)]
    assert (await lab.snapshot()).fingerprint != before.fingerprint
    assert not await lab.sources.shape_change("lab")


async def test_a_new_column_is_not_there_until_it_is_accepted(lab: Lab):
    lab.write("lab.csv", "batch\n1407\n")
    lab.open(LAB)
    await lab.snapshot()

    lab.write("lab.csv", "panel,batch\nrelease,1407\n")
    assert await lab.rows() == [(1407,)]
    change = await lab.sources.shape_change("lab")
    assert change is not None
    assert change.added == ("panel",)
    await lab.sources.accept_shape("lab")
    assert await lab.rows() == [("release", 1407)]


async def test_values_of_another_type_end_the_query(lab: Lab):
    lab.write("lab.csv", "batch,ppb\n1407,148\n")
    lab.open(LAB)
    await lab.snapshot()

    lab.write("lab.csv", "batch,ppb\n1407,148\n1408,high\n")
    with pytest.raises(QueryError, match="ppb"):
        await lab.rows()
    change = await lab.sources.shape_change("lab")
    assert change is not None
    assert change.words == "ppb was BIGINT and is VARCHAR"


async def test_dates_in_another_order_are_told(lab: Lab):
    lab.write("lab.csv", "tasted\n31/01/2025\n")
    lab.open(LAB)
    await lab.snapshot()

    lab.write("lab.csv", "tasted\n01/31/2025\n")
    assert "the dates of tasted had the day first and have the month first" in await lab.problem()


@pytest.mark.parametrize("time", ["", " 10:00:00"])
async def test_dates_written_in_another_way_are_told(lab: Lab, time: str):
    lab.write("exports/1.csv", f"tasted\n2025-01-31{time}\n")
    lab.open('[lab]\nfile = "exports/*.csv"')
    await lab.snapshot()

    # In each new file, also if it isn't the newest; DuckDB alone would read the 1st of February.
    lab.write("exports/0.csv", f"tasted\n01/02/2025{time}\n", age_seconds=9000)
    assert await lab.problem() == (
        "lab doesn't fit any more: the dates of tasted were written as in 2025-01-31 and aren't in "
        "0.csv. Correct the file, or accept the new columns."
    )


async def test_another_delimiter_is_told(lab: Lab):
    lab.write("lab.csv", "batch,ppb\n1407,148\n")
    lab.open(LAB)
    await lab.snapshot()

    lab.write("lab.csv", "batch;ppb\n1407;148\n")
    assert "lab.csv has semicolons between its fields and had commas" in await lab.problem()


async def test_another_definition_is_another_shape(lab: Lab):
    lab.write("lab.csv", "batch,ppb\n1407,148\n")
    lab.open(LAB)
    await lab.snapshot()
    lab.write("other.csv", "lot,weight\n7,2.5\n")

    lab.open('[lab]\nfile = "other.csv"\nlabel = "Roastery"')
    assert await lab.rows() == [(7, 2.5)]


async def test_a_shape_is_found_out_again_if_its_file_is_spoiled(lab: Lab):
    lab.write("lab.csv", "batch\n1407\n")
    lab.open(LAB)
    await lab.snapshot()

    (lab.data_dir / "sources" / "shapes" / "lab.json").write_text('{"columns": 7}')
    lab.open(LAB)
    assert await lab.rows() == [(1407,)]


async def test_sources_toml_is_read_again_when_it_changes(lab: Lab):
    lab.write("lab.csv", "batch\n1407\n")
    lab.write("more.csv", "batch\n1408\n")
    lab.open(LAB)
    assert lab.sources.names() == ("lab",)

    lab.write("sources.toml", LAB + '[more]\nfile = "more.csv"\n', age_seconds=50)
    assert lab.sources.names() == ("lab", "more")
    assert await lab.rows("more") == [(1408,)]
    lab.write("sources.toml", LAB + "[more]\nfile = 7\n", age_seconds=40)
    assert "file of [more] must be" in lab.sources.problem
    assert lab.sources.names() == ("lab", "more")
    assert "sources.toml, line 4: file of [more] must be" in await lab.problem("more")
    lab.write("sources.toml", LAB, age_seconds=30)
    assert lab.sources.problem == ""
    assert "There is no source more: name it in sources.toml" in await lab.problem("more")
