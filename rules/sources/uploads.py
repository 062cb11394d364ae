"""Sources that people upload in the page: a CSV, Parquet or JSON file, kept in DATA_DIR."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path, PurePath

from alerts.errors import UnusableInput
from rules.sources.errors import SourceError
from rules.sources.kept_files import KeptFiles
from rules.sources.names import problem_of
from rules.sources.snapshot import Fetched
from rules.sources.source import Source, format_of

MOST_BYTES = 200_000_000
MOST_UPLOADS = 200
FILE = "file"


@dataclass(frozen=True, slots=True)
class Upload:
    """What a person uploaded: under which name, from which file, when (ISO 8601), and who did."""

    name: str
    file_name: str
    by: str
    at: str


class Uploads:
    """Keeps uploaded files in a folder; blocks, so call it in a thread."""

    def __init__(self, folder: Path, files: Path) -> None:
        self._folder = folder
        self._files = files

    def sources(self) -> dict[str, Source]:
        """Return all uploads as sources, by name."""
        return {name: _source(upload) for name, upload in self.all().items()}

    def all(self) -> dict[str, Upload]:
        """Return all uploads by name."""
        found = {}
        for path in sorted(self._folder.glob("*.json")):
            with suppress(OSError, ValueError, TypeError):
                upload = Upload(**json.loads(path.read_text(encoding="utf-8")))
                if not problem_of(upload.name) and format_of(upload.file_name):
                    found[upload.name] = upload
        return found

    def add(self, name: str, file: Path, file_name: str, by: str, taken: Iterable[str]) -> Source:
        """Keep a copy of a file as the source `name`, in place of the one that had the name before.

        `taken` are the names that sources.toml has. Raises `UnusableInput` for the fields `name`
        and `file`.
        """
        if problem := problem_of(name):
            raise UnusableInput("name", f"The source {problem}.")
        if name in taken:
            raise UnusableInput(
                "name", f"{name} is a source of sources.toml. Give this one another name."
            )
        file_name = PurePath(file_name.replace("\\", "/")).name[:200]
        if format_of(file_name) is None:
            raise UnusableInput(
                "file", "Choose a CSV, Parquet or JSON file; its name ends in .csv, .parquet or so."
            )
        uploads = self.all()
        if name not in uploads and len(uploads) >= MOST_UPLOADS:
            raise UnusableInput("file", f"There are {MOST_UPLOADS} uploads. Remove one first.")
        upload = Upload(name, file_name, by, datetime.now(UTC).isoformat(timespec="seconds"))
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise UnusableInput(
                "file",
                f"This file is larger than {MOST_BYTES // 1_000_000} MB. Put it into a folder and "
                "name it in sources.toml.",
            )
        if size == 0:
            raise UnusableInput("file", "This file is empty.")
        kept_files = KeptFiles(name, self._files / name)
        try:
            with kept_files.writing(_ending(file_name)) as to:
                shutil.copyfile(file, to)
                digest = sha256(to.read_bytes()).hexdigest()[:32]
                kept_files.publish({FILE: to}, digest)
            with KeptFiles(name, self._folder).writing(".tmp") as unfinished:
                unfinished.write_text(json.dumps(asdict(upload)), encoding="utf-8")
                unfinished.replace(self._folder / f"{name}.json")
        except SourceError as error:
            raise UnusableInput("file", str(error)) from None
        return _source(upload)

    def remove(self, name: str) -> None:
        """Remove an upload; a check that is reading it can go on. No error if it is gone."""
        (self._folder / f"{name}.json").unlink(missing_ok=True)
        KeptFiles(name, self._files / name).publish({}, "removed")

    def fetch(self, source: Source, kept_files: KeptFiles) -> Fetched:
        """Return the file that was uploaded last. Raises `SourceError` if there is none."""
        kept = kept_files.current()
        if kept is None or not kept.files:
            raise SourceError(source.name, f"{source.name} has no file any more: upload it again.")
        return Fetched(tuple(kept.files.values()), kept.fingerprint, kept.changed_at, is_ours=True)


def _source(upload: Upload) -> Source:
    found = format_of(upload.file_name)
    assert found is not None  # noqa: S101 - checked before it was kept
    return Source(upload.name, "upload", found, (upload.file_name,))


def _ending(file_name: str) -> str:
    found = format_of(file_name)
    return f".{found}" + (".gz" if file_name.lower().endswith(".gz") else "")
