"""What tests of sources share: a folder with a sources.toml, and the sandbox that reads them."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rules.sandbox import Query, Sandbox
from rules.sources import Snapshot, SourceError, Sources

LONG_AGO_SECONDS = 3600


class Lab:
    """A folder with data and a sources.toml, and what is read from it."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.values: dict[str, str] = {}
        self._sandbox = sandbox
        self._opened: list[Sources] = []
        self.sources: Sources

    def open(self, toml: str = "") -> Sources:
        """Write sources.toml, if there is something to write, and open it as a process does."""
        if toml:
            (self.folder / "sources.toml").write_text(toml, encoding="utf-8")
        self.sources = Sources.load(
            self.folder / "sources.toml",
            self.data_dir,
            columns_of=self._sandbox.columns,
            values=self.values,
        )
        self._opened.append(self.sources)
        return self.sources

    def write(
        self, name: str, content: str | bytes, *, age_seconds: float = LONG_AGO_SECONDS
    ) -> Path:
        """Write a file as of some time ago."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.make_older(path, age_seconds)
        return path

    def make_older(self, path: Path, seconds: float) -> None:
        """Set back the time of a file."""
        at = time.time() - seconds
        os.utime(path, (at, at))

    async def snapshot(self, name: str = "lab") -> Snapshot:
        """Fetch a source."""
        return (await self.sources.fetch([name]))[name]

    async def rows(self, name: str = "lab", sql: str = "") -> list[tuple[Any, ...]]:
        """Fetch a source and run a query on it."""
        table = (await self.snapshot(name)).table
        return (await self._sandbox.run(Query(sql or f"FROM {name}", (table,)))).rows

    async def types(self, name: str = "lab") -> Mapping[str, str]:
        """Fetch a source and return the types of its columns."""
        return {each.name: each.type for each in (await self.snapshot(name)).table.columns}

    async def problem(self, name: str = "lab") -> str:
        """Fetch a source that can't be used, and return the sentence."""
        with pytest.raises(SourceError) as raised:
            await self.sources.fetch([name])
        assert raised.value.name == name
        return str(raised.value)

    async def close(self) -> None:
        for each in self._opened:
            await each.close()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """The sandbox of one test."""
    opened = Sandbox()
    yield opened
    await opened.close()


@pytest.fixture
async def lab(tmp_path: Path, sandbox: Sandbox) -> AsyncIterator[Lab]:
    """A folder of the test's own."""
    made = Lab(tmp_path, sandbox)
    yield made
    await made.close()
