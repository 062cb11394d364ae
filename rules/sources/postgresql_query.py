"""Sources in PostgreSQL: a query's rows, copied to a local CSV with their types.

It takes one read-only transaction with its own limits and leaves nothing behind, so PgBouncer may
be in between, pooling sessions or transactions.
https://www.postgresql.org/docs/current/sql-copy.html
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rules.sandbox import Column
from rules.sources.kept_files import Kept, KeptFiles
from rules.sources.references import References
from rules.sources.source import Fetched, Source, SourceError
from rules.sources.sqlite_query import NULL, WRITTEN_CSV, check_distinct

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)

CONNECT_SECONDS = 10
CANCEL_SECONDS = 2
MOST_SECONDS = 60
MOST_BYTES = 2_000_000_000
FILE = "rows"
# Limits of the transaction alone: a pooler can't hand them to another program. Dates come as
# ISO 8601 and times in UTC, however the server and the role are set up.
LIMITS = (
    "SELECT set_config('statement_timeout', '60s', true),"
    " set_config('lock_timeout', '10s', true),"
    " set_config('idle_in_transaction_session_timeout', '60s', true),"
    " set_config('datestyle', 'ISO', true),"
    " set_config('timezone', 'UTC', true),"
    " set_config('extra_float_digits', '1', true)"
)
# DuckDB's types by PostgreSQL's; all others are read as text.
# https://duckdb.org/docs/stable/sql/data_types/overview
TYPES = {
    "bool": "BOOLEAN",
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "oid": "BIGINT",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "uuid": "UUID",
}
MOST_DECIMAL_DIGITS = 38


class RunningQueries:
    """The connections that are asking a database right now; from any thread."""

    def __init__(self) -> None:
        self._connections: set[psycopg.Connection] = set()
        self._lock = threading.Lock()

    @contextmanager
    def running(self, connection: psycopg.Connection) -> Iterator[None]:
        """Let `cancel` cancel this connection's query while the block lasts."""
        with self._lock:
            self._connections.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)

    def cancel(self) -> None:
        """Cancel all queries, because Python doesn't exit before the threads that wait for them."""
        import psycopg  # noqa: PLC0415

        with self._lock:
            connections = list(self._connections)
        for each in connections:
            try:
                each.cancel_safe(timeout=CANCEL_SECONDS)
            except psycopg.Error as error:
                # It ended meanwhile, or its limits will end it.
                log.info("A query couldn't be canceled: %s", type(error).__name__)


def fetch_postgresql(
    source: Source, references: References, kept_files: KeptFiles, queries: RunningQueries
) -> Fetched:
    """Fetch the rows of the query, which `queries` can cancel. Raises `SourceError`."""
    # Importing psycopg takes 100 ms, which the start of an app should not wait for.
    import psycopg  # noqa: PLC0415

    address = references.fill_in(source.name, source.places[0], in_url=True)
    secrets = references.secrets(*source.places)
    with _explained(source, secrets):
        if not address.startswith(("postgresql://", "postgres://")):
            raise SourceError(
                source.name,
                f"{source.name} can't be queried: its address must start with postgresql://.",
            )
        options = _options(psycopg, source, address)
        with (
            psycopg.connect(**options, prepare_threshold=None) as connection,
            queries.running(connection),
        ):
            connection.read_only = True
            connection.execute(LIMITS)
            # The query is the administrator's own, and nothing here may write.
            typed = f"SELECT * FROM ({source.query}\n) AS callboard_source LIMIT 0"  # noqa: S608
            found = connection.execute(typed.encode())
            columns = [_column(connection, each) for each in found.description or ()]
            check_distinct(source, [each.name for each in columns])
            with kept_files.writing(".csv") as to:
                digest = _copy(source, connection, columns, to)
                about = {"columns": [[each.name, each.type] for each in columns]}
                before = kept_files.current()
                if before and before.fingerprint == digest:
                    to.unlink()
                    return _fetched(kept_files.publish(before.files, digest, about))
                return _fetched(kept_files.publish({FILE: to}, digest, about))


def _fetched(kept: Kept) -> Fetched:
    return Fetched(
        tuple(kept.files.values()),
        kept.fingerprint,
        kept.changed_at,
        is_ours=True,
        names=("its query",),
        columns=tuple(Column(*each) for each in kept.about["columns"]),
        options=WRITTEN_CSV,
    )


def _options(psycopg: Any, source: Source, address: str) -> dict[str, Any]:
    try:
        options: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(address)
    except psycopg.Error:
        # libpq's own text may quote the address with its password.
        raise SourceError(
            source.name,
            f"{source.name} can't be queried: its address must look like "
            "postgresql://user:password@host/database, with special characters in the password "
            "written as %XX.",
        ) from None
    ours = {"connect_timeout": CONNECT_SECONDS, "application_name": "callboard"}
    return ours | options | {"client_encoding": "utf8"}


def _column(connection: psycopg.Connection, column: psycopg.Column) -> Column:
    info = connection.adapters.types.get(column.type_code)
    name = info.name if info else ""
    if name == "numeric":
        precision, scale = column.precision, column.scale
        fits = precision is not None and scale is not None and 0 <= scale <= precision
        if fits and precision is not None and precision <= MOST_DECIMAL_DIGITS:
            return Column(column.name, f"DECIMAL({precision},{scale})")
        return Column(column.name, "DOUBLE")
    return Column(column.name, TYPES.get(name, "VARCHAR"))


def _copy(source: Source, connection: psycopg.Connection, columns: list[Column], to: Path) -> str:
    """Copy the query's rows to a file and return their print."""
    digest = hashlib.sha256()
    size = 0
    until = time.monotonic() + MOST_SECONDS
    options = f"FORMAT csv, HEADER true, NULL '{NULL}'"
    statement = f"COPY ({source.query}\n) TO STDOUT WITH ({options})".encode()
    with to.open("wb") as file, connection.cursor().copy(statement) as rows:
        for block in rows:
            size += len(block)
            if size > MOST_BYTES:
                raise SourceError(
                    source.name,
                    f"{source.name} can't be used: its query finds more than "
                    f"{MOST_BYTES // 1_000_000_000} GB. Let it find fewer rows.",
                )
            if time.monotonic() > until:
                raise SourceError(source.name, _too_slow(source))
            digest.update(block)
            file.write(block)
    # The types are part of the data: with others, the same rows mean something else.
    digest.update(repr(columns).encode())
    return digest.hexdigest()[:32]


@contextmanager
def _explained(source: Source, secrets: list[str]) -> Iterator[None]:
    """Turn PostgreSQL's errors into one sentence without a password."""
    import psycopg  # noqa: PLC0415

    try:
        yield
    except psycopg.errors.QueryCanceled:
        raise SourceError(source.name, _too_slow(source)) from None
    except psycopg.errors.ReadOnlySqlTransaction:
        raise SourceError(
            source.name, f"{source.name} can't be queried: its query must only read."
        ) from None
    except psycopg.Error as error:
        # Of what libpq says by itself, the other lines are questions and guesses.
        text = error.diag.message_primary or (str(error).strip().splitlines() or ["no reason"])[0]
        for each in secrets:
            text = text.replace(each, "***")
        raise SourceError(
            source.name, f"{source.name} can't be queried: PostgreSQL: {text.rstrip('. ')}."
        ) from None


def _too_slow(source: Source) -> str:
    return (
        f"{source.name} can't be queried: its query takes longer than {MOST_SECONDS} s. Let it "
        "look at fewer rows, or add an index."
    )
