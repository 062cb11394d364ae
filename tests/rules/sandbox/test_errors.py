"""What is wrong with a query is told in one sentence, at its place, with the fix if it is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.sandbox import Fix, QueryError
from tests.support.sandboxed import lab_csv, opened, outcome

# The query with «» around the place, the kind, the sentence, and the fix.
ERRORS = (
    (
        "SELECT «diacetyl» FROM lab",
        "name",
        "There is no column called diacetyl. Did you mean diacetyl_ppb?",
        Fix("diacetyl", "diacetyl_ppb"),
    ),
    (
        "SELECT batch\nFROM lab\nWHERE «diacetil_ppb» > 200",
        "name",
        "There is no column called diacetil_ppb. Did you mean diacetyl_ppb?",
        Fix("diacetil_ppb", "diacetyl_ppb"),
    ),
    (
        "SELECT 'Zoë', «wheight» FROM lab",
        "name",
        "There is no column called wheight. Did you mean weight?",
        Fix("wheight", "weight"),
    ),
    (
        'SELECT «"Bath"» FROM lab',
        "name",
        "There is no column called Bath. Did you mean batch?",
        Fix('"Bath"', "batch"),
    ),
    (
        "SELECT l.«bach» FROM lab l",
        "name",
        "There is no column called bach. Did you mean batch?",
        Fix("bach", "batch"),
    ),
    (
        "SELECT «att» FROM lab",
        "name",
        "There is no column called att. Did you mean at?",
        Fix("att", '"at"'),
    ),
    ("SELECT «zzz» FROM lab", "name", "There is no column called zzz.", None),
    (
        "SELECT * FROM «lap»",
        "name",
        "There is no source called lap. Did you mean lab?",
        Fix("lap", "lab"),
    ),
    (
        "SELECT * FROM lab JOIN «customers» USING (batch)",
        "name",
        "There is no source called customers. There is lab.",
        None,
    ),
    (
        "WITH late AS (FROM lab) SELECT * FROM «lat»",
        "name",
        "There is no source called lat. Did you mean late?",
        Fix("lat", "late"),
    ),
    (
        'WITH "order" AS (FROM lab) SELECT * FROM «oder»',
        "name",
        "There is no source called oder. Did you mean order?",
        Fix("oder", '"order"'),
    ),
    (
        "SELECT «uper(client)» FROM lab",
        "name",
        "There is no function called uper. Did you mean upper?",
        Fix("uper", "upper"),
    ),
    (
        "«SELCT» * FROM lab",
        "syntax",
        "Did you mean SELECT instead of SELCT?",
        Fix("SELCT", "SELECT"),
    ),
    (
        "SELECT batch FROM lab\nWHERE batch > 3\n«gruop» BY batch",
        "syntax",
        "Did you mean GROUP instead of gruop?",
        Fix("gruop", "group"),
    ),
    (
        "SELECT batch, FROM lab «WHERE»",
        "syntax",
        "The query ends too early, or WHERE is too much.",
        None,
    ),
    (
        "SELECT batch batch «batch» FROM lab",
        "syntax",
        "The query can't be read from batch on: check what is before it.",
        None,
    ),
    ("SELECT «'open» FROM lab", "syntax", "The text that begins here has no end.", None),
    (
        "SELECT «client», count(*) FROM lab",
        "syntax",
        'Column "client" must appear in the GROUP BY clause or must be part of an aggregate '
        "function.",
        None,
    ),
    (
        "SELECT * FROM lab WHERE «client > 5»",
        "syntax",
        "Cannot compare values of type VARCHAR and type INTEGER - an explicit cast is required.",
        None,
    ),
    (
        "SELECT batch FROM lab WHERE diacetyl_ppb > «'high'»",
        "data",
        "Could not convert string 'high' to INT64.",
        None,
    ),
    (
        "SELECT 1;\n«DROP» VIEW lab",
        "refused",
        "Write one query: these are 2.",
        None,
    ),
    (
        "/* now */ «insert» INTO lab VALUES (1)",
        "refused",
        "A rule's query only reads, so it begins with SELECT, WITH or FROM: INSERT isn't allowed.",
        None,
    ),
    (
        "SELECT * FROM «read_csv('x.csv')»",
        "refused",
        "A rule reads sources, not files: add the file as a source instead of read_csv().",
        None,
    ),
    (
        "SELECT «current_setting('threads')»",
        "refused",
        "The function current_setting can't be used in a rule.",
        None,
    ),
)


@pytest.mark.parametrize("marked", [pytest.param(each, id=each[0]) for each in ERRORS])
async def test_error(marked: tuple[str, str, str, Fix | None], tmp_path: Path):
    text, kind, sentence, fix = marked
    query = text.replace("«", "").replace("»", "")
    before = text.split("«")[0]
    async with opened() as sandbox:
        error = await outcome(sandbox, query, lab_csv(tmp_path))
    assert isinstance(error, QueryError)
    assert (error.kind, str(error), error.fix) == (kind, sentence, fix)
    assert error.line == before.count("\n") + 1
    assert error.column == len(before.split("\n")[-1]) + 1


async def test_a_fix_makes_the_query_run(tmp_path: Path):
    lab = lab_csv(tmp_path)
    async with opened() as sandbox:
        for text, _, _, fix in ERRORS:
            if fix is None:
                continue
            before, rest = text.replace("»", "").split("«")
            fixed = before + rest.replace(fix.find, fix.replace, 1)
            found = await outcome(sandbox, fixed, lab)
            assert not isinstance(found, QueryError), f"{fixed}: {found}"


async def test_no_error_names_a_folder_of_the_machine(tmp_path: Path):
    lab = lab_csv(tmp_path)
    lab.files[0].write_text("a,b\n1,2\n3\n")
    async with opened() as sandbox:
        for query in ("FROM lab", "SELECT a FROM lab", "SELECT zzz FROM lab"):
            found = await outcome(sandbox, query, lab)
            assert str(tmp_path) not in str(found)
