"""sources.toml: which sources there are, and where their data come from.

    [tastings]
    file = "exports/tastings_*.csv"

    [batches]
    postgresql = "${SOURCE_LAB_URL}"
    query = "SELECT batch, beer, filled_at FROM batches"

One table a source. `file`, `url` (http, https or s3), `sqlite` or `postgresql` says where it is;
paths count from the file's own folder. https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import codecs
import difflib
import glob
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from rules.sources.names import problem_of
from rules.sources.references import REFERENCE
from rules.sources.source import (
    FORMAT_WORDS,
    WILDCARDS,
    Format,
    Kind,
    Source,
    SourcesFileError,
    format_of,
)

PLACES = ("file", "url", "sqlite", "postgresql")
ONLY_CSV = ("delimiter", "decimal", "date_format", "nulls", "encoding")
KEYS = (*PLACES, "query", "format", "label", "headers", "time_column", "types", *ONLY_CSV)
MOST_LABEL_CHARACTERS = 60
MOST_SOURCES = 500
# A type's name in DuckDB: https://duckdb.org/docs/stable/sql/data_types/overview
TYPE = re.compile(r"[A-Za-z][A-Za-z ]{1,30}(\(\d{1,2}(, ?\d{1,2})?\))?")
# Names of query parameters whose value is probably a secret.
SECRET_OPTION = re.compile(
    r"password|token|secret|credential|"
    # But nothing in ?author=, ?design= or ?signal= is secret.
    r"auth(?!or(?!i[sz]))|(?<!de)sig(?!n(?!ature|$))|^((api|access|auth)[_-]?)?key$",
    re.IGNORECASE,
)
# Headers whose value is probably a secret.
SECRET_HEADER = re.compile(r"auth|cookie|key|token|secret|password", re.IGNORECASE)


def read_sources(file: Path) -> dict[str, Source]:
    """Read sources.toml; no sources if there is no such file.

    Raises `SourcesFileError`: one sentence about the first thing that is wrong.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise SourcesFileError(f"{file.name} can't be read: it isn't UTF-8 text.") from None
    except OSError as error:
        reason = error.strerror or "no reason given"
        raise SourcesFileError(f"{file.name} can't be read: {reason}.") from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The text of the error ends in the place, such as (at line 3, column 5).
        raise SourcesFileError(f"{file.name} isn't valid TOML: {error}.") from None
    if len(tables) > MOST_SOURCES:
        raise SourcesFileError(f"{file.name} names more than {MOST_SOURCES} sources.")
    return {name: _Reader(file, text, name, table).source() for name, table in tables.items()}


