"""Sources that people upload."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from alerts.errors import UnusableInput
from rules.sources import uploads
from tests.rules.sources.conftest import Lab

ROWS = "batch,ppb\n1407,148\n"


async def test_an_upload_is_a_source_for_every_process(lab: Lab):
    lab.open('[other]\nfile = "other.csv"')
    file = lab.write("temporary", ROWS)
    source = await lab.sources.add_upload("lots", file, "C:\\Users\\Maya\\Lots March.csv", "Maya")

    assert source.described == "Lots March.csv, uploaded"
    file.unlink()
    lab.open()
    assert lab.sources.names() == ("other", "lots")
    assert await lab.rows("lots") == [(1407, 148)]
    upload = lab.sources.uploads()["lots"]
    assert (upload.file_name, upload.by) == ("Lots March.csv", "Maya")


async def test_it_is_replaced_in_one_step(lab: Lab):
    lab.open()
    await lab.sources.add_upload("lots", lab.write("1.csv", ROWS))
    first = await lab.snapshot("lots")

    # Under another name, as people do; with a new column, which is there at once.
    await lab.sources.add_upload("lots", lab.write("2.csv", "ppb,batch,beer\n31,1408,Stout\n"))
    assert await lab.rows("lots", "SELECT batch, ppb, beer FROM lots") == [(1408, 31, "Stout")]
    assert first.table.files[0].read_text() == ROWS
    assert (await lab.snapshot("lots")).fingerprint != first.fingerprint


async def test_the_same_upload_again_is_unchanged(lab: Lab):
    lab.open()
    await lab.sources.add_upload("lots", lab.write("1.csv", ROWS))
    first = await lab.snapshot("lots")
    await lab.sources.add_upload("lots", lab.write("1.csv", ROWS))

    assert (await lab.snapshot("lots")).fingerprint == first.fingerprint


@pytest.mark.parametrize(
    ("name", "file_name", "content", "field", "sentence"),
    [
        ("Lots March", "a.csv", ROWS, "name", "A source needs a name of small letters"),
        ("../lots", "a.csv", ROWS, "name", "A source needs a name of small letters"),
        ("table", "a.csv", ROWS, "name", "that one is a word of SQL"),
        ("other", "a.csv", ROWS, "name", "other is a source of sources.toml"),
        ("lots", "a.xlsx", ROWS, "file", "Choose a file whose name ends in .csv"),
        ("lots", "a.csv", "", "file", "a.csv is empty"),
        ("lots", "a.csv", "PK\x03\x04", "file", "a.csv is an Excel workbook"),
        ("lots", "a.csv", "batch,ppb\n1\n", "file", "line 2 of a.csv has 1 field"),
        ("lots", "a.parquet", ROWS, "file", "a.parquet isn't Parquet"),
        ("lots", "a.json", "[1, 2", "file", "a.json isn't complete"),
        ("known", "a.csv", "batch,weight\n1,2\n", "file", "ppb is gone; weight is new"),
        ("known", "a.csv", "batch,ppb\n1,high\n", "file", "ppb was BIGINT and is VARCHAR"),
    ],
)
async def test_what_can_not_be_used_changes_nothing(
    lab: Lab, *, name: str, file_name: str, content: str, field: str, sentence: str
):
    lab.open('[other]\nfile = "other.csv"')
    await lab.sources.add_upload("known", lab.write("known.csv", ROWS))
    before = files_of(lab)

    with pytest.raises(UnusableInput) as raised:
        await lab.sources.add_upload(name, lab.write("temporary", content), file_name)
    assert sentence in str(raised.value)
    assert raised.value.field == field
    assert lab.sources.names() == ("other", "known")
    assert files_of(lab) == before
    assert await lab.rows("known") == [(1407, 148)]


async def test_limits(lab: Lab, monkeypatch: pytest.MonkeyPatch):
    lab.open()
    await lab.sources.add_upload("known", lab.write("known.csv", ROWS))
    monkeypatch.setattr(uploads, "MOST_BYTES", 10)
    with pytest.raises(UnusableInput, match="This file is larger than"):
        await lab.sources.add_upload("known", lab.write("known.csv", ROWS))
    monkeypatch.setattr(uploads, "MOST_UPLOADS", 1)
    with pytest.raises(UnusableInput, match="There are 1 uploads"):
        await lab.sources.add_upload("more", lab.write("more.csv", "a\n1\n"))


async def test_removing_one(lab: Lab):
    lab.open()
    await lab.sources.add_upload("lots", lab.write("1.csv", ROWS))
    file = (await lab.snapshot("lots")).table.files[0]
    await lab.sources.remove_upload("lots")

    assert lab.sources.names() == ()
    assert "There is no source lots" in await lab.problem("lots")
    assert file.exists()
    await lab.sources.remove_upload("lots")
    # What has the name now may have other columns.
    await lab.sources.add_upload("lots", lab.write("2.csv", "weight\n7\n"))
    assert await lab.rows("lots") == [(7,)]


async def test_what_a_person_can_do_about_an_ambiguous_date(lab: Lab):
    lab.open()
    await lab.sources.add_upload("lots", lab.write("1.csv", "day\n01/02/2025\n"))

    shape = await lab.sources.accept_shape("lots")
    assert "Write dates as 2025-12-31 and upload the file again" in shape.notes["day"]
    await lab.sources.add_upload("lots", lab.write("2.csv", "day\n2025-02-01\n"))
    assert await lab.types("lots") == {"day": "DATE"}
    assert await lab.sources.notes("lots") == {}
    with pytest.raises(UnusableInput, match="day was DATE and is VARCHAR"):
        await lab.sources.add_upload("lots", lab.write("3.csv", "day\n01/02/2025\n"))


async def test_notes_are_those_of_the_present_file(lab: Lab):
    lab.open()
    await lab.sources.add_upload("lots", lab.write("1.csv", 'lot,litres\n7,"1,250"\n'))
    await lab.sources.add_upload("lots", lab.write("2.csv", "lot,litres\n7,about ten\n"))
    assert await lab.sources.notes("lots") == {}
    await lab.sources.add_upload("lots", lab.write("3.csv", 'lot,litres\n7,"2,250"\n'))
    said = (await lab.sources.notes("lots"))["litres"]
    assert said.startswith("litres is read as text: 2,250 may be a large number or a decimal.")
    await lab.sources.add_upload("lots", lab.write("4.csv", "lot,litres\n7,2250\n"))
    assert await lab.rows("lots") == [(7, 2250)]


async def test_many_at_once(lab: Lab):
    lab.open()
    files = [lab.write(f"{each}.csv", f"batch\n{each}\n") for each in range(8)]
    await asyncio.gather(*(lab.sources.add_upload("lots", each) for each in files))

    assert len(await lab.rows("lots")) == 1


def files_of(lab: Lab) -> set[Path]:
    return {each for each in (lab.data_dir / "sources").rglob("*") if each.is_file()}
