"""An empty DuckDB in memory, and the settings that allow it only to read some files.

https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from rules.sandbox.quoting import text

# DuckDB's own limit. The process may use more, for memory that DuckDB doesn't count.
MEMORY = "512MB"
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": "1",
    "async_threads": "0",
    "memory_limit": MEMORY,
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "enable_external_file_cache": "false",
    "temp_directory": "",
    "errors_as_json": "true",
}
# Files that DuckDB reads to learn how much memory and how many cores there are.
READ_BY_DUCKDB = (Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"), Path("/proc/meminfo"))


def open_database() -> duckdb.DuckDBPyConnection:
    """Open an empty database that starts no thread, so that its process can be forked.

    It takes ten times as long as all that a child does before its query, so it is done only once.
    Each child has a copy of its own, because forking copies the process's memory.
    """
    database = duckdb.connect(config=SETTINGS)
    # The first query of a process makes the parser's tables, which all others use.
    database.execute("SELECT json_serialize_sql('SELECT 1')").fetchall()
    return database


def lock(connection: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> None:
    """Allow the database only to read these files, and lock its settings."""
    names = ", ".join(text(str(file)) for file in files)
    connection.execute(f"SET allowed_paths = [{names}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
