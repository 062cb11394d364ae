"""The CSV files of a source made ready to be read: complete, in UTF-8, and all with the columns.

What was found out about a file is remembered as long as its stamp is the same, so that of a folder
with thousands of files only the new ones are opened.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from rules.sources.csv_look import CsvLook, header_of, look_at
from rules.sources.errors import SourceError
from rules.sources.kept_files import KeptFiles
from rules.sources.local_files import check_whole, is_same, still_written
from rules.sources.plain_copies import encoding_of, is_plain, separator_hint, write_plain
from rules.sources.shapes import Shape, check_look, check_names
from rules.sources.snapshot import Stamp
from rules.sources.source import Source


@dataclass(frozen=True, slots=True)
class ReadyFile:
    """A file that is complete, and where its text in UTF-8 is: itself or a copy."""

    stamp: Stamp
    plain: Path
    delimiter: str  # of Excel's first line, or ""
    ends_with_newline: bool


@dataclass(frozen=True, slots=True)
class ReadyFiles:
    """All files of a source, and how the first of them is written."""

    files: tuple[ReadyFile, ...]
    look: CsvLook

    @property
    def ends_with_newline(self) -> bool:
        """Whether every file does."""
        return all(each.ends_with_newline for each in self.files)


class CsvFiles:
    """Makes the files of one source ready; blocks, so call it in a thread."""

    def __init__(self, copies: KeptFiles) -> None:
        self._copies = copies
        self._ready: dict[Stamp, ReadyFile] = {}
        self._headers: dict[tuple[Stamp, str], tuple[str, ...]] = {}

    def make_ready(
        self, source: Source, stamps: tuple[Stamp, ...], shape: Shape | None, *, is_ours: bool
    ) -> ReadyFiles:
        """Return the files, all checked against the shape and against each other.

        `is_ours` says that they were fetched, so that nobody is still writing them. Raises
        `SourceError`.
        """
        newline = None if shape is None or is_ours else shape.ends_with_newline
        files = tuple(self._make_file_ready(source, each, newline, is_ours) for each in stamps)
        self._keep_copies(files)
        # With a pattern that is sorted by date, the last is the newest.
        newest = max(files, key=lambda each: each.stamp.mtime_ns)
        look = look_at(_with_hint(source, newest), newest.plain)
        for each in files:
            names = self._header(source, each, look.delimiter)
            if shape is not None:
                check_names(source, shape, each.stamp.path.name, names)
            elif set(names) != set(look.columns):
                raise _different(source, newest, look.columns, each, names)
        if shape is not None:
            check_look(source, shape, newest.stamp.path.name, look)
        self._forget_others(stamps)
        return ReadyFiles(files, look)

    def _make_file_ready(
        self, source: Source, stamp: Stamp, newline: bool | None, is_ours: bool
    ) -> ReadyFile:
        known = self._ready.get(stamp)
        if known is not None and (known.ends_with_newline or not newline) and known.plain.exists():
            return known
        encoding = encoding_of(source, stamp.path)
        hint = separator_hint(source, stamp.path, encoding)
        # What was fetched came complete, whatever its end is.
        ends = check_whole(source, stamp, ends_with_newline=newline, is_settled=is_ours)
        plain = stamp.path
        if not is_plain(source, stamp.path, encoding, hint):
            plain = self._copied(source, stamp, encoding, hint)
        ready = ReadyFile(stamp, plain, hint, ends)
        self._ready[stamp] = ready
        return ready

    def _copied(self, source: Source, stamp: Stamp, encoding: str, hint: str) -> Path:
        kept = self._copies.current()
        name = _name_of(stamp)
        if kept and name in kept.files and kept.about.get("encoding") == encoding:
            return kept.files[name]
        with self._copies.writing(".csv") as to:
            write_plain(source, stamp.path, encoding, hint, to)
            if not is_same(stamp):
                to.unlink()
                raise still_written(source, stamp.path)
        self._copies.publish(
            {**(kept.files if kept else {}), name: to}, name, {"encoding": encoding}
        )
        return to

    def _keep_copies(self, files: tuple[ReadyFile, ...]) -> None:
        """Remove the copies of files that are no longer part of the source."""
        kept = self._copies.current()
        if kept is None:
            return
        names = {_name_of(each.stamp) for each in files}
        if not kept.files.keys() <= names:
            rest = {name: path for name, path in kept.files.items() if name in names}
            self._copies.publish(rest, kept.fingerprint, kept.about)

    def _header(self, source: Source, file: ReadyFile, delimiter: str) -> tuple[str, ...]:
        if (file.stamp, delimiter) not in self._headers:
            names = header_of(source, file.plain, delimiter)
            self._headers[file.stamp, delimiter] = names
        return self._headers[file.stamp, delimiter]

    def _forget_others(self, stamps: tuple[Stamp, ...]) -> None:
        within = set(stamps)
        if len(self._ready) > 2 * len(within):
            self._ready = {key: each for key, each in self._ready.items() if key in within}
            self._headers = {key: each for key, each in self._headers.items() if key[0] in within}


def _with_hint(source: Source, file: ReadyFile) -> Source:
    return replace(source, delimiter=source.delimiter or file.delimiter)


def _name_of(stamp: Stamp) -> str:
    return hashlib.sha256(repr(stamp).encode()).hexdigest()[:32]


def _different(
    source: Source,
    one: ReadyFile,
    names: tuple[str, ...],
    other: ReadyFile,
    other_names: tuple[str, ...],
) -> SourceError:
    only = [each for each in names if each not in other_names]
    file, lacking = (one, other) if only else (other, one)
    column = only[0] if only else next(each for each in other_names if each not in names)
    return SourceError(
        source.name,
        f"{source.name} can't be used: {lacking.stamp.path.name} has no column {column}, and "
        f"{file.stamp.path.name} has one. All files of a source need the same columns.",
    )
