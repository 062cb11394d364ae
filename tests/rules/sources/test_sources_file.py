"""sources.toml: what it can say, and one sentence for everything that is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.sources import Source, SourcesFileError
from rules.sources.sources_file import read_sources


def read(folder: Path, toml: str) -> dict[str, Source]:
    file = folder / "sources.toml"
    file.write_text(toml, encoding="utf-8")
    return read_sources(file)


def test_no_file_is_no_sources(tmp_path: Path):
    assert read_sources(tmp_path / "sources.toml") == {}


@pytest.mark.parametrize(
    ("toml", "kind", "words"),
    [
        ('file = "coffee.parquet"', "file", "coffee.parquet"),
        ('file = "exports/*.csv"', "file", "exports/*.csv"),
        ('file = ["one.csv", "two.csv", "more/*.csv"]', "file", "one.csv and 2 more"),
        ('file = "lots.csv"\nlabel = "Roastery"', "file", "Roastery, CSV"),
        ('file = "lots.dat"\nformat = "json"', "file", "lots.dat"),
        ('url = "https://lab.example.com/a/lots.csv?x=1"', "web", "CSV from lab.example.com"),
        (
            'url = "https://docs.google.com/pub?output=csv"\nformat = "csv"\nlabel = "Penn & Pine"',
            "web",
            "Penn & Pine, CSV from the web",
        ),
        (
            'url = "https://lab.example.com/lots.csv?author=ben&design=3&signal=1"',
            "web",
            "CSV from lab.example.com",
        ),
        ('url = "${SOURCE_LOTS}"\nformat = "parquet"', "web", "Parquet from the web"),
        ('url = "s3://lab/line_checks.csv"', "s3", "CSV on S3"),
        ('url = "s3://lab/exports/"\nformat = "parquet"', "s3", "Parquet on S3"),
        ('sqlite = "runs/model.sqlite"\nquery = "SELECT 1"', "sqlite", "model.sqlite, SQLite"),
        (
            'sqlite = "model.sqlite"\nquery = "SELECT 1"\nlabel = "model runs"',
            "sqlite",
            "model runs, SQLite",
        ),
        (
            'postgresql = "${SOURCE_LAB_URL}"\nquery = "SELECT 1;"\nlabel = "lab"',
            "postgresql",
            "lab, PostgreSQL",
        ),
        (
            'postgresql = "postgresql://reader:${SOURCE_PW}@one,two:54/lab"\nquery = "SELECT 1"',
            "postgresql",
            "PostgreSQL",
        ),
    ],
)
def test_each_kind_and_its_words(tmp_path: Path, toml: str, kind: str, words: str):
    source = read(tmp_path, f"[lab]\n{toml}\n")["lab"]

    assert (source.kind, source.described) == (kind, words)
    assert not source.query.endswith(";")


def test_paths_count_from_the_file(tmp_path: Path):
    found = read(tmp_path, '[lab]\nfile = ["a.csv", "/srv/b.csv", "${DATA_DIR}/c.csv"]\n')["lab"]

    assert found.places == (str(tmp_path / "a.csv"), "/srv/b.csv", "${DATA_DIR}/c.csv")


FILE = 'file = "a.csv"'


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[lab\n", "sources.toml isn't valid TOML: Expected"),
        ("\n\n[lab]\nfile = \n", "line 4"),
        ("[lab]\nfile = 'a.csv'\n[lab]\n", "sources.toml isn't valid TOML: Cannot declare"),
        ("lab = 7", "sources.toml, line 1: [lab] is not a source"),
        ("[Lab]\n" + FILE, "[Lab] needs a name of small letters"),
        ("[select]\n" + FILE, "[select] needs another name: that one is a word of SQL"),
        (f"[{'x' * 61}]\n" + FILE, "needs a name of 60 characters at most"),
        ("\n[lab]\nlabel = 'x'", "line 2: [lab] doesn't say where its data are"),
        (
            f"[a]\n{FILE}\n\n[lab]\n{FILE}\nfil = 'x'",
            "line 6: fil of [lab] is not a key of a source: did you mean file",
        ),
        (
            f"[lab]\n{FILE}\nurl = 'https://x.com/a.csv'",
            "line 3: url of [lab] can't be there beside file",
        ),
        ("[lab]\nfile = 7", "file of [lab] must be a list of texts"),
        ("[lab]\nfile = []", "file of [lab] is empty"),
        ("[lab]\nfile = 'lots'", "file of [lab] doesn't tell by its ending what it is"),
        ("[lab]\nfile = ['a.csv', 'b.json']", "doesn't tell by its ending what it is"),
        ("[lab]\nfile = 'a.parquet.gz'", "doesn't tell by its ending what it is"),
        (f"[lab]\n{FILE}\nformat = 'xlsx'", "format of [lab] must be csv, parquet or json"),
        ("[lab]\nurl = 'ftp://x.com/a.csv'", "url of [lab] must start with https://"),
        ("[lab]\nurl = 'https://[x/a.csv'", "url of [lab] is not an address"),
        ("[lab]\nurl = 's3://bucket'", "url of [lab] must name a bucket and a key"),
        ("[lab]\nsqlite = 'a.sqlite'", "query of [lab] is missing"),
        ("[lab]\nsqlite = 'a.sqlite'\nquery = ' ; '", "query of [lab] is missing"),
        (f"[lab]\n{FILE}\nquery = 'SELECT 1'", "query of [lab] is only for sqlite and postgresql"),
        (
            "[lab]\npostgresql = 'lab'\nquery = 'SELECT 1'",
            "must be an address such as postgresql://",
        ),
        (f"[lab]\n{FILE}\nheaders = {{ Accept = 'x' }}", "headers of [lab] is only for a url"),
        (
            "[lab]\nurl = 'https://x.com/a.csv'\nheaders = { 'A b' = 'x' }",
            "holds something that isn't an HTTP header",
        ),
        (f"[lab]\n{FILE}\ntypes = {{ a = 'BIGINT; DROP' }}", "has no type of DuckDB for a"),
        (f"[lab]\n{FILE}\ntypes = 'BIGINT'", "types of [lab] must be names with texts"),
        (f"[lab]\n{FILE}\ndelimiter = ';;'", "delimiter of [lab] must be one character"),
        (f"[lab]\n{FILE}\ndecimal = ';'", "decimal of [lab] must be"),
        (f"[lab]\n{FILE}\ndate_format = 'dd/mm/yyyy'", "date_format of [lab] must look like"),
        (f"[lab]\n{FILE}\nencoding = 'latin-99'", "encoding of [lab] must be one such as utf-8"),
        (f"[lab]\n{FILE}\nnulls = 'N/A'", "nulls of [lab] must be a list of texts"),
        (f"[lab]\n{FILE}\nlabel = '{'x' * 61}'", "label of [lab] must be one line of 60"),
        ("[lab]\nfile = 'a.json'\ndelimiter = ';'", "delimiter of [lab] is only for CSV"),
        (
            "[lab]\nsqlite = 'a'\nquery = 'SELECT 1'\ndecimal = ','",
            "decimal of [lab] is only for CSV",
        ),
        (
            "[lab]\nsqlite = 'a'\nquery = 'SELECT 1'\nformat = 'csv'",
            "format of [lab] can't be there",
        ),
    ],
)
def test_one_sentence_names_file_source_key_and_line(tmp_path: Path, toml: str, sentence: str):
    with pytest.raises(SourcesFileError) as raised:
        read(tmp_path, toml)

    said = str(raised.value)
    assert sentence in said
    assert said.startswith("sources.toml")
    assert said.endswith(".")
    assert "\n" not in said


@pytest.mark.parametrize(
    "toml",
    [
        "postgresql = 'postgresql://reader:hunter2@host/lab'\nquery = 'SELECT 1'",
        "postgresql = 'postgresql://host/lab?password=hunter2'\nquery = 'SELECT 1'",
        "url = 'https://reader:hunter2@host/lab.csv'",
        "url = 'https://hunter2@host/lab.csv'",
        "url = 'https://host/lab.csv?access_token=hunter2'",
        "url = 'https://host/lab.csv?X-Amz-Credential=hunter2'",
        "url = 'https://host/lab.csv?X-Amz-Signature=hunter2'",
        "url = 'https://host/lab.csv?sv=2024-11-04&sig=hunter2'",
        "url = 'https://host/lab.csv?auth_code=hunter2'",
        "url = 'https://host/lab.csv?apikey=hunter2'",
        "url = 'https://host/lab.csv?api-key=hunter2'",
        "url = 'https://host/lab.csv'\nheaders = { Authorization = 'Bearer hunter2' }",
        "url = 'https://host/lab.csv'\nheaders = { X-Api-Key = 'hunter2' }",
    ],
)
def test_a_secret_is_refused_and_not_repeated(tmp_path: Path, toml: str):
    with pytest.raises(SourcesFileError, match="environment variable") as raised:
        read(tmp_path, f"[lab]\n{toml}\n")

    assert "hunter2" not in str(raised.value)


def test_a_file_that_is_no_text(tmp_path: Path):
    (tmp_path / "sources.toml").write_bytes(b"[l\xff]")
    with pytest.raises(SourcesFileError, match="it isn't UTF-8 text"):
        read_sources(tmp_path / "sources.toml")


def test_a_byte_order_mark_is_fine(tmp_path: Path):
    (tmp_path / "sources.toml").write_bytes(b"\xef\xbb\xbf[lab]\nfile = 'a.csv'\n")
    assert list(read_sources(tmp_path / "sources.toml")) == ["lab"]
