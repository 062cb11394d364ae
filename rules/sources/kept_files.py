"""Files that were fetched for a source, in a folder of DATA_DIR: complete, and never changed again.

A new version gets new files, and then one small file, `current.json`, is replaced to name them. So
no process ever reads half of a version, and a check that still reads the version before can go on,
because its files are removed only a quarter of an hour later.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rules.sources.source import SourceError

# Longer than any check takes.
KEEP_OLD_SECONDS = 900
UNFINISHED_SECONDS = 3600
CURRENT = "current.json"
OF_THE_DISK = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO,
    errno.ENOTDIR, errno.ENOENT, errno.EEXIST, errno.EMFILE, errno.ENAMETOOLONG,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of a source's files.

    `files` has their paths by what they were made from, such as an object's key. `about` is what
    the next fetch needs to know, such as an ETag. `changed_at` is when this version was fetched.
    """

    files: Mapping[str, Path]
    fingerprint: str
    changed_at: datetime
    about: Mapping[str, Any]


class KeptFiles:
    """The folder with the files of one source."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder

    def current(self) -> Kept | None:
        """Return the newest version, None if there is none that is complete."""
        try:
            read = json.loads((self._folder / CURRENT).read_text(encoding="utf-8"))
            kept = Kept(
                {of: self._folder / file for of, file in read["files"].items()},
                read["fingerprint"],
                datetime.fromisoformat(read["changed_at"]),
                read["about"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        # The folder may have been emptied.
        return kept if all(each.is_file() for each in kept.files.values()) else None

    def writing(self, ending: str) -> AbstractContextManager[Path]:
        """Return the path of a new file to write, as `writing` does."""
        return writing(self._name, self._folder, ending)

    def publish(
        self, files: Mapping[str, Path], fingerprint: str, about: Mapping[str, Any] | None = None
    ) -> Kept:
        """Make files of this folder the newest version, and remove files no longer read."""
        before = self.current()
        is_new = before is None or before.fingerprint != fingerprint
        changed_at = datetime.now(UTC) if before is None or is_new else before.changed_at
        kept = Kept(dict(files), fingerprint, changed_at, dict(about or {}))
        written = {
            "files": {of: path.name for of, path in kept.files.items()},
            "fingerprint": fingerprint,
            "changed_at": changed_at.isoformat(),
            "about": kept.about,
        }
        with self.writing(".tmp") as unfinished:
            unfinished.write_text(json.dumps(written, indent=1), encoding="utf-8")
            unfinished.replace(self._folder / CURRENT)
        if before is not None:
            for path in set(before.files.values()) - set(kept.files.values()):
                # From now on its modification time says since when it has been old.
                with suppress(OSError):
                    os.utime(path)
        self._remove_old(kept)
        return kept

    def _remove_old(self, kept: Kept) -> None:
        in_use = {CURRENT, *(each.name for each in kept.files.values())}
        with suppress(OSError):
            for entry in os.scandir(self._folder):
                seconds = UNFINISHED_SECONDS if entry.name.endswith(".tmp") else KEEP_OLD_SECONDS
                # Another process may remove it at the same time, or publish it.
                with suppress(OSError):
                    if entry.name not in in_use and time.time() - entry.stat().st_mtime > seconds:
                        os.unlink(entry.path)


@contextmanager
def writing(name: str, folder: Path, ending: str) -> Iterator[Path]:
    """Yield the path of a new file to write for a source; it is removed if the block fails.

    Raises `SourceError` if the folder can't be written to.
    """
    path = folder / f"{secrets.token_hex(12)}{ending}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield path
    except OSError as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        # A broken connection is an OSError too, and reported by the code that reads from it.
        if error.errno not in OF_THE_DISK:
            raise
        raise SourceError(
            name,
            f"The data of {name} can't be kept in {folder}: {error.strerror or 'no reason given'}.",
        ) from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
