"""CSV files as DuckDB reads them: in UTF-8, not compressed, without Excel's first line.

A file that is so already is read where it is. Of another one a copy is made, once a version.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from pathlib import Path
from typing import BinaryIO

from rules.sources.errors import SourceError
from rules.sources.source import Source

BLOCK_BYTES = 1_000_000
SAMPLE_BYTES = 256_000
# Of one file, after it is unpacked.
MOST_BYTES = 4_000_000_000
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# How files begin that hold no text, and what to do with them.
OTHER_FILES = (
    (b"PK\x03\x04", "is an Excel workbook or a zip file: save it as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook: save it as CSV (UTF-8)"),
    (b"SQLite format 3\0", "is an SQLite database: name it with sqlite instead of file"),
    (b"PAR1", 'is Parquet: add format = "parquet"'),
    (b"%PDF", "is a PDF: save the data as CSV"),
)
WEB_PAGES = (b"<!doctype html", b"<html")


def encoding_of(source: Source, path: Path) -> str:
    """Return how a text file is encoded: utf-8, or another for which a copy is needed.

    Raises `SourceError` if it is no text, or of a kind that is known.
    """
    sample = _beginning(source, path)
    for beginning, problem in OTHER_FILES:
        if sample.startswith(beginning):
            raise _unusable(source, path, problem)
    if sample.lstrip()[:14].lower().startswith(WEB_PAGES):
        raise _unusable(
            source,
            path,
            "is a web page, not data: check the address, and whether it asks to sign in",
        )
    if source.encoding:
        return source.encoding
    for mark, name in BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return name
    if b"\0" in sample:
        problem = "is no text file: if it is UTF-16, set encoding"
        raise _unusable(source, path, problem)
    try:
        # The last character of the sample may be cut in the middle.
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        # What Excel writes on Windows unless told otherwise.
        return "cp1252"
    return "utf-8"


def separator_hint(source: Source, path: Path, encoding: str) -> str:
    """Return the delimiter in Excel's first line `sep=;`, "" if there is no such line."""
    first = _beginning(source, path).decode(encoding, errors="replace").partition("\n")[0].strip()
    return first[4] if len(first) == 5 and first.startswith("sep=") else ""


def is_plain(source: Source, path: Path, encoding: str, hint: str) -> bool:
    """Return whether a CSV can be read where it is."""
    return encoding in {"utf-8", "utf-8-sig"} and not hint and path.suffix != ".gz"


def write_plain(source: Source, path: Path, encoding: str, hint: str, to: Path) -> None:
    """Write a CSV to `to` in UTF-8, unpacked and without Excel's first line."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    written = 0
    try:
        with _opened(path) as original, to.open("w", encoding="utf-8", newline="") as copy:
            is_first = bool(hint)
            while block := original.read(BLOCK_BYTES):
                text = decoder.decode(block)
                if is_first:
                    text, is_first = text.partition("\n")[2], False
                written += copy.write(text.removeprefix("\ufeff") if written == 0 else text)
                if written > MOST_BYTES:
                    raise _unusable(source, path, "is too large")
            copy.write(decoder.decode(b"", final=True))
    except UnicodeDecodeError:
        raise _unusable(source, path, f"isn't {encoding}: set encoding for the source") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise _unusable(source, path, "is compressed and can't be unpacked") from None


def _opened(path: Path) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _beginning(source: Source, path: Path) -> bytes:
    try:
        with _opened(path) as file:
            return file.read(SAMPLE_BYTES)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise _unusable(source, path, "is compressed and can't be unpacked") from None
    except OSError as error:
        raise _unusable(source, path, error.strerror or "can't be read") from None


def _unusable(source: Source, path: Path, problem: str) -> SourceError:
    return SourceError(source.name, f"{source.name} can't be used: {path.name} {problem}.")
