"""Sources: everything that rules can watch, by name, and its data as local files."""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import SecretStr

from alerts.errors import UnusableInput
from rules.sandbox import Table
from rules.sources.definitions import Definitions
from rules.sources.fetching import Fetching
from rules.sources.local_files import is_same
from rules.sources.references import References
from rules.sources.shapes import Shape, ShapeChange, Shapes, change_of
from rules.sources.shaping import ColumnsOf, Ready, shaped
from rules.sources.source import Fetched, Snapshot, Source, SourceError
from rules.sources.uploads import Upload, Uploads

if TYPE_CHECKING:
    from settings import Settings

Result = TypeVar("Result")
ShapeStamp = tuple[int, int]

THREADS = 8
# Each kind has limits of its own; this one is for reads without one, such as of a network folder.
MOST_SECONDS = 330
# Rules that are checked at about the same time share what was fetched.
REUSE_SECONDS = 2.0
COPY_AFTER_CHANGE_SECONDS = 60
SHARED_KINDS = {"web", "s3", "postgresql"}


class Sources:
    """The sources of sources.toml and those that people uploaded; for use from one event loop.

    `columns_of` is `Sandbox.columns`, which guesses the columns of a source not read before.
    """

    def __init__(
        self,
        file: Path,
        data_dir: Path,
        values: Mapping[str, str],
        columns_of: ColumnsOf,
    ) -> None:
        folder = data_dir / "sources"
        self._columns_of = columns_of
        self._uploads = Uploads(folder / "uploads", folder / "files")
        self._definitions = Definitions(file, self._uploads)
        self._shapes = Shapes(folder / "shapes")
        self._fetching = Fetching(file.parent, folder, References(values), self._uploads)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sources")
        self._latest: dict[str, _Latest] = {}
        self._changed_while_read: dict[str, float] = {}  # monotonic seconds
        self._running: dict[str, asyncio.Task[Snapshot]] = {}
        # What was given up on but still occupies a thread, by the name of the source.
        self._stuck: dict[str, tuple[Source, Future[Any]]] = {}

    @classmethod
    def load(
        cls,
        file: Path,
        data_dir: Path,
        *,
        columns_of: ColumnsOf,
        values: Mapping[str, str] | None = None,
    ) -> Sources:
        """Read sources.toml. `values` are what `${NAME}` can refer to; by default the environment.

        Raises `SourcesFileError` in one sentence for anything that is wrong in it.
        """
        return cls(file, data_dir, os.environ if values is None else values, columns_of)

    @classmethod
    def from_settings(cls, settings: Settings, columns_of: ColumnsOf) -> Sources:
        """Read the sources.toml of the settings; `${NAME}` can name settings as well."""
        fields = type(settings).model_fields
        values = {name.upper(): _text(getattr(settings, name)) for name in fields}
        # Settings have the values that the program derived, such as a whole path.
        known = {**os.environ, **{name: value for name, value in values.items() if value}}
        file, data_dir = settings.sources_file, settings.data_dir
        return cls.load(file, data_dir, columns_of=columns_of, values=known)

    @property
    def problem(self) -> str:
        """What is wrong with sources.toml since it was changed, in a sentence; "" if nothing is."""
        return self._definitions.problem

    def names(self) -> tuple[str, ...]:
        """Return the names of all sources: those of sources.toml, then uploads."""
        return tuple(self._definitions.all())

    def get(self, name: str) -> Source:
        """Return a source. Raises `SourceError` if there is none of this name."""
        return self._definitions.get(name)

    def described(self, name: str) -> str:
        """Say what a source is, in a few words such as "lab, PostgreSQL"."""
        return self.get(name).described

    def uploads(self) -> dict[str, Upload]:
        """Return the uploaded sources, by name."""
        defined = self._definitions.defined
        return {name: each for name, each in self._uploads.all().items() if name not in defined}

    async def fetch(
        self, names: Iterable[str], *, known: Mapping[str, Snapshot] | None = None
    ) -> dict[str, Snapshot]:
        """Fetch sources and return their snapshots by name.

        A source that hasn't changed since `known` has that very snapshot. A source that is already
        being fetched isn't fetched twice. Raises `SourceError` about the first that fails.
        """
        wanted = list(dict.fromkeys(names))
        found = await asyncio.gather(
            *(self._fetch_shared(each) for each in wanted), return_exceptions=True
        )
        snapshots = {}
        for name, each in zip(wanted, found, strict=True):
            if isinstance(each, BaseException):
                raise each
            before = (known or {}).get(name)
            is_same_data = before is not None and before.fingerprint == each.fingerprint
            snapshots[name] = before if is_same_data and before is not None else each
        return snapshots

    async def confirm(self, snapshots: Iterable[Snapshot]) -> None:
        """Check, after a query, that no file changed while it was read, or its answer is void.

        Raises `SourceError`. Trying again at once is fine: the next fetch makes copies of CSV files
        that change all the time.
        """
        stamps = {each.table.name: each.stamps for each in snapshots if each.stamps}
        if not stamps:
            return

        def changed() -> tuple[str, str] | None:
            for name, files in stamps.items():
                for each in files:
                    if not is_same(each):
                        return name, each.path.name
            return None

        if found := await self._in_thread(changed):
            name, file = found
            self._changed_while_read[name] = time.monotonic()
            raise SourceError(
                name, f"{name} changed while it was read: {file}. The next check reads it again."
            )

    async def add_upload(self, name: str, file: Path, file_name: str = "", by: str = "") -> Source:
        """Keep an uploaded file as a source; `file_name` is what it was called where it came from.

        A file with the same columns as the source of that name replaces its file, in one step. One
        that follows a note, so that a column isn't read as text any more, has the same columns.
        Raises `UnusableInput` for the fields `name` and `file`, and nothing has changed then.
        """
        defined = self._definitions.defined
        before = self._uploads.all().get(name)
        try:
            staged = await self._in_thread(
                lambda: self._uploads.stage(name, file, file_name or file.name, defined)
            )
            try:
                source = staged.source
                kept = self._shapes.get(source) if before else None
                _, _, shape = await self._shaped(source, staged.fetched, None)
                change = kept and change_of(kept, shape.columns)
                if kept and change and (change.gone or not _follows_notes(kept, change)):
                    raise UnusableInput(
                        "file",
                        f"This file has other columns than {name} had: {change.words}. Correct it, "
                        "or give it another name.",
                    )
                await self._in_thread(lambda: self._uploads.publish(staged, by))
            except BaseException:
                staged.path.unlink(missing_ok=True)
                raise
            if kept and not change:
                shape = replace(kept, notes=shape.notes)
            if shape != kept:
                await self._in_thread(lambda: self._shapes.keep(source, shape))
        except SourceError as error:
            raise UnusableInput("file", str(error)) from None
        return source

    async def remove_upload(self, name: str) -> None:
        """Remove an upload and what is known of its columns."""
        await self._in_thread(lambda: self._uploads.remove(name))
        await self._in_thread(lambda: self._shapes.forget(name))

    async def shape_change(self, name: str) -> ShapeChange | None:
        """Read a source as if for the first time and return how it differs from what was kept.

        None if nothing was kept yet. Raises `SourceError` if it can't be read at all.
        """
        source = self.get(name)
        kept = await self._in_thread(lambda: self._shapes.get(source))
        if kept is None:
            return None
        fetched, _ = await self._fetched(source)
        _, _, shape = await self._shaped(source, fetched, None)
        return change_of(kept, shape.columns)

    async def notes(self, name: str) -> dict[str, str]:
        """Return a sentence, by column, for each that is read as text because it wasn't clear.

        Of a source that has been read; of another one there are none yet.
        """
        source = self.get(name)
        kept = await self._in_thread(lambda: self._shapes.get(source))
        return dict(kept.notes) if kept else {}

    async def accept_shape(self, name: str) -> Shape:
        """Keep the columns that a source has now. Raises `SourceError` if it can't be read."""
        source = self.get(name)
        fetched, _ = await self._fetched(source)
        _, _, shape = await self._shaped(source, fetched, None)
        return await self._in_thread(lambda: self._shapes.keep(source, shape))

    async def close(self) -> None:
        """Stop fetching and close every connection."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await asyncio.to_thread(self._fetching.close)
        self._threads.shutdown(wait=False)

    async def _in_thread(self, task: Callable[[], Result]) -> Result:
        """Run a blocking task in threads of our own: asyncio's are few, and others need them."""
        running = asyncio.get_running_loop().run_in_executor(self._threads, task)
        return await asyncio.wait_for(running, MOST_SECONDS)

    async def _in_thread_of(self, source: Source, task: Callable[[], Result]) -> Result:
        """Run what waits for a source's data, which may never come.

        A thread can't be stopped. So a source gets no other as long as it occupies one in vain, or
        a folder on a network that hangs would take all threads, and no source could be read.
        """
        stuck = self._stuck.get(source.name)
        if stuck is not None and stuck[0] == source and not stuck[1].done():
            raise SourceError(
                source.name,
                f"{source.name} can't be fetched: an earlier attempt is still waiting for it.",
            )
        running = self._threads.submit(task)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(running), MOST_SECONDS)
        except TimeoutError:
            if not running.done():
                self._stuck[source.name] = source, running
            raise SourceError(
                source.name, f"{source.name} can't be fetched: it takes over {MOST_SECONDS} s."
            ) from None

    async def _fetch_shared(self, name: str) -> Snapshot:
        """Fetch a source, or wait for the task that is fetching it."""
        source = self.get(name)
        if problem := self.problem:
            raise SourceError(name, problem)
        task = self._running.get(name)
        if task is None:
            task = asyncio.create_task(self._fetch(source))
            self._running[name] = task
            task.add_done_callback(lambda ended: self._ended(name, ended))
        return await asyncio.shield(task)

    def _ended(self, name: str, task: asyncio.Task[Snapshot]) -> None:
        self._running.pop(name, None)
        # The waiting caller may have been canceled; then no one else retrieves the error.
        if not task.cancelled():
            task.exception()

    async def _fetch(self, source: Source) -> Snapshot:
        latest = self._latest.get(source.name)
        if latest is not None and latest.source == source and latest.is_recent:
            return latest.snapshot
        began = time.monotonic()
        fetched, shape_stamp = await self._fetched(source)
        if latest is not None and latest.is_of(source, fetched, shape_stamp) and latest.is_there:
            self._latest[source.name] = replace(latest, looked_at=began)
            return latest.snapshot
        kept = await self._in_thread(lambda: self._shapes.get(source))
        ready, table, shape = await self._shaped(source, fetched, kept)
        if shape != kept:
            await self._in_thread(lambda: self._shapes.keep(source, shape))
            shape_stamp = self._shapes.stamp(source.name)
        snapshot = _snapshot(table, ready)
        self._latest[source.name] = _Latest(source, fetched, shape_stamp, snapshot, began)
        return snapshot

    async def _fetched(self, source: Source) -> tuple[Fetched, ShapeStamp]:
        try:
            return await self._in_thread_of(
                source, lambda: (self._fetching.fetch(source), self._shapes.stamp(source.name))
            )
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SourceError(source.name, f"{source.name} can't be fetched: {reason}.") from None

    async def _shaped(
        self, source: Source, fetched: Fetched, shape: Shape | None
    ) -> tuple[Ready, Table, Shape]:
        changed_at = self._changed_while_read.get(source.name, -math.inf)
        in_copies = time.monotonic() - changed_at < COPY_AFTER_CHANGE_SECONDS
        ready = await self._in_thread_of(
            source,
            lambda: self._fetching.make_ready(source, fetched, shape, in_copies=in_copies),
        )
        return ready, *await shaped(source, ready, shape, self._columns_of)


