"""Sources in SQLite: a query's rows, written to a local CSV with known types.

The database is opened read-only, by Python's own module. https://www.sqlite.org/uri.html
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from rules.sandbox import Column
from rules.sources.kept_files import Kept, KeptFiles
from rules.sources.local_files import fingerprint_of, newest_of, stamps_of_files
from rules.sources.source import Fetched, Source, SourceError

MOST_SECONDS = 60
WAIT_FOR_WRITER_SECONDS = 10
MOST_BYTES = 2_000_000_000
MOST_ROWS = 5_000_000
ROWS_AT_ONCE = 1_000
STEPS_BETWEEN_LOOKS_AT_THE_CLOCK = 10_000
FILE = "rows"
# Written for NULL, because an empty field is an empty text.
NULL = r"\N"
WRITTEN_CSV: Mapping[str, str | bool] = {
    "header": True, "delimiter": ",", "quote": '"', "escape": '"', "comment": "", "nullstr": NULL
}  # fmt: skip
# Queries whose answer may differ though the database is the same.
# https://www.sqlite.org/lang_datefunc.html
ASKS_THE_CLOCK = re.compile(
    r"\b(now|current_\w+|random|date|time|datetime|julianday|unixepoch|strftime|timediff)\b",
    re.IGNORECASE,
)
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?")
ZONED = re.compile(TIMESTAMP.pattern + r"( ?Z|[+-]\d{2}:?\d{2})")


def fetch_sqlite(source: Source, path: str, kept_files: KeptFiles) -> Fetched:
    """Ask the database at `path`, unless neither it nor the query has changed.

    Raises `SourceError`.
    """
    # The last writes may still be in the write-ahead log beside the database.
    files = [Path(path), Path(f"{path}-wal")]
    stamps = stamps_of_files(source, [each for each in files if each == files[0] or each.exists()])
    asked = hashlib.sha256(repr((source.query, fingerprint_of(stamps))).encode()).hexdigest()
    kept = kept_files.current()
    newest_at = newest_of(stamps)
    if kept and kept.about.get("asked") == asked and not ASKS_THE_CLOCK.search(source.query):
        return _fetched(kept, newest_at)
    with _explained(source, Path(path)), closing(_opened(path)) as connection:
        until = time.monotonic() + MOST_SECONDS
        connection.set_progress_handler(
            lambda: time.monotonic() > until, STEPS_BETWEEN_LOOKS_AT_THE_CLOCK
        )
        declared = _declared(connection, source.query)
        cursor = connection.execute(source.query)
        names = _names(source, cursor)
        with kept_files.writing(".csv") as to:
            columns = [_Seen(declared.get(name, "")) for name in names]
            digest = _write(source, cursor, names, columns, to)
            about = {
                "asked": asked,
                "columns": [[name, each.type] for name, each in zip(names, columns, strict=True)],
            }
            if kept and kept.fingerprint == digest:
                to.unlink()
                return _fetched(kept_files.publish(kept.files, digest, about), newest_at)
            return _fetched(kept_files.publish({FILE: to}, digest, about), newest_at)


def _fetched(kept: Kept, newest_at: object) -> Fetched:
    return Fetched(
        tuple(kept.files.values()),
        kept.fingerprint,
        newest_at,  # type: ignore[arg-type]
        is_ours=True,
        names=("its query",),
        columns=tuple(Column(*each) for each in kept.about["columns"]),
        options=WRITTEN_CSV,
    )


def _opened(path: str) -> sqlite3.Connection:
    # Quoted, because ? and # would end the path: https://www.sqlite.org/uri.html
    address = f"file:{quote(path)}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=WAIT_FOR_WRITER_SECONDS)
    connection.set_authorizer(_permit)
    return connection


def _permit(action: int, *_: object) -> int:
    """Refuse ATTACH and VACUUM INTO, which write other files although this one is read-only.

    https://www.sqlite.org/c3ref/set_authorizer.html
    """
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK


def _declared(connection: sqlite3.Connection, query: str) -> dict[str, str]:
    """Return the types that the columns of a query were declared with, "" for expressions."""
    try:
        connection.execute(f"CREATE TEMP VIEW callboard_source AS {query}")
        rows = connection.execute("PRAGMA temp.table_info(callboard_source)").fetchall()
        connection.execute("DROP VIEW temp.callboard_source")
    except sqlite3.Error:
        # Some queries can't be a view. If this one can't be run at all, running it will say so.
        return {}
    return {row[1]: row[2].upper() for row in rows}


def _names(source: Source, cursor: sqlite3.Cursor) -> list[str]:
    if cursor.description is None:
        raise SourceError(
            source.name, f"{source.name} can't be queried: its query must be a SELECT."
        )
    names = [each[0] for each in cursor.description]
    check_distinct(source, names)
    return names


def check_distinct(source: Source, names: Sequence[str]) -> None:
    """Raise `SourceError` if two columns of a query have the same name."""
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise SourceError(
                source.name,
                f"{source.name} can't be used: two columns of its query are called {name}. Give "
                "one another name with AS.",
            )
        seen.add(name.casefold())


@dataclass(slots=True)
class _Seen:
    """The kinds of values seen in a column: in SQLite any column can hold any of them."""

    declared: str
    has_integer: bool = False
    has_float: bool = False
    has_text: bool = False
    is_boolean: bool = True
    is_date: bool = True
    is_timestamp: bool = True
    is_zoned: bool = True

    def written(self, value: object) -> str:
        """Note a value and return it as CSV."""
        if isinstance(value, int):
            self.has_integer = True
            self.is_boolean = self.is_boolean and value in {0, 1}
            return str(value)
        if isinstance(value, float):
            self.has_float = True
            return repr(value)
        text = str(value)
        self.has_text = True
        self.is_date = self.is_date and DATE.fullmatch(text) is not None
        self.is_timestamp = self.is_timestamp and (
            DATE.fullmatch(text) or TIMESTAMP.fullmatch(text)
        ) is not None  # fmt: skip
        self.is_zoned = self.is_zoned and ZONED.fullmatch(text) is not None
        return '"' + text.replace('"', '""') + '"'

    @property
    def type(self) -> str:
        """DuckDB's name of the type; "" if it isn't known."""
        if self.has_text:
            if self.has_integer or self.has_float:
                return "VARCHAR"
            kinds = ((self.is_date, "DATE"), (self.is_timestamp, "TIMESTAMP"))
            zoned = (self.is_zoned, "TIMESTAMP WITH TIME ZONE")
            return next((name for is_so, name in (*kinds, zoned) if is_so), "VARCHAR")
        if self.has_float:
            return "DOUBLE"
        if self.has_integer:
            if "BOOL" in self.declared and self.is_boolean:
                return "BOOLEAN"
            return "DOUBLE" if self._is_declared_inexact else "BIGINT"
        return self._declared_type

    @property
    def _is_declared_inexact(self) -> bool:
        return any(each in self.declared for each in ("REAL", "FLOA", "DOUB", "DEC", "NUM"))

    @property
    def _declared_type(self) -> str:
        if "BOOL" in self.declared:
            return "BOOLEAN"
        # https://www.sqlite.org/datatype3.html#determination_of_column_affinity
        if "INT" in self.declared:
            return "BIGINT"
        if any(each in self.declared for each in ("CHAR", "CLOB", "TEXT")):
            return "VARCHAR"
        return "DOUBLE" if self._is_declared_inexact else ""


def _write(
    source: Source, cursor: sqlite3.Cursor, names: Sequence[str], columns: list[_Seen], to: Path
) -> str:
    """Write the header and all rows as CSV; return their print."""
    digest = hashlib.sha256()
    count = size = 0
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names) + "\n"
    with to.open("wb") as file:
        size += _write_block(file, digest, header)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            count += len(rows)
            lines = []
            for row in rows:
                if any(isinstance(value, bytes) for value in row):
                    at = next(at for at, value in enumerate(row) if isinstance(value, bytes))
                    raise SourceError(
                        source.name,
                        f"{source.name} can't be used: {names[at]} holds bytes (a BLOB). Leave it "
                        "out of the query, or write hex() around it.",
                    )
                lines.append(
                    ",".join(
                        NULL if value is None else column.written(value)
                        for value, column in zip(row, columns, strict=True)
                    )
                )
            size += _write_block(file, digest, "\n".join(lines) + "\n")
            if count > MOST_ROWS or size > MOST_BYTES:
                raise SourceError(
                    source.name,
                    f"{source.name} can't be used: its query finds more than {MOST_ROWS:,} rows or "
                    f"{MOST_BYTES // 1_000_000_000} GB. Let it find fewer.",
                )
    return digest.hexdigest()[:32]


def _write_block(file: IO[bytes], digest: hashlib._Hash, text: str) -> int:
    block = text.encode("utf-8", "replace")
    digest.update(block)
    return file.write(block)


@contextmanager
def _explained(source: Source, path: Path) -> Iterator[None]:
    """Turn SQLite's errors into one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT:
            problem = f"its query takes longer than {MOST_SECONDS} s. Let it look at fewer rows"
        elif code == sqlite3.SQLITE_NOTADB:
            problem = f"{path.name} isn't an SQLite database"
        elif code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            problem = f"{path.name} is locked by a program that writes to it. This passes"
        elif code == sqlite3.SQLITE_CANTOPEN:
            problem = (
                f"{path.name} can't be opened. Check that this program may read it, and write to "
                "its folder if the database is in WAL mode"
            )
        elif code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH}:
            problem = "its query must be a SELECT: the database is opened read-only"
        else:
            problem = f"{path.name}: {error}"
        raise SourceError(source.name, f"{source.name} can't be queried: {problem}.") from None
    except UnicodeError:
        raise SourceError(
            source.name, f"{source.name} can't be used: {path.name} holds text that isn't UTF-8."
        ) from None
