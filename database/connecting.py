"""DATABASE_URL: what it names, and how to connect to that."""

from __future__ import annotations

import math
import os
import re
import sqlite3
import time
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import psycopg
import sqlalchemy as sa

from database import DatabaseError

CONNECT_TIMEOUT_SECONDS = 5
# A server whose machine or network fails doesn't close its connections. These options end such a
# connection after 20 s without an answer; the defaults of Linux take 15 minutes and more.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
POSTGRESQL_OPTIONS = {
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 10,  # seconds
    "keepalives_interval": 5,  # seconds
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,  # milliseconds
    # A pooler such as PgBouncer may give each transaction another connection, which knows nothing
    # of statements that were prepared before. https://www.pgbouncer.org/features.html
    "prepare_threshold": None,
}
# Only a connection that was idle for longer is tested before it is used. One that died sooner fails
# in its next transaction, which is then done again on another connection.
TEST_AFTER_IDLE_SECONDS = 1.0
# How long to wait for another process that is writing to the file.
SQLITE_BUSY_TIMEOUT_SECONDS = 30


# user:password@host:port,host:port/name?option=value. A password may hold anything but @, which
# SQLAlchemy and libpq take for its end: the rest would count as the host, which is shown.
_POSTGRESQL = re.compile(
    r"postgres(?:ql)?(?:\+psycopg)?://(?P<login>[^:/?#]*(?::[^@]*)?@)?(?P<hosts>[^@/?#]*)"
    r"(?P<name>/[^@/?#:]*)?(?:\?(?P<options>[^#]*))?",
    re.DOTALL,
)
# A name or an address with its port; or an IPv6 address without brackets, as options may hold.
_HOST = re.compile(
    r"(?P<host>\[[\w:.%]+\]|[\w.%+-]*)(?::(?P<port>[0-9]{0,5}))?|[\da-f.]*(?::[\da-f.]*){2,}",
    re.IGNORECASE,
)
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
_KNOWN_OPTIONS = {each.keyword.decode() for each in psycopg.pq.Conninfo.get_defaults()}
_SECRET_OPTIONS = ("password", "sslpassword", "oauth_client_secret")
_MALFORMED = (
    "DATABASE_URL can't be read: give sqlite:///path/to/file or "
    "postgresql://user:password@host/name, with special characters in the password "
    "written as %XX, and after a ? only options that PostgreSQL knows."
)


def parsed(database_url: str) -> sa.URL:
    """Parse a DATABASE_URL for SQLAlchemy, a file with its full path. Raises `DatabaseError`."""
    if re.match(r"postgres(ql)?(\+|:)", database_url):
        url = _parsed_postgresql(database_url)
        if url and not url.database:
            raise DatabaseError("DATABASE_URL names no database: add its name after the host.")
    else:
        url = _parsed_by_sqlalchemy(database_url)
    # Raised outside any except block, because an error there may quote the URL with its password.
    if url is None:
        raise DatabaseError(_MALFORMED)
    if url.get_backend_name() == "postgresql":
        return url
    if url.get_backend_name() != "sqlite":
        raise DatabaseError("DATABASE_URL must start with sqlite:/// or postgresql://.")
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise DatabaseError("DATABASE_URL names no file: give sqlite:///path/to/file.")
    # Not `Path.expanduser`, which raises if there is no home.
    file = Path(os.path.expanduser(url.database))
    return url.set(drivername="sqlite", database=str(file.absolute()))


def place_of(url: sa.URL) -> str:
    """Describe the database for people, never with a password."""
    if url.get_backend_name() == "sqlite":
        return f"the file {url.database}"
    hosts = str(url.query.get("host") or url.host or "this machine").split(",")
    ports = str(url.query.get("port") or url.port or "").split(",")
    places = [
        f"{host}{f':{port}' if port else ''}" for host, port in zip_longest(hosts, ports) if host
    ]
    return f"the database {url.database} at {', '.join(places)}"


def without_secrets(text: str, url: sa.URL) -> str:
    """Return `text` without any password of the URL."""
    secrets = [url.password, *(url.query.get(name) for name in _SECRET_OPTIONS)]
    for secret in secrets:
        if secret:
            text = text.replace(str(secret), "***")
    return text


