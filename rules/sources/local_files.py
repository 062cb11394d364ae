"""Files of this machine: which there are, whether they have changed, and whether they are whole."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import stat
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from rules.sources.source import WILDCARDS, Source, SourceError, Stamp

MOST_FILES = 10_000
# File systems may store times only this precisely, so a file that was just written could change
# again without looking different.
TIMES_DIFFER_BY_SECONDS = 2
# How long a file without a line break at its end has to stay the same to count as complete.
SETTLED_SECONDS = 10


def stamps_of(source: Source, places: Iterable[str]) -> tuple[Stamp, ...]:
    """Return the stamps of the files that paths and patterns name, sorted by path.

    Raises `SourceError` if there is none, or one can't be read. A pattern may match nothing beside
    another place that does.
    """
    found: dict[Path, Stamp] = {}
    for place in places:
        paths = [place]
        if any(each in place for each in WILDCARDS):
            paths = glob.glob(place, recursive=True)
            # A folder that is being written to may lose files while it is listed.
            stamps = [stamp for each in paths if (stamp := _stamp(source, each, may_miss=True))]
        else:
            stamps = [stamp for each in paths if (stamp := _stamp(source, each, may_miss=False))]
        found |= {each.path: each for each in stamps}
        if len(found) > MOST_FILES:
            raise SourceError(
                source.name, f"{source.name} has more than {MOST_FILES:,} files: name fewer."
            )
    if not found:
        words = " or ".join(Path(each).name for each in places)
        raise SourceError(source.name, f"{source.name} has no file: nothing is called {words}.")
    return tuple(found[path] for path in sorted(found))


def stamps_of_files(source: Source, paths: Iterable[Path]) -> tuple[Stamp, ...]:
    """Return the stamps of these files, in their order. Raises `SourceError` like `stamps_of`."""
    found = (_stamp(source, str(each), may_miss=False) for each in paths)
    return tuple(each for each in found if each is not None)


def fingerprint_of(stamps: Iterable[Stamp]) -> str:
    """Return a print of the files' stamps.

    While a file was written so recently that a further change might not show, the print differs
    each time.
    """
    digest = hashlib.sha256()
    newest = 0
    for each in stamps:
        digest.update(f"{each.path}\0{each.size}\0{each.mtime_ns}\0{each.inode}\0".encode())
        newest = max(newest, each.mtime_ns)
    now = time.time_ns()
    if abs(now - newest) < TIMES_DIFFER_BY_SECONDS * 1_000_000_000:
        digest.update(str(now).encode())
    return digest.hexdigest()[:32]


def newest_of(stamps: Iterable[Stamp]) -> datetime:
    """Return when the newest of the files was written."""
    return datetime.fromtimestamp(max(each.mtime_ns for each in stamps) / 1e9, UTC)


def is_same(stamp: Stamp) -> bool:
    """Return whether the file is still the one that was looked at."""
    try:
        return _stamp_of(stamp.path) == stamp
    except OSError:
        return False


def check_whole(
    source: Source,
    stamp: Stamp,
    name: str,
    *,
    ends_with_newline: bool | None = None,
    is_settled: bool = False,
) -> bool:
    """Raise `SourceError` if a file is still being written, is cut off, or isn't what it should be.

    `ends_with_newline` says whether earlier versions of a CSV did, None if that isn't known;
    `is_settled` that the file is no longer being written. Returns whether this version ends with a
    line break.
    """
    try:
        with stamp.path.open("rb") as file:
            beginning = file.read(16)
            file.seek(max(stamp.size - 64, 0))
            end = file.read(64)
    except OSError as error:
        raise _unreadable(source, stamp.path, error) from None
    if not is_same(stamp):
        raise still_written(source, name)
    if stamp.path.suffix == ".gz":
        # Unpacking it will show whether it is complete.
        return True
    if not beginning:
        raise SourceError(source.name, f"{source.name} can't be used: {name} is empty.")
    if source.format == "parquet":
        # https://parquet.apache.org/docs/file-format/
        if not beginning.startswith(b"PAR1"):
            raise SourceError(source.name, f"{source.name} can't be used: {name} isn't Parquet.")
        if not end.endswith(b"PAR1"):
            raise still_written(source, name)
        return True
    if source.format == "json":
        if end.rstrip()[-1:] not in (b"]", b"}"):
            raise still_written(source, name)
        return True
    ends = end.rstrip(b"\0").endswith((b"\n", b"\r"))
    if not ends and ends_with_newline:
        raise SourceError(
            source.name,
            f"{source.name} is still being written: {name} doesn't end with a line break, as it "
            "did before. If it is complete, add one.",
        )
    is_settled = is_settled or time.time() - stamp.mtime_ns / 1e9 > SETTLED_SECONDS
    if not ends and not is_settled:
        raise still_written(source, name)
    return ends


def still_written(source: Source, name: str) -> SourceError:
    """Return the error for a file that isn't complete yet."""
    return SourceError(
        source.name, f"{source.name} is still being written: {name} isn't complete yet."
    )


def _stamp(source: Source, path: str, *, may_miss: bool) -> Stamp | None:
    try:
        return _stamp_of(Path(path))
    except (FileNotFoundError, NotADirectoryError):
        if may_miss:
            return None
        raise SourceError(
            source.name, f"{source.name} can't be used: there is no file {path}."
        ) from None
    except IsADirectoryError:
        if may_miss:
            return None
        raise SourceError(
            source.name,
            f"{source.name} can't be used: {path} is a folder. Name its files, such as "
            f"{Path(path).name}/*.csv.",
        ) from None
    except (OSError, ValueError) as error:
        raise _unreadable(source, Path(path), error) from None


def _stamp_of(path: Path) -> Stamp:
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(path)
    if not stat.S_ISREG(status.st_mode):
        # Opening a pipe would wait for a program to write to it.
        raise OSError(errno.EINVAL, "it isn't a regular file")
    return Stamp(path, status.st_size, status.st_mtime_ns, status.st_ino)


def _unreadable(source: Source, path: Path, error: Exception) -> SourceError:
    reason = getattr(error, "strerror", None) or "no reason given"
    return SourceError(source.name, f"{source.name} can't be used: {path.name}: {reason}.")
