"""A sandbox for the SQL of rules: it reads their sources, and can do nothing else.

    sandbox = Sandbox()
    lab = Table("lab", (Path("/srv/data/lab.parquet"),), "parquet")
    result = await sandbox.run(Query("SELECT * FROM lab WHERE diacetyl_ppb > 200", (lab,)))

Each query runs in a process of its own, with layers around it that hold without each other: its
text is checked before it runs (guard.py), Linux lets the process read these files only
(landlock.py), DuckDB is locked (locked_database.py), and memory and time are bounded (limits.py).
DuckDB is imported in those processes only, never in the app's own.
"""

from rules.sandbox.query import (
    Column,
    Facts,
    Fix,
    Query,
    QueryError,
    QueryResult,
    Table,
    Value,
)
from rules.sandbox.sandbox import Protections, Sandbox

__all__ = [
    "Column",
    "Facts",
    "Fix",
    "Protections",
    "Query",
    "QueryError",
    "QueryResult",
    "Sandbox",
    "Table",
    "Value",
]