def _parsed_by_sqlalchemy(database_url: str) -> sa.URL | None:
    try:
        return sa.make_url(database_url)
    except (sa.exc.ArgumentError, ValueError):
        return None


def _parsed_postgresql(database_url: str) -> sa.URL | None:
    """Parse the URL as libpq does, with one host or several; None if it can't be."""
    read = _POSTGRESQL.fullmatch(database_url)
    if read is None:
        return None
    pairs = parse_qsl(read["options"] or "", keep_blank_values=True)
    options = {name: value for name, value in pairs if name != "host"}
    hosts = [each for name, value in pairs if name == "host" for each in value.split(",")]
    # An option that libpq doesn't know may be part of a password, and so may one given twice.
    if not options.keys() <= _KNOWN_OPTIONS or len(options) + len(hosts) < len(pairs):
        return None
    url = _parsed_by_sqlalchemy(f"postgresql+psycopg://{read['login'] or ''}{read['name'] or ''}")
    place = _hosts_and_ports(hosts or read["hosts"].split(","), options.pop("port", ""))
    if url is None or place is None:
        return None
    return url.update_query_dict(options | place)


def _hosts_and_ports(hosts: list[str], ports: str) -> dict[str, str] | None:
    """Return `hosts`, which may have a port each, and `ports` as libpq's options; None if unusable.

    https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS
    """
    names, own_ports = [], []
    for each in hosts:
        read = _HOST.fullmatch(each)
        if read is None and not each.startswith("/"):  # the folder of a socket
            return None
        named = read and read["host"] is not None
        names.append(unquote(read["host"]).strip("[]") if read and named else each)
        own_ports.append((read["port"] if read else "") or "")
    given = ports.split(",") if ports else own_ports
    if len(given) == 1:
        given *= len(names)
    if len(given) != len(names) or not all(re.fullmatch(r"[0-9]{0,5}", each) for each in given):
        return None
    place = {"host": ",".join(names), "port": ",".join(given)}
    return {name: value for name, value in place.items() if value.strip(",")}


def engine_for(url: sa.URL, connections: int | None) -> sa.Engine:
    """Make an engine with a pool of `connections`, or without a pool if None; doesn't connect yet.

    Begin its transactions with `reading` or `begin_writing` of transactions.py. No engine listens
    to its connections' own events: with a single listener SQLAlchemy looks for others at every step
    of every statement.
    """
    pool: dict[str, Any] = {"poolclass": sa.NullPool}
    if connections is not None:
        # Reuse the connection that was used last, so that the others can close when idle.
        pool = {"pool_size": connections, "max_overflow": 0, "pool_use_lifo": True}
    if url.get_backend_name() == "postgresql":
        options: dict[str, Any] = {
            name: value for name, value in POSTGRESQL_OPTIONS.items() if name not in url.query
        }
        # hide_parameters: they hold people's numbers and messages, and errors end up in logs.
        engine = sa.create_engine(url, connect_args=options, hide_parameters=True, **pool)
        sa.event.listen(engine.pool, "checkin", _note_use)
        sa.event.listen(engine.pool, "checkout", partial(_check_if_idle, engine.dialect))
        return engine
    options = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "isolation_level": "IMMEDIATE"}
    engine = sa.create_engine(url, connect_args=options, hide_parameters=True, **pool)
    sa.event.listen(engine.pool, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, record: object) -> None:
    # FULL: a commit is on the disk. https://www.sqlite.org/pragma.html#pragma_synchronous
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _note_use(connection: object, record: sa.pool.ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _check_if_idle(
    dialect: sa.Dialect, connection: Any, record: sa.pool.ConnectionPoolEntry, _: object
) -> None:
    """Make the pool connect again if the server has ended a connection that wasn't used lately.

    SQLAlchemy's own `pool_pre_ping` asks the server before every transaction.
    """
    if time.monotonic() - record.info.get("used_at", math.inf) < TEST_AFTER_IDLE_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except psycopg.Error:
        raise sa.exc.InvalidatePoolError from None
