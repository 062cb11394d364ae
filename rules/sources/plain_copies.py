"""CSV files as DuckDB reads them: in UTF-8, not compressed, without Excel's first line.

A file that is like this already is read in place. Other files are copied, once for each version; of
a file that is written to all the time, the complete lines are copied.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import os
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rules.sources.kept_files import KEEP_OLD_SECONDS, writing
from rules.sources.local_files import is_same, still_written
from rules.sources.source import Source, SourceError, Stamp

BLOCK_BYTES = 1_000_000
SAMPLE_BYTES = 256_000
# The size of one file after unpacking.
MOST_BYTES = 4_000_000_000
UTF_8 = ("utf-8", "utf-8-sig")
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The first bytes of files that hold no text, and what to do about them.
OTHER_FILES = (
    (b"PK\x03\x04", "is an Excel workbook or a zip file: save it as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook: save it as CSV (UTF-8)"),
    (b"SQLite format 3\0", "is an SQLite database: name it with sqlite instead"),
    (b"PAR1", "is Parquet, not CSV"),
    (b"%PDF", "is a PDF: save its data as CSV"),
)
WEB_PAGES = (b"<!doctype html", b"<html")


@dataclass(frozen=True, slots=True)
class Writing:
    """How a text file is written: its encoding, and the delimiter in Excel's first line `sep=;`."""

    encoding: str
    separator: str
    is_compressed: bool

    @property
    def is_plain(self) -> bool:
        """Whether DuckDB can read the file where it is."""
        return self.encoding in UTF_8 and not self.separator and not self.is_compressed


def writing_of(source: Source, path: Path, name: str) -> Writing:
    """Find out how a file is written. Raises `SourceError` if it isn't readable text."""
    sample = _beginning(source, path, name)
    encoding = _encoding(source, name, sample)
    first = sample.decode(encoding, errors="replace").partition("\n")[0].strip()
    separator = first[4] if len(first) == 5 and first.startswith("sep=") else ""
    return Writing(encoding, separator, path.suffix == ".gz")


class PlainCopies:
    """The copies of one source's files, in a folder that several processes may share."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder
        # Since when (monotonic seconds) a copy hasn't belonged to any file of the source.
        self._unused_since: dict[Path, float] = {}

    def copy(
        self, source: Source, stamp: Stamp, name: str, how: Writing, *, only_whole_lines: bool
    ) -> Path:
        """Return a copy of a file as DuckDB reads it, made only if there is none yet.

        With `only_whole_lines`, the copy ends at the file's last line break, and the file may grow
        meanwhile. Raises `SourceError`.
        """
        what = f"{stamp!r}{how!r}{only_whole_lines}"
        path = self._folder / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.csv"
        if path.exists():
            return path
        with writing(self._name, self._folder, ".tmp") as unfinished:
            _write(source, stamp, name, how, unfinished)
            if only_whole_lines:
                _cut_last_line(unfinished)
            if not (_has_only_grown(stamp) if only_whole_lines else is_same(stamp)):
                raise still_written(source, name)
            # Another process may have made the same copy meanwhile; replacing it does no harm.
            unfinished.replace(path)
        return path

    def keep_only(self, used: Iterable[Path]) -> None:
        """Remove copies that were unused for so long that no check can be reading them."""
        paths = set(used)
        now = time.monotonic()
        with suppress(FileNotFoundError):
            others = {Path(entry.path) for entry in os.scandir(self._folder)} - paths
            self._unused_since = {each: self._unused_since.get(each, now) for each in others}
        for path, since in self._unused_since.items():
            if now - since > KEEP_OLD_SECONDS:
                path.unlink(missing_ok=True)


def _encoding(source: Source, name: str, sample: bytes) -> str:
    for beginning, problem in OTHER_FILES:
        if sample.startswith(beginning):
            raise _unusable(source, name, problem)
    if sample.lstrip()[:14].lower().startswith(WEB_PAGES):
        problem = "is a web page, not data: check the address, and whether it asks to sign in"
        raise _unusable(source, name, problem)
    if source.encoding:
        return source.encoding
    for mark, encoding in BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return encoding
    if b"\0" in sample:
        raise _unusable(source, name, "is no text file: if it is UTF-16, set its encoding")
    try:
        # The last character of the sample may be cut in the middle.
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        # Excel on Windows writes this by default.
        return "cp1252"
    return "utf-8"


def _write(source: Source, stamp: Stamp, name: str, how: Writing, to: Path) -> None:
    decoder = codecs.getincrementaldecoder(how.encoding)()
    # Lines appended meanwhile belong to the next version.
    left = MOST_BYTES if how.is_compressed else stamp.size
    is_first = bool(how.separator)
    try:
        with _opened(stamp.path) as original, to.open("w", encoding="utf-8", newline="") as copy:
            while left > 0 and (block := original.read(min(BLOCK_BYTES, left))):
                left -= len(block)
                text = decoder.decode(block)
                if is_first:
                    text, is_first = text.partition("\n")[2], False
                copy.write(text)
            if left <= 0 and how.is_compressed:
                raise _unusable(source, name, "is too large")
            copy.write(decoder.decode(b"", final=True))
    except UnicodeDecodeError:
        problem = f"isn't {how.encoding}: set the encoding that it has"
        raise _unusable(source, name, problem) from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise _unusable(source, name, "is compressed and can't be unpacked") from None


def _cut_last_line(path: Path) -> None:
    """Remove everything after the last line break."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(end - BLOCK_BYTES, 0)
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                file.truncate(start + at + 1)
                return
            end = start
        file.truncate(0)


def _has_only_grown(stamp: Stamp) -> bool:
    try:
        status = os.stat(stamp.path)
    except OSError:
        return False
    return status.st_ino == stamp.inode and status.st_size >= stamp.size


def _opened(path: Path) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _beginning(source: Source, path: Path, name: str) -> bytes:
    try:
        with _opened(path) as file:
            return file.read(SAMPLE_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise _unusable(source, name, "is compressed and can't be unpacked") from None
    except OSError as error:
        raise _unusable(source, name, error.strerror or "can't be read") from None


def _unusable(source: Source, name: str, problem: str) -> SourceError:
    return SourceError(source.name, f"{source.name} can't be used: {name} {problem}.")
