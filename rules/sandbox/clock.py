"""The clock of a query that is asked as of another moment.

DuckDB looks for a function among ours before its own, and takes `current_date` without parentheses
for a function unless a column is called so. So nothing of the query has to be rewritten.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb

from rules.sandbox.quoting import text


def set_clock(connection: duckdb.DuckDBPyConnection, moment: datetime, time_zone: str) -> None:
    """Let `now()`, `current_date`, `today()`, `age(x)` and the like say this moment.

    `moment` has a time zone; dates and local times are those of `time_zone`.
    """
    there = moment.astimezone(ZoneInfo(time_zone))
    local = there.replace(tzinfo=None)
    now = f"TIMESTAMPTZ {text(moment.isoformat())}"
    today = f"DATE {text(local.date().isoformat())}"
    time = f"TIMETZ {text(there.timetz().isoformat())}"
    clock = {
        "now()": now,
        "get_current_timestamp()": now,
        "transaction_timestamp()": now,
        "current_date()": today,
        "today()": today,
        "current_localtimestamp()": f"TIMESTAMP {text(local.isoformat(' '))}",
        "current_localtime()": f"TIME {text(local.time().isoformat())}",
        "get_current_time()": time,
    }
    for function, value in clock.items():
        connection.execute(f"CREATE OR REPLACE MACRO {function} AS {value}")
    midnight = f"CAST({today} AS TIMESTAMP)"
    connection.execute(
        "CREATE OR REPLACE MACRO age(x) AS "
        f"system.main.age({midnight}, CAST(x AS TIMESTAMP)), (x, y) AS system.main.age(x, y)"
    )
