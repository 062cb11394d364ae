"""Source: a named table of data that rules can watch, as sources.toml or an upload defines it.

Fetching it makes `Fetched` files, and a `Snapshot` once their columns are known; or it raises
`SourceError`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from rules.sandbox import Column, Table
from settings import SettingsError

Kind = Literal["file", "web", "s3", "sqlite", "postgresql", "upload"]
Format = Literal["csv", "parquet", "json"]
FORMAT_WORDS: Mapping[Format, str] = {"csv": "CSV", "parquet": "Parquet", "json": "JSON"}
FORMAT_OF_ENDING: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".json": "json",
    ".ndjson": "json",
    ".jsonl": "json",
}
WILDCARDS = "*?["


class SourceError(Exception):
    """The data of a source can't be used now; a check that needs them changes nothing.

    `name` is the source's, `str()` one sentence for people: what is wrong and what to do. It holds
    no password, token or address with one.
    """

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


class SourcesFileError(SettingsError):
    """sources.toml is wrong. The text is one sentence with the file, line, source and key."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a source's data are and how they are read.

    `places` are absolute paths or patterns (file), one address (web, S3, PostgreSQL) or the path of
    one database (SQLite); they and `headers` hold `${NAME}` where a secret belongs. `query` is the
    one that a database is asked. `types` are DuckDB's types by column, for columns whose type
    shouldn't be guessed. `delimiter`, `decimal`, `date_format`, `nulls` and `encoding` are for CSV;
    with "" or () they are detected. `time_column` says when a row was made.
    """

    name: str
    kind: Kind
    format: Format
    places: tuple[str, ...]
    label: str = ""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    time_column: str = ""
    types: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ""
    decimal: str = ""
    date_format: str = ""
    nulls: tuple[str, ...] = ()
    encoding: str = ""

    @property
    def described(self) -> str:
        """What the source is, in a few words: "lab, PostgreSQL", "CSV on S3", "coffee.parquet"."""
        if self.label:
            return f"{self.label}, {self._kind_words}"
        if self.kind == "file":
            return self._file_words
        if self.kind == "upload":
            return f"{self.places[0]}, uploaded"
        if self.kind == "sqlite":
            return f"{Path(self.places[0]).name}, SQLite"
        if self.kind == "web" and (host := _host_of(self.places[0])):
            return f"{FORMAT_WORDS[self.format]} from {host}"
        return self._kind_words

    @property
    def digest(self) -> str:
        """A digest of everything that determines the columns and how they are read."""
        what = (
            self.kind, self.format, self.query, sorted(self.types.items()), self.delimiter,
            # The same data may be uploaded under another file name.
            () if self.kind == "upload" else self.places,
            self.decimal, self.date_format, self.nulls, self.encoding,
        )  # fmt: skip
        return hashlib.sha256(repr(what).encode()).hexdigest()[:16]

    @property
    def _kind_words(self) -> str:
        words = FORMAT_WORDS[self.format]
        return {
            "file": words,
            "web": f"{words} from the web",
            "s3": f"{words} on S3",
            "sqlite": "SQLite",
            "postgresql": "PostgreSQL",
            "upload": f"uploaded {words}",
        }[self.kind]

    @property
    def _file_words(self) -> str:
        first = Path(self.places[0])
        if any(each in first.name for each in WILDCARDS):
            return f"{first.parent.name}/{first.name}"
        more = len(self.places) - 1
        return first.name + (f" and {more} more" if more else "")


def format_of(place: str) -> Format | None:
    """Return the format that a path or an address ends in, None if it names none."""
    # In a pattern of S3, a ? stands for a character.
    is_web = place.startswith(("http://", "https://"))
    path = (urlsplit(place).path if is_web else place).lower()
    found = FORMAT_OF_ENDING.get(PurePosixPath(path.removesuffix(".gz")).suffix)
    # Parquet files are compressed inside, so .parquet.gz isn't one.
    return None if found == "parquet" and path.endswith(".gz") else found


def _host_of(address: str) -> str:
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""
    return "" if "$" in host else host


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells versions of a file apart without reading it."""

    path: Path
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A source's data at one moment, for a query to read.

    `fingerprint` stays the same only while the data and the way they are read do. `newest_at` is
    when the newest of its files was written, None if that isn't known. `stamps` are those of files
    that others may change while they are read; see `Sources.confirm`.
    """

    table: Table
    fingerprint: str
    newest_at: datetime | None
    stamps: tuple[Stamp, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """The local files of a source, before their columns are known.

    `names` are what people know the files by, if that isn't the end of their path. `columns` are
    set if the origin knows the types. `is_ours` says that these files don't change any more.
    """

    files: tuple[Path, ...]
    fingerprint: str
    newest_at: datetime | None
    is_ours: bool
    names: tuple[str, ...] = ()
    stamps: tuple[Stamp, ...] = ()
    columns: tuple[Column, ...] = ()
    options: Mapping[str, str | bool] = field(default_factory=dict)

    def name_of(self, path: Path) -> str:
        """Return what people know a file by."""
        return dict(zip(self.files, self.names, strict=False)).get(path, path.name)
