"""Makes a source's CSV files ready to be read: complete, in UTF-8, and with the right columns.

What is known of a file is remembered as long as its stamp is the same, so only the new files in a
folder with thousands are opened.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rules.sources.csv_look import CsvLook, header_of, look_at
from rules.sources.local_files import SETTLED_SECONDS, check_whole, still_written
from rules.sources.plain_copies import PlainCopies, Writing, writing_of
from rules.sources.shapes import Shape, check_look, check_names
from rules.sources.source import Fetched, Source, SourceError, Stamp

# Larger files are read in place, never copied.
MOST_BYTES_TO_COPY = 500_000_000
# When a process starts, thousands of files may be there, and most were looked at when they came.
MOST_NEW_FILES_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class ReadyFile:
    """A file that is complete, and where its text in UTF-8 is: itself or a copy."""

    stamp: Stamp
    name: str
    how: Writing
    plain: Path
    ends_with_newline: bool

    @property
    def is_there(self) -> bool:
        """Whether the file is still there: a copy may have been removed meanwhile."""
        return self.plain == self.stamp.path or self.plain.exists()


@dataclass(frozen=True, slots=True)
class ReadyFiles:
    """All files of a source, and how the newest of them is written."""

    files: tuple[ReadyFile, ...]
    look: CsvLook

    @property
    def ends_with_newline(self) -> bool:
        """Whether every file ends with a line break."""
        return all(each.ends_with_newline for each in self.files)

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """The stamps of the files that are read in place."""
        return tuple(each.stamp for each in self.files if each.plain == each.stamp.path)


class CsvFiles:
    """Makes the files of one source ready. It blocks, and only one thread at a time may use it."""

    def __init__(self, copies: PlainCopies) -> None:
        self._copies = copies
        self._ready: dict[Stamp, ReadyFile] = {}
        self._headers: dict[tuple[Stamp, str], tuple[str, ...]] = {}
        self._seen: dict[Path, Stamp] = {}  # the version of each file before

    def make_ready(
        self,
        source: Source,
        fetched: Fetched,
        stamps: tuple[Stamp, ...],
        shape: Shape | None,
        *,
        in_copies: bool = False,
    ) -> ReadyFiles:
        """Return the files, all checked against the shape and against each other.

        `in_copies` asks for copies of files that others write to, unless they are too large. Raises
        `SourceError`.
        """
        files = []
        for each in stamps:
            try:
                files.append(self._make_file_ready(source, fetched, each, shape, in_copies))
            finally:
                self._seen[each.path] = each
        newest = max(files, key=lambda each: each.stamp.mtime_ns)
        named = source if source.delimiter else replace(source, delimiter=newest.how.separator)
        look = look_at(named, newest.plain, newest.name)
        new = [each for each in files if (each.stamp, look.delimiter) not in self._headers]
        for file in files:
            self._check_header(source, file, newest, look, shape)
        if shape is not None:
            check_look(source, shape, newest.name, look)
            for file in new[:MOST_NEW_FILES_LOOKED_AT]:
                if file is not newest:
                    check_look(source, shape, file.name, look_at(named, file.plain, file.name))
            if not look.has_rows and not fetched.is_ours and not _is_settled(newest.stamp):
                # A program that rewrites the file begins with the header.
                raise still_written(source, newest.name)
        self._forget_others(stamps)
        self._copies.keep_only(each.plain for each in files)
        return ReadyFiles(tuple(files), look)

    def _make_file_ready(
        self, source: Source, fetched: Fetched, stamp: Stamp, shape: Shape | None, in_copies: bool
    ) -> ReadyFile:
        name = fetched.name_of(stamp.path)
        newline = None if shape is None or fetched.is_ours else shape.ends_with_newline
        in_copies = in_copies and not fetched.is_ours and stamp.size <= MOST_BYTES_TO_COPY
        known = self._ready.get(stamp)
        is_known = known is not None and known.is_there
        if known and is_known and not in_copies and (known.ends_with_newline or not newline):
            return known
        how = writing_of(source, stamp.path, name)
        before = self._seen.get(stamp.path)
        if not fetched.is_ours and before and stamp.size < before.size and not _is_settled(stamp):
            # The file may be in the middle of being rewritten.
            raise still_written(source, name)
        is_growing = before is not None and _has_grown(before, stamp)
        try:
            # A fetched file is complete, however it ends.
            ends = check_whole(
                source, stamp, name, ends_with_newline=newline, is_settled=fetched.is_ours
            )
        except SourceError:
            # A program that buffers its output nearly always leaves half a line at the end.
            if not (is_growing and newline and stamp.size <= MOST_BYTES_TO_COPY):
                raise
            in_copies, ends = True, True
        plain = stamp.path
        if in_copies or not how.is_plain:
            plain = self._copies.copy(source, stamp, name, how, only_whole_lines=in_copies)
        ready = ReadyFile(stamp, name, how, plain, ends)
        self._ready[stamp] = ready
        return ready

    def _check_header(
        self,
        source: Source,
        file: ReadyFile,
        newest: ReadyFile,
        look: CsvLook,
        shape: Shape | None,
    ) -> None:
        key = (file.stamp, look.delimiter)
        if key not in self._headers:
            self._headers[key] = header_of(source, file.plain, file.name, look.delimiter)
        names = self._headers[key]
        if shape is not None:
            check_names(source, shape, file.name, names)
        elif set(names) != set(look.columns):
            raise _different(source, {newest.name: look.columns, file.name: names})

    def _forget_others(self, stamps: tuple[Stamp, ...]) -> None:
        within = set(stamps)
        if len(self._ready) > 2 * len(within):
            paths = {each.path for each in within}
            self._ready = {key: each for key, each in self._ready.items() if key in within}
            self._headers = {key: each for key, each in self._headers.items() if key[0] in within}
            self._seen = {path: each for path, each in self._seen.items() if path in paths}


def _has_grown(before: Stamp, now: Stamp) -> bool:
    return before.inode == now.inode and now.size >= before.size


def _is_settled(stamp: Stamp) -> bool:
    return time.time() - stamp.mtime_ns / 1e9 > SETTLED_SECONDS


def _different(source: Source, columns: Mapping[str, tuple[str, ...]]) -> SourceError:
    (one, names), (other, other_names) = columns.items()
    only = [each for each in names if each not in other_names]
    column = only[0] if only else next(each for each in other_names if each not in names)
    has, lacks = (one, other) if only else (other, one)
    return SourceError(
        source.name,
        f"{source.name} can't be used: {lacks} has no column {column}, and {has} has one. All "
        "files of a source need the same columns.",
    )