@dataclass(frozen=True, slots=True)
class _Latest:
    """A source as it was last fetched, to recognize that it hasn't changed."""

    source: Source
    fetched: Fetched
    shape_stamp: ShapeStamp
    snapshot: Snapshot
    looked_at: float

    @property
    def is_recent(self) -> bool:
        """Whether it was fetched so recently that it needn't be again."""
        is_shared = self.source.kind in SHARED_KINDS
        return is_shared and time.monotonic() - self.looked_at < REUSE_SECONDS

    @property
    def is_there(self) -> bool:
        """Whether all copies of files are still there: another process may have removed one."""
        copies = set(self.snapshot.table.files) - set(self.fetched.files)
        return all(each.exists() for each in copies)

    def is_of(self, source: Source, fetched: Fetched, shape_stamp: ShapeStamp) -> bool:
        """Whether the source, its files and its shape are the same as then."""
        return (
            self.source == source
            and self.fetched.fingerprint == fetched.fingerprint
            and self.fetched.files == fetched.files
            and self.shape_stamp == shape_stamp
        )


def _follows_notes(kept: Shape, change: ShapeChange) -> bool:
    """Return whether only columns are read differently that a note asked people to correct."""
    return all(name in kept.notes for name, _, _ in change.retyped)


def _snapshot(table: Table, ready: Ready) -> Snapshot:
    fetched = ready.fetched
    # The same rows read in another way are different data.
    read_as = (table.columns, sorted(table.options.items()), table.time_column)
    digest = hashlib.sha256(f"{fetched.fingerprint}\0{read_as!r}".encode()).hexdigest()[:32]
    return Snapshot(table, digest, fetched.newest_at, ready.stamps)


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value) if isinstance(value, str | Path) else ""
