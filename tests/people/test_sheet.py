"""Files with people as programs write them: any delimiter and encoding, or vCards."""

from __future__ import annotations

import pytest

from alerts import UnusableInput
from people import sheet
from people.columns import guess_mapping, read_mapping
from people.sheet import read_sheet

PLAIN = "Name,Number\nTomás Leal,412 555 0119\n"
CARDS = """BEGIN:VCARD
VERSION:3.0
N:Adeyemi;Ben;;;
FN:Ben Adeyemi
TEL;TYPE=WORK,FAX:412 555 0100
TEL;TYPE=CELL:412 555 0123
item1.TEL;TYPE="home,pref":+1 412 555 0
 124
CATEGORIES:Hollow Elm,Lab on call
NOTE:Head brewer\\nOn leave\\, in May
END:VCARD
BEGIN:VCARD
VERSION:4.0
N:Leal;Tomás
TEL;VALUE=uri:tel:+1-412-555-0119
LANG:es
TZ:America/New_York
TITLE:Coffee buyer
END:VCARD
"""


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("cp1252"),
        PLAIN.encode("utf-16"),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").replace("\n", "\r\n").encode(),
        PLAIN.replace(",", "|").encode(),
        ("sep=;\n" + PLAIN.replace(",", ";")).encode(),
        ("\n" + PLAIN + "\n,\n").encode(),
        b'Name,Number\n"Tom\xc3\xa1s Leal","=""412 555 0119"""\n',
        "Name,Number\nTomás Leal,'412 555 0119\n".encode(),
    ],
    ids=range(11),
)
def test_however_it_is_written(content: bytes):
    read = read_sheet(content)
    assert read.columns == ("Name", "Number")
    assert [row.cells for row in read.rows] == [("Tomás Leal", "412 555 0119")]
    assert guess_mapping(read) == ("name", "number")


def test_rows_are_counted_as_spreadsheets_count_them():
    read = read_sheet(b'Name,Number,Notes\n\nBen,4125550123,"two\nlines"\n\nClara,4125550124\n')
    assert [(row.number, row.cells[0]) for row in read.rows] == [(3, "Ben"), (5, "Clara")]
    assert read.rows[1].cells == ("Clara", "4125550124", "")


def test_without_a_header():
    read = read_sheet(b"7,Ben Adeyemi,ben@example.com,412 555 0123\n8,Clara,c@example.com,\n")
    assert read.columns == ("Column 1", "Column 2", "Column 3", "Column 4")
    assert len(read.rows) == 2
    assert guess_mapping(read) == ("", "name", "", "number")


@pytest.mark.parametrize(
    ("header", "row", "mapping"),
    [
        ("full_name,mobile,site,lang,notes", "Nora,412 555 0171,Brewhouse 2,en,x",
         "name,number,group,language,notes"),
        ("First Name,Last Name,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value,Phone 2 - Value",
         "Ben,Adeyemi,b@example.com,Work,412 555 0123,412 555 0124",
         "first_name,last_name,,,number,number"),
        ("Vorname;Nachname;Telefon;Fax;Sprache", "Ben;Adeyemi;0412 5550123;0412 5550124;de",
         "first_name,last_name,number,,language"),
        ("batch number,who,handy", "1407,Ben,412 555 0123", ",name,number"),
        ("a,b,c", "Ben,412 555 0123,1407", "name,number,"),
        ("phoneNumber,displayName,timeZone", "412 555 0123,Ben,Asia/Tokyo",
         "number,name,time_zone"),
        ("name,number", "Ben,4.12555E+09", "name,number"),
        ("name,e-mail", "Ben,b@example.com", "name,"),
    ],
)  # fmt: skip
def test_columns_are_guessed(header: str, row: str, mapping: str):
    assert guess_mapping(read_sheet(f"{header}\n{row}\n".encode())) == tuple(mapping.split(","))


def test_a_mapping_by_hand():
    read = read_sheet(b"name,mobile,office,boss\nBen,4125550123,4125550124,Clara\n")
    assert guess_mapping(read) == ("name", "number", "number", "")
    assert read_mapping(read, ["number=OFFICE"]) == ("name", "", "number", "")
    assert read_mapping(read, ["name=boss", "numbers=mobile", "Number=office"]) == (
        "", "number", "number", "name",
    )  # fmt: skip
    for wrong, said in [
        ("mobile", "doesn't say where"),
        ("nick=mobile", "doesn't say where"),
        ("name=pager", "There are: name, mobile, office, boss."),
    ]:
        with pytest.raises(UnusableInput, match=said):
            read_mapping(read, [wrong])


def test_vcards():
    read = read_sheet(CARDS.replace("\n", "\r\n").encode())
    assert [row.cells for row in read.rows] == [
        ("Ben Adeyemi", "+1 412 555 0124\n412 555 0123", "Hollow Elm;Lab on call", "", "",
         "Head brewer\nOn leave, in May"),
        ("Tomás Leal", "tel:+1-412-555-0119", "", "es", "America/New_York", "Coffee buyer"),
    ]  # fmt: skip
    assert guess_mapping(read) == ("name", "number", "group", "language", "time_zone", "notes")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty."),
        (b"\xef\xbb\xbf\r\n;;\r\n", "This file is empty."),
        (b"PK\x03\x04....", "an Excel workbook or a zip file. Save it as CSV"),
        (b"%PDF-1.7", "This is a PDF"),
        (bytes(range(256)), "isn't a text file"),
        (b'Name,Number\nBen,"412 555 0123\nClara,412\n', "In row 2 a quotation mark isn't closed"),
        (b'Name,Number\nBen,"412"x\n', "In row 2 a quotation mark"),
        (b"Name\n" + b"x" * 30_000, "Row 2 has a field of more than 20,000 characters"),
        (b"a," * 200 + b"\n", "201 columns; 100 can be read"),
        (b"Name,Number\n" + b"Ben,4125550123\n" * 200_000, "more than 50,000 rows. Split it"),
        (b"x" * (sheet.MOST_BYTES + 1), "larger than 20 MB"),
        (b"BEGIN:VCARD\nVERSION:2.1\nEND:VCARD\n", "version 2.1. Export them as 3.0 or 4.0"),
        (b"BEGIN:VCARD\nVERSION:4.0\nFN:Ben\n", "no complete vCard"),
        (b"BEGIN:VCARD\nEND:VCARD\n" * 60_000, "more than 50,000 rows"),
    ],
    ids=range(14),
)
def test_what_cannot_be_read_is_one_sentence(content: bytes, said: str):
    with pytest.raises(UnusableInput) as refused:
        read_sheet(content)
    assert said in str(refused.value)
    assert refused.value.field == "file"
