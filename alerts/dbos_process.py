"""DBOS in this process: started and stopped.

https://docs.dbos.dev/python/reference/configuration
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS, DBOSConfig

from alerts import delivery
from database.database import Database

# DBOS's threads serve the whole event loop, S3 and pages too.
MOST_THREADS = 32


async def launch_dbos(database: Database, account_sid: str, executor_id: str) -> None:
    """Start DBOS in this process and event loop, on the database that the history is in."""
    # Setting up its tables takes a while, and its launch happens in the event loop.
    await asyncio.to_thread(DBOS.migrate, database.url)
    config: DBOSConfig = {
        "name": "callboard",
        "system_database_url": database.url,
        "executor_id": executor_id,
        # Of another account's alerts none is ever sent from here: a simulation's to real people.
        "application_version": f"{delivery.VERSION}-{account_sid}",
        "log_level": "ERROR",
        "enable_otlp": False,
        "run_migrations": False,
        # What it says of an error goes into the log, where no message belongs.
        "db_engine_kwargs": {"hide_parameters": True},
        "max_executor_threads": MOST_THREADS,
        # Nothing waits for its messages; its thread would only keep us waiting when we close.
        "notification_listener_polling_interval_sec": 0.1,
    }
    DBOS(config=config)
    DBOS.launch()


async def destroy_dbos() -> None:
    """Stop DBOS; another may be launched afterwards."""
    loop, threads = asyncio.get_running_loop(), ThreadPoolExecutor()
    # DBOS had put its own threads, which are about to go, in the place of the event loop's.
    loop.set_default_executor(threads)
    await loop.run_in_executor(threads, DBOS.destroy)
