"""Fixtures that tests share: a browser, an app in simulation, a simulator, databases."""

from __future__ import annotations

import gc
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import shiny.reactive._core as reactive_core
import sqlalchemy as sa
from hypothesis import settings
from playwright.sync_api import Browser

from database.connecting import engine_for, parsed
from database.database import Database
from database.tables import metadata
from tests.support.browser import chromium
from tests.support.databases import postgres_in, sqlite_in
from tests.support.document_server import Documents, document_server
from tests.support.postgres import PostgresServer, fresh_database, postgres_server, start
from tests.support.ready_zygotes import forked_zygote
from tests.support.running_app import copy_of_the_project, running_app
from tests.support.simulator_line import Line, simulator_line
from twilio_client.environment import tls_context

# A busy machine may take long for an example.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
# Thousands of tests are in memory. Searching for garbage as often as usual takes 5 % of the time.
gc.set_threshold(20_000, 20, 20)


# What decides which certificates are trusted.
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")

# The only folders that `make browser` looks into.
WITH_BROWSER = ("tests/browser/", "tests/docs/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: Playwright keeps an event loop running, which breaks async tests."""
    items.sort(key=_needs_browser)
    for item in filter(_needs_browser, items):
        if not item.nodeid.startswith(WITH_BROWSER):
            raise pytest.UsageError(f"`make browser` doesn't look for {item.nodeid}")


def _needs_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None


@pytest.fixture(autouse=True)
def _ready_zygotes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sandboxes of tests start at once, but for the tests of how they start."""
    if not request.node.get_closest_marker("starts_zygotes"):
        monkeypatch.setattr("rules.sandbox.zygote_process._popen", forked_zygote)


@pytest.fixture(autouse=True, scope="session")
def _certificates_read_once() -> Iterator[None]:
    """Reading the certificates to trust takes 30 ms, and thousands of clients are made."""

    @cache
    def kept(read: Callable[[], ssl.SSLContext], *_environment: str | None) -> ssl.SSLContext:
        return read()

    def from_here(read: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        return kept(read, *map(os.environ.get, CERTIFICATES))

    def of_httpx(**given: Any) -> ssl.SSLContext:
        if given == {"verify": True, "cert": None, "trust_env": True}:
            return from_here(httpx.create_ssl_context)
        return httpx.create_ssl_context(**given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("twilio_client.transport.tls_context", lambda: from_here(tls_context))
        patch.setattr("httpx._transports.default.create_ssl_context", of_httpx)
        yield


@pytest.fixture
def machine_in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine's clock is New York's."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def fresh_lock() -> None:
    """Shiny's lock belongs to the event loop that first used it, and each test has its own."""
    reactive_core._reactive_environment._lock = None


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, without `.env`."""
    return copy_of_the_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def simulation(project: Path) -> Iterator[str]:
    """The address of the app as a newcomer runs it: no account, so the simulator answers."""
    with running_app(project) as url:
        yield url


@pytest.fixture
def line() -> Iterator[Line]:
    """A simulator of the test's own, and Twilio's client for it."""
    with simulator_line() as opened:
        yield opened


@pytest.fixture(scope="module")
def shared() -> Iterator[Line]:
    """A simulator shared by tests that don't change it."""
    with simulator_line() as opened:
        yield opened


@pytest.fixture(scope="module")
def documents() -> Iterator[Documents]:
    """A web server with TwiML documents."""
    with document_server() as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server. A test that stops it must use `restartable`."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with all tables and no rows; the test runs with SQLite and with PostgreSQL."""
    if request.param == "sqlite":
        yield sqlite_in(tmp_path)
        return
    with postgres_in(request.getfixturevalue("postgres")) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables; the test runs with SQLite and with PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'callboard.sqlite'}"
    return fresh_database(request.getfixturevalue("postgres"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """`database_url`, opened. It must have the tables of every package that is imported."""
    opened = Database(database_url, metadata)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine for `database_url`."""
    made = engine_for(parsed(database_url), 2)
    yield made
    made.dispose()


@pytest.fixture
def restartable(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server, for tests that stop it: it is started again even if they fail."""
    yield postgres
    if not postgres.is_up():
        start(postgres)
