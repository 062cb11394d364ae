"""Sources that people upload in the page: a CSV, Parquet or JSON file, kept in DATA_DIR."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Container
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePath

from alerts.errors import UnusableInput
from rules.sources.kept_files import KeptFiles, writing
from rules.sources.local_files import TIMES_DIFFER_BY_SECONDS
from rules.sources.names import problem_of
from rules.sources.source import Fetched, Source, SourceError, format_of

MOST_BYTES = 200_000_000
MOST_UPLOADS = 200
MOST_CHARACTERS = 200  # of a file's name
BLOCK_BYTES = 1_000_000
FILE = "file"


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload: its source's name, the file it came from, when (ISO 8601), and by whom."""

    name: str
    file_name: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that was uploaded but isn't kept yet."""

    source: Source
    path: Path
    fingerprint: str

    @property
    def fetched(self) -> Fetched:
        """Return the file in the form that every kind of source has."""
        return _fetched(self.source, self.path, self.fingerprint, datetime.now(UTC))


class Uploads:
    """Keeps uploaded files in a folder; blocks, so call it in a thread."""

    def __init__(self, folder: Path, files: Path) -> None:
        self._folder = folder
        self._files = files
        self._all: dict[str, Upload] = {}
        self._read_at_ns = 0

    def sources(self) -> dict[str, Source]:
        """Return all uploads as sources, by name."""
        return {name: _source(upload) for name, upload in self.all().items()}

    def all(self) -> dict[str, Upload]:
        """Return all uploads by name, in the order of the names."""
        try:
            changed_ns = os.stat(self._folder).st_mtime_ns
        except OSError:
            return {}
        # A folder's time may not show a second change within so short an interval.
        is_settled = time.time_ns() - changed_ns > TIMES_DIFFER_BY_SECONDS * 1_000_000_000
        if not is_settled or changed_ns != self._read_at_ns:
            self._all = self._read()
            self._read_at_ns = changed_ns if is_settled else 0
        return self._all

    def _read(self) -> dict[str, Upload]:
        found = {}
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, ValueError, TypeError):
                upload = Upload(**json.loads(path.read_text(encoding="utf-8")))
                if not problem_of(upload.name) and format_of(upload.file_name):
                    found[upload.name] = upload
        return found

    def stage(self, name: str, file: Path, file_name: str, taken: Container[str]) -> Staged:
        """Copy a file to where it will be kept, to examine it first.

        `taken` are the names that sources.toml has. Raises `UnusableInput` for the fields `name`
        and `file`.
        """
        if problem := problem_of(name):
            raise UnusableInput("name", f"A source {problem}.")
        if name in taken:
            raise UnusableInput(
                "name", f"{name} is a source of sources.toml. Give this one another name."
            )
        file_name = PurePath(file_name.replace("\\", "/")).name
        if format_of(file_name) is None:
            raise UnusableInput(
                "file", "Choose a file whose name ends in .csv, .tsv, .txt, .parquet or .json."
            )
        uploads = self.all()
        if name not in uploads and len(uploads) >= MOST_UPLOADS:
            raise UnusableInput("file", f"There are {MOST_UPLOADS} uploads. Remove one first.")
        if file.stat().st_size > MOST_BYTES:
            raise UnusableInput(
                "file",
                f"This file is larger than {MOST_BYTES // 1_000_000} MB. Put it into a folder of "
                "this machine and name it in sources.toml.",
            )
        digest = sha256()
        with self._kept_files(name).writing(_ending(file_name)) as to:
            with file.open("rb") as original, to.open("wb") as copy:
                while block := original.read(BLOCK_BYTES):
                    digest.update(block)
                    copy.write(block)
            source = _source(Upload(name, file_name[-MOST_CHARACTERS:], "", ""))
            return Staged(source, to, digest.hexdigest()[:32])

    def publish(self, staged: Staged, by: str) -> None:
        """Make an examined file the source's, in place of the one before."""
        source = staged.source
        at = datetime.now(UTC).isoformat(timespec="seconds")
        upload = Upload(source.name, source.places[0], by, at)
        self._kept_files(source.name).publish({FILE: staged.path}, staged.fingerprint)
        with writing(source.name, self._folder, ".tmp") as unfinished:
            unfinished.write_text(json.dumps(asdict(upload)), encoding="utf-8")
            unfinished.replace(self._folder / f"{source.name}.json")

    def remove(self, name: str) -> None:
        """Remove an upload; a check that is reading it can go on. No error if it is gone."""
        (self._folder / f"{name}.json").unlink(missing_ok=True)
        if self._kept_files(name).current() is not None:
            self._kept_files(name).publish({}, "removed")

    def fetch(self, source: Source) -> Fetched:
        """Return the file that was uploaded last. Raises `SourceError` if there is none."""
        kept = self._kept_files(source.name).current()
        if kept is None or not kept.files:
            raise SourceError(source.name, f"{source.name} has no file any more: upload it again.")
        return _fetched(source, kept.files[FILE], kept.fingerprint, kept.changed_at)

    def _kept_files(self, name: str) -> KeptFiles:
        return KeptFiles(name, self._files / name)


def _fetched(source: Source, path: Path, fingerprint: str, at: datetime) -> Fetched:
    return Fetched((path,), fingerprint, at, is_ours=True, names=source.places)


def _source(upload: Upload) -> Source:
    found = format_of(upload.file_name)
    assert found is not None  # noqa: S101 - checked before it was kept
    return Source(upload.name, "upload", found, (upload.file_name,))


def _ending(file_name: str) -> str:
    found = format_of(file_name)
    return f".{found}" + (".gz" if file_name.lower().endswith(".gz") else "")
