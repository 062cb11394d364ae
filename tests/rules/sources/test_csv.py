"""How CSV bites: what would be read wrongly and silently is read right, or told."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.rules.sources.conftest import Lab

LAB = '[lab]\nfile = "lab.csv"\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
async def test_encodings_and_delimiters(lab: Lab, encoding: str, delimiter: str):
    text = "batch,beer\n1407,Märzen\n1408,Kölsch\n".replace(",", delimiter)
    lab.write("lab.csv", text.encode(encoding))
    lab.open(LAB)

    assert await lab.rows() == [(1407, "Märzen"), (1408, "Kölsch")]


async def test_windows_line_ends_and_excels_hint(lab: Lab):
    lab.write("lab.csv", "sep=|\r\nbatch|beer\r\n1407|Pale ale, dry\r\n")
    lab.open(LAB)

    assert await lab.rows() == [(1407, "Pale ale, dry")]


async def test_a_compressed_file(lab: Lab):
    lab.write("lab.csv.gz", gzip.compress(b"batch,beer\n1407,Porter\n"))
    lab.open('[lab]\nfile = "lab.csv.gz"')
    assert await lab.rows() == [(1407, "Porter")]

    lab.write("lab.csv.gz", gzip.compress(b"batch,beer\n1407,Porter\n")[:-9])
    assert "lab.csv.gz is compressed and can't be unpacked" in await lab.problem()


async def test_decimal_commas(lab: Lab):
    lab.write("lab.csv", "batch;ph\n1407;0,5\n1408;12,25\n")
    lab.open(LAB)

    assert await lab.rows(sql="SELECT batch FROM lab WHERE ph > 1") == [(1408,)]


async def test_numbers_with_a_comma_that_can_be_read_in_two_ways_stay_text(lab: Lab):
    lab.write("lab.csv", "batch;cells\n1407;1,250\n1408;2,000\n")
    lab.open(LAB)

    assert (await lab.types())["cells"] == "VARCHAR"
    shape = await lab.sources.accept_shape("lab")
    assert shape.notes == {
        "cells": "cells is read as text: 1,250 may be a large number or a decimal. Write it "
        'without a comma, or if it is a decimal, set decimal = "," for lab in sources.toml.'
    }
    lab.open(LAB + 'decimal = ","\n')
    assert await lab.rows() == [(1407, 1.25), (1408, 2.0)]
    lab.open(LAB + 'decimal = "."\n')
    shape = await lab.sources.accept_shape("lab")
    assert shape.notes == {
        "cells": "cells is read as text: 1,250 has a comma. Write numbers without commas."
    }
    lab.open(LAB + 'types = { cells = "VARCHAR" }\n')
    assert (await lab.sources.accept_shape("lab")).notes == {}


async def test_a_column_without_values_that_turns_out_unclear_is_told(lab: Lab):
    lab.write("lab.csv", "batch;cells\n1407;\n")
    lab.open(LAB)
    assert await lab.rows() == [(1407, None)]
    lab.write("lab.csv", "batch;cells\n1407;1,250\n")
    assert await lab.rows() == [(1407, "1,250")]
    said = (await lab.sources.notes("lab"))["cells"]
    assert "1,250 may be a large number" in said


async def test_notes_that_an_earlier_version_kept(lab: Lab):
    lab.write("lab.csv", "batch;cells\n1407;1,250\n")
    lab.open(LAB)
    await lab.rows()
    (file,) = lab.data_dir.rglob("shapes/lab.json")
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"notes": [*kept["notes"].values()]}))
    assert await lab.sources.notes("lab") == kept["notes"]


@pytest.mark.parametrize("word", ["N/A", "NA", "-", "null", "NaN", "#N/A", "?"])
async def test_words_for_nothing_leave_a_column_of_numbers_one(lab: Lab, word: str):
    lab.write("lab.csv", f"batch,ppb\n1407,148\n1408,{word}\n1409,\n")
    lab.open(LAB)

    assert await lab.rows() == [(1407, 148), (1408, None), (1409, None)]
    # DuckDB takes NaN for larger than every number.
    assert await lab.rows(sql="SELECT batch FROM lab WHERE ppb > 100") == [(1407,)]


async def test_the_same_words_in_a_text_are_text(lab: Lab):
    lab.write("lab.csv", "batch,grade\n1407,A\n1408,-\n1409,NA\n")
    lab.open(LAB)

    assert await lab.rows() == [(1407, "A"), (1408, "-"), (1409, "NA")]


async def test_dates_that_tell_their_order(lab: Lab):
    lab.write("lab.csv", "day,month,time\n31/01/2025,02/28/2025,31.01.2025 14:30\n")
    lab.open('[lab]\nfile = "lab.csv"')

    assert (await lab.rows())[0][0] == "2025-01-31"
    # One file has one way; the other stays text and says so.
    assert await lab.types() == {"day": "DATE", "month": "VARCHAR", "time": "TIMESTAMP"}


async def test_month_first(lab: Lab):
    lab.write("lab.csv", "tasted\n01/02/2025\n01/31/2025\n")
    lab.open(LAB)

    assert await lab.rows() == [("2025-01-02",), ("2025-01-31",)]


async def test_an_ambiguous_date_is_not_guessed(lab: Lab):
    lab.write("lab.csv", "batch,tasted\n1407,01/02/2025\n1408,03/04/2025\n")
    lab.open(LAB)

    assert await lab.types() == {"batch": "BIGINT", "tasted": "VARCHAR"}
    shape = await lab.sources.accept_shape("lab")
    assert "in 01/02/2025 the day or the month may come first" in shape.notes["tasted"]
    lab.open(LAB + 'date_format = "%d/%m/%Y"\n')
    assert (await lab.rows())[0] == (1407, "2025-02-01")


async def test_a_date_format_that_does_not_fit_is_told(lab: Lab):
    lab.write("lab.csv", "batch,tasted\n1407,01/02/2025\n1408,03/02/2025\n")
    lab.open(LAB + 'date_format = "%d.%m.%Y"\n')

    assert (await lab.types())["tasted"] == "VARCHAR"
    assert await lab.sources.notes("lab") == {
        "tasted": "tasted is read as text: 01/02/2025 isn't a date as date_format says."
    }


async def test_a_date_by_definition_is_not_guessed_either(lab: Lab):
    lab.write("lab.csv", "tasted\n01/02/2025\n")
    lab.open(LAB + 'types = { tasted = "DATE" }\n')
    assert "isn't known whether the day or the month comes first in tasted" in await lab.problem()

    lab.open(LAB + 'types = { tasted = "DATE" }\ndate_format = "%m/%d/%Y"\n')
    assert await lab.rows() == [("2025-01-02",)]
    lab.write("lab.csv", "tasted\n31/01/2025\n")
    lab.open(LAB + 'types = { tasted = "DATE" }\n')
    assert await lab.rows() == [("2025-01-31",)]


async def test_codes_stay_text(lab: Lab):
    lab.write(
        "lab.csv",
        "batch,phone,code\n0042,+14125550123,12345678901234567890\n0043,+1412,1234567890123456789\n",
    )
    lab.open(LAB)

    assert (await lab.rows())[0] == ("0042", "+14125550123", "12345678901234567890")


async def test_a_column_named_at(lab: Lab):
    lab.write("lab.csv", "at,order\n7,8\n")
    lab.open(LAB)

    assert await lab.rows(sql='SELECT "at", "order" FROM lab') == [(7, 8)]


async def test_quotation_marks_and_line_breaks_in_a_field(lab: Lab):
    lab.write("lab.csv", 'batch,note\n1407,"smells ""buttery"",\nof diacetyl"\n')
    lab.open(LAB)

    assert await lab.rows() == [(1407, 'smells "buttery",\nof diacetyl')]


async def test_lines_that_begin_with_a_hash_are_rows(lab: Lab):
    lab.write("lab.csv", "batch,beer\n#7,Stout\n#8,Porter\n")
    lab.open(LAB)

    assert await lab.rows() == [("#7", "Stout"), ("#8", "Porter")]


async def test_a_header_alone_and_types_once_there_are_rows(lab: Lab):
    lab.write("lab.csv", "batch,ppb\n")
    lab.open(LAB)
    assert await lab.rows() == []

    lab.write("lab.csv", "batch,ppb\n1407,148\n")
    assert await lab.rows() == [(1407, 148)]


async def test_an_empty_column_gets_its_type_from_its_first_value(lab: Lab):
    lab.write("lab.csv", "batch,ppb\n1407,\n")
    lab.open(LAB)
    assert await lab.types() == {"batch": "BIGINT", "ppb": "VARCHAR"}

    lab.write("lab.csv", "batch,ppb\n1407,\n1408,9\n1409,148\n")
    assert await lab.rows(sql="SELECT batch FROM lab WHERE ppb > 100") == [(1409,)]


async def test_columns_without_a_name(lab: Lab):
    lab.write("lab.csv", "batch,beer,,\n1407,Stout,,\n")
    lab.open(LAB)
    assert await lab.rows() == [(1407, "Stout", None, None)]

    lab.write("lab.csv", "batch,beer,,\n1408,Stout,,\n")
    assert await lab.rows(sql="SELECT batch FROM lab") == [(1408,)]


async def test_types_of_the_file_are_what_they_say(lab: Lab):
    lab.write("lab.csv", "batch,ph\n1407,4.5\n")
    lab.open(LAB + 'types = { batch = "VARCHAR", ph = "DECIMAL(9,2)" }\n')

    assert await lab.types() == {"batch": "VARCHAR", "ph": "DECIMAL(9,2)"}
    assert await lab.rows() == [("1407", "4.50")]
    lab.open(LAB + 'types = { bach = "VARCHAR" }\n')
    assert "has no column bach, which its types name" in await lab.problem()


async def test_many_rows_cut_in_the_middle_of_a_field(lab: Lab):
    rows = "".join(f'{each},"a field with\na line break, {"x" * 300}"\n' for each in range(3000))
    lab.write("lab.csv", "batch,note\n" + rows)
    lab.open(LAB)

    assert await lab.rows(sql="SELECT count(*), max(batch) FROM lab") == [(3000, 2999)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "lab.csv is empty"),
        (b"\n\n", "lab.csv is empty"),
        (
            b"batch,beer,ppb\n1407,Stout,1\n1408,Porter\n",
            "line 3 of lab.csv has 2 fields, its first line 3",
        ),
        (b"1407,12,3.5\n1408,13,3.6\n", "the first line of lab.csv doesn't name the columns"),
        (b"Batch,beer,batch\n1,x,2\n", "two columns of lab.csv are called Batch"),
        (b"PK\x03\x04rest", "lab.csv is an Excel workbook or a zip file: save it as CSV"),
        (b"\xd0\xcf\x11\xe0rest", "lab.csv is an old Excel workbook"),
        (b"SQLite format 3\0rest", "lab.csv is an SQLite database"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>\n", "lab.csv is a web page, not data"),
        (b"b\0a\0t\0c\0h\0\n\0", "lab.csv is no text file: if it is UTF-16, set its encoding"),
    ],
)
async def test_files_that_are_no_csv(lab: Lab, content: bytes, sentence: str):
    lab.write("lab.csv", content)
    lab.open(LAB)

    said = await lab.problem()
    assert sentence in said
    assert said.startswith("lab can't be used: ")


async def test_an_encoding_that_is_named(lab: Lab):
    lab.write("lab.csv", "batch,beer\n1407,Kölsch\n".encode("utf-16-le"))
    lab.open(LAB + 'encoding = "utf-16-le"\n')
    assert await lab.rows() == [(1407, "Kölsch")]

    lab.write("other.csv", "batch,beer\n1407,Kölsch\n".encode("cp1252"))
    lab.open('[lab]\nfile = "other.csv"\nencoding = "ascii"')
    assert "isn't ascii: set the encoding that it has" in await lab.problem()


async def test_a_time_column_that_is_missing(lab: Lab):
    lab.write("lab.csv", "batch,beer\n1407,Stout\n")
    lab.open(LAB + 'time_column = "tasted_at"\n')

    assert (
        "has no column tasted_at, which is its time_column. It has batch, beer"
        in await lab.problem()
    )