class _Reader:
    """Reads the table of one source."""

    def __init__(self, file: Path, text: str, name: str, table: Any) -> None:
        self._file = file
        self._text = text
        self._name = name
        self._table: dict[str, Any] = table if isinstance(table, dict) else {}
        if not isinstance(table, dict):
            raise self._wrong("", f"is not a source: write [{name}] and its keys below it")

    def source(self) -> Source:
        if problem := problem_of(self._name):
            raise self._wrong("", problem)
        for key in self._table:
            if key not in KEYS:
                near = difflib.get_close_matches(key, KEYS, n=1)
                guess = f": did you mean {near[0]}" if near else ""
                raise self._wrong(key, f"is not a key of a source{guess}")
        given = [key for key in PLACES if key in self._table]
        if not given:
            raise self._wrong("", "doesn't say where its data are: add file, url, sqlite or "
                              "postgresql")  # fmt: skip
        if len(given) > 1:
            raise self._wrong(given[1], f"can't be there beside {given[0]}: a source has one place")
        kind, places = self._places(given[0])
        source = Source(
            name=self._name,
            kind=kind,
            format=self._format(kind, given[0], places),
            places=places,
            label=self._label(),
            query=self._query(kind),
            headers=self._headers(kind),
            time_column=self._string("time_column"),
            types=self._types(),
            delimiter=self._one_of_length("delimiter", 1),
            decimal=self._decimal(),
            date_format=self._date_format(),
            nulls=self._strings("nulls"),
            encoding=self._encoding(),
        )
        for key in ONLY_CSV:
            if key in self._table and (source.format != "csv" or kind in {"sqlite", "postgresql"}):
                raise self._wrong(key, "is only for CSV")
        return source

    def _places(self, key: str) -> tuple[Kind, tuple[str, ...]]:
        if key == "file":
            return "file", tuple(self._path(key, each) for each in self._paths(key))
        place = self._string(key)
        if not place:
            raise self._wrong(key, "is empty")
        if key == "sqlite":
            return "sqlite", (self._path(key, place),)
        parts = self._without_secrets(key, place)
        is_reference = REFERENCE.fullmatch(place) is not None
        if key == "postgresql":
            if not is_reference and parts.scheme not in {"postgresql", "postgres"}:
                raise self._wrong(key, "must be an address such as "
                                  "postgresql://reader@host/database, or ${NAME}")  # fmt: skip
            return "postgresql", (place,)
        if parts.scheme == "s3":
            if not parts.netloc or not parts.path.strip("/"):
                raise self._wrong(key, "must name a bucket and a key, such as s3://bucket/lab.csv, "
                                  "s3://bucket/exports/ or s3://bucket/exports/*.csv")  # fmt: skip
            return "s3", (place,)
        if not is_reference and (parts.scheme not in {"http", "https"} or not parts.netloc):
            raise self._wrong(key, "must start with https://, http:// or s3://")
        return "web", (place,)

    def _without_secrets(self, key: str, address: str) -> SplitResult:
        """Split an address; refuse one with a secret in it, in words that don't repeat it."""
        try:
            parts = urlsplit(address)
        except ValueError:
            raise self._wrong(key, "is not an address") from None
        login = parts.netloc.rpartition("@")[0]
        is_web = parts.scheme in {"http", "https"}
        given = [login if is_web else login.partition(":")[2]]
        given += [value for name, value in parse_qsl(parts.query) if SECRET_OPTION.search(name)]
        if any(each and not REFERENCE.search(each) for each in given):
            raise self._wrong(
                key,
                "holds a password or token: put it into an environment variable and write ${NAME} "
                "in its place",
            )
        return parts

    def _paths(self, key: str) -> tuple[str, ...]:
        paths = (self._table[key],) if isinstance(self._table[key], str) else self._strings(key)
        if not paths or not all(each.strip() for each in paths):
            raise self._wrong(key, "is empty: give a path, such as exports/*.csv")
        return paths

    def _path(self, key: str, path: str) -> str:
        if "\0" in path:
            raise self._wrong(key, "is not a path")
        if path.startswith("${"):
            return path
        folder = str(self._file.absolute().parent)
        if any(each in path for each in WILDCARDS):
            folder = glob.escape(folder)
        # Not `Path.expanduser`, which raises if there is no home.
        return str(Path(folder) / os.path.expanduser(path))

    def _format(self, kind: Kind, key: str, places: tuple[str, ...]) -> Format:
        if kind in {"sqlite", "postgresql"}:
            if "format" in self._table:
                raise self._wrong("format", f"can't be there beside {kind}")
            return "csv"
        given = self._string("format").lower()
        if given in FORMAT_WORDS:
            return given  # type: ignore[return-value]
        if given:
            raise self._wrong("format", "must be csv, parquet or json")
        told = {format_of(each) for each in places}
        if len(told) == 1 and (found := told.pop()):
            return found
        raise self._wrong(key, "doesn't tell by its ending what it is: add "
                          'format = "csv", "parquet" or "json"')  # fmt: skip

    def _query(self, kind: Kind) -> str:
        query = self._string("query").rstrip("; \n\t")
        if kind in {"sqlite", "postgresql"}:
            if not query:
                raise self._wrong("query", f'is missing: add query = "SELECT …" for {kind}')
            return query
        if "query" in self._table:
            raise self._wrong("query", "is only for sqlite and postgresql")
        return ""

    def _headers(self, kind: Kind) -> Mapping[str, str]:
        headers = self._named_strings("headers")
        if headers and kind != "web":
            raise self._wrong("headers", "is only for a url of http or https")
        for name, value in headers.items():
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or re.search(r"[\r\n\0]", value):
                raise self._wrong("headers", "holds something that isn't an HTTP header")
            if SECRET_HEADER.search(name) and not REFERENCE.search(value):
                raise self._wrong("headers", f"holds the value of {name}: put it into an "
                                  "environment variable and write ${NAME} instead")  # fmt: skip
        return headers

    def _types(self) -> Mapping[str, str]:
        types = self._named_strings("types")
        for column, type_ in types.items():
            if not TYPE.fullmatch(type_):
                raise self._wrong("types", f"has no type of DuckDB for {column}: write BIGINT, "
                                  "DOUBLE, DECIMAL(9,2), VARCHAR, DATE, TIMESTAMP …")  # fmt: skip
        return {column: type_.upper() for column, type_ in types.items()}

    def _label(self) -> str:
        label = self._string("label").strip()
        if len(label) > MOST_LABEL_CHARACTERS or not label.isprintable():
            raise self._wrong("label", f"must be one line of {MOST_LABEL_CHARACTERS} characters "
                              "at most")  # fmt: skip
        return label

    def _decimal(self) -> str:
        decimal = self._one_of_length("decimal", 1)
        if decimal not in {"", ".", ","}:
            raise self._wrong("decimal", 'must be "." or ","')
        return decimal

    def _date_format(self) -> str:
        text = self._string("date_format")
        if text and not re.search("%[YyDdmb]", text):
            raise self._wrong("date_format", 'must look like "%d/%m/%Y" or "%m/%d/%Y"')
        return text

    def _encoding(self) -> str:
        name = self._string("encoding")
        try:
            return name and codecs.lookup(name).name
        except LookupError:
            raise self._wrong("encoding", "must be one such as utf-8, latin-1 or utf-16") from None

    def _one_of_length(self, key: str, length: int) -> str:
        text = self._string(key)
        if text and (len(text) != length or text in '"\r\n'):
            raise self._wrong(key, 'must be one character, such as ";"')
        return text

    def _string(self, key: str) -> str:
        value = self._table.get(key, "")
        if not isinstance(value, str):
            raise self._wrong(key, "must be a text in quotation marks")
        return value

    def _strings(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._wrong(key, 'must be a list of texts, such as ["N/A", "-"]')
        return tuple(value)

    def _named_strings(self, key: str) -> dict[str, str]:
        value = self._table.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise self._wrong(key, 'must be names with texts, such as { batch = "VARCHAR" }')
        return value

    def _wrong(self, key: str, problem: str) -> SourcesFileError:
        line = _line_of(self._text, self._name, key)
        where = f"{self._file.name}, line {line}" if line else self._file.name
        what = f"{key} of [{self._name}]" if key else f"[{self._name}]"
        return SourcesFileError(f"{where}: {what} {problem}.")


def _line_of(text: str, name: str, key: str) -> int | None:
    """Return the line, from 1, at which a source or a key of it is written; None if it can't be
    told."""
    within = False
    found = None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*\"?([^\]\".]*)\"?", line):
            within = header[1].strip() == name
            if within and found is None:
                found = number
        if (not key and re.match(rf"\s*{re.escape(name)}\s*=", line) and not within) or (
            key and within and re.match(rf"\s*\[?.*\b{re.escape(key)}\"?\s*[=.\]]", line)
        ):
            return number
    return found
