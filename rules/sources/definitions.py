"""Which sources there are: those of sources.toml, read again when it changes, and uploads."""

from __future__ import annotations

import os
from pathlib import Path

from rules.sources.source import Source, SourceError, SourcesFileError
from rules.sources.sources_file import read_sources
from rules.sources.uploads import Uploads


class Definitions:
    """The sources by name. Raises `SourcesFileError` if sources.toml is wrong at the start."""

    def __init__(self, file: Path, uploads: Uploads) -> None:
        self._file = file
        self._uploads = uploads
        self._problem: SourcesFileError | None = None
        self._stamp = self._file_stamp()
        self._defined = read_sources(file)

    @property
    def problem(self) -> str:
        """What is wrong with sources.toml since it was changed, in a sentence; "" if nothing is."""
        self._read_again()
        return str(self._problem or "")

    @property
    def defined(self) -> dict[str, Source]:
        """The sources in sources.toml; while that is wrong, those that it had before."""
        self._read_again()
        return self._defined

    def all(self) -> dict[str, Source]:
        """Return all sources, those of sources.toml first. They hide uploads of the same name."""
        defined = self.defined
        uploads = self._uploads.sources()
        return defined | {name: each for name, each in uploads.items() if name not in defined}

    def get(self, name: str) -> Source:
        """Return a source. Raises `SourceError` if there is none of this name."""
        found = self.all().get(name)
        if found is None:
            raise SourceError(
                name, f"There is no source {name}: name it in {self._file.name}, or upload it."
            )
        return found

    def _read_again(self) -> None:
        stamp = self._file_stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._defined = read_sources(self._file)
            self._problem = None
        except SourcesFileError as problem:
            self._problem = problem

    def _file_stamp(self) -> tuple[int, int, int]:
        try:
            status = os.stat(self._file)
        except OSError:
            return (0, 0, 0)
        return (status.st_mtime_ns, status.st_size, status.st_ino)
