"""Getting the data of a source onto this machine, each kind in its own way. All of it blocks."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from pathlib import Path

from rules.sources.csv_files import CsvFiles
from rules.sources.kept_files import KeptFiles
from rules.sources.local_files import (
    check_whole,
    fingerprint_of,
    newest_of,
    stamps_of,
    stamps_of_files,
)
from rules.sources.plain_copies import PlainCopies
from rules.sources.postgresql_query import RunningQueries, fetch_postgresql
from rules.sources.references import References
from rules.sources.s3 import S3
from rules.sources.shapes import Shape
from rules.sources.shaping import Ready
from rules.sources.source import Fetched, Source
from rules.sources.sqlite_query import fetch_sqlite
from rules.sources.uploads import Uploads
from rules.sources.web import Web


class Fetching:
    """Fetches sources into folders of their own below `folder`; in any thread.

    `beside` is the folder of sources.toml, from which relative paths count.
    """

    def __init__(
        self, beside: Path, folder: Path, references: References, uploads: Uploads
    ) -> None:
        self._beside = beside
        self._folder = folder
        self._references = references
        self._uploads = uploads
        self._web = Web(references)
        self._s3 = S3(references)
        self._queries = RunningQueries()
        self._csv_files: dict[str, CsvFiles] = {}
        # One thread at a time makes a source's files ready.
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def fetch(self, source: Source) -> Fetched:
        """Return a source's newest files, fetched if they changed. Raises `SourceError`."""
        if source.kind == "file":
            return self._local(source)
        kept_files = KeptFiles(source.name, self._folder / "files" / source.name)
        if source.kind == "web":
            return self._web.fetch(source, kept_files)
        if source.kind == "s3":
            return self._s3.fetch(source, kept_files)
        if source.kind == "sqlite":
            return fetch_sqlite(source, self._path(source, source.places[0]), kept_files)
        if source.kind == "postgresql":
            return fetch_postgresql(source, self._references, kept_files, self._queries)
        return self._uploads.fetch(source)

    def make_ready(
        self, source: Source, fetched: Fetched, shape: Shape | None, *, in_copies: bool = False
    ) -> Ready:
        """Check that the files are complete and, if they are CSV, fit the shape.

        `in_copies` asks for copies of CSV files that others write to.
        """
        if fetched.columns:
            return Ready(fetched, fetched.files)
        stamps = fetched.stamps or stamps_of_files(source, fetched.files)
        if source.format != "csv":
            for each in stamps:
                check_whole(source, each, fetched.name_of(each.path))
            return Ready(fetched, fetched.files, stamps=fetched.stamps)
        with self._locks[source.name]:
            if source.name not in self._csv_files:
                copies = PlainCopies(source.name, self._folder / "plain" / source.name)
                self._csv_files[source.name] = CsvFiles(copies)
            csv_files = self._csv_files[source.name]
            csv = csv_files.make_ready(source, fetched, stamps, shape, in_copies=in_copies)
        stamps = () if fetched.is_ours else csv.stamps
        return Ready(fetched, tuple(each.plain for each in csv.files), csv, stamps)

    def close(self) -> None:
        """Close every connection, and cancel running queries."""
        self._queries.cancel()
        self._web.close()
        self._s3.close()

    def _path(self, source: Source, place: str) -> str:
        path = os.path.expanduser(self._references.fill_in(source.name, place))
        return os.path.join(self._beside, path)

    def _local(self, source: Source) -> Fetched:
        stamps = stamps_of(source, [self._path(source, each) for each in source.places])
        return Fetched(
            tuple(each.path for each in stamps),
            fingerprint_of(stamps),
            newest_of(stamps),
            is_ours=False,
            stamps=stamps,
        )
