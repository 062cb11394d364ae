"""Shape: the columns of a source and how its values are written, found out once and then kept.

A later version of the data is then either read in just the same way or not at all: a column that
was renamed or holds something else is reported, never guessed again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rules.sandbox import Column
from rules.sources.csv_look import AS_TEXT, TIMES, CsvLook
from rules.sources.source import Source, SourceError

MOST_NAMED = 3  # columns in one sentence


@dataclass(frozen=True, slots=True)
class Shape:
    """What a source looked like when it was first read, or when a person last accepted it.

    `columns` have DuckDB's names of types. `options` are how its CSV is read. `notes` tell people
    which columns are read as text because it wasn't clear what they hold, in a sentence by column.
    `digest` is that of the source's definition: if it changes, the shape no longer holds.
    `undecided` are columns without any value, whose type isn't known.
    """

    columns: tuple[Column, ...]
    digest: str
    options: Mapping[str, str | bool] = field(default_factory=dict)
    day_first: Mapping[str, bool] = field(default_factory=dict)
    ends_with_newline: bool | None = None
    undecided: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    kept_at: str = ""


@dataclass(frozen=True, slots=True)
class ShapeChange:
    """How a source's data differ from the shape that was kept: names of columns."""

    gone: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()  # name, type before, type now

    def __bool__(self) -> bool:
        return bool(self.gone or self.added or self.retyped)

    @property
    def words(self) -> str:
        """The change in one sentence, "" if there is none."""
        parts = []
        if self.gone:
            parts.append(f"{_listed(self.gone)} {'are' if len(self.gone) > 1 else 'is'} gone")
        if self.added:
            parts.append(f"{_listed(self.added)} {'are' if len(self.added) > 1 else 'is'} new")
        parts += [
            f"{name} was {before} and is {now}" for name, before, now in self.retyped[:MOST_NAMED]
        ]
        return "; ".join(parts)


class Shapes:
    """Keeps the shape of each source as a small file in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def stamp(self, name: str) -> tuple[int, int]:
        """Return a stamp that changes when any process keeps another shape."""
        try:
            status = os.stat(self._path(name))
        except OSError:
            return (0, 0)
        return (status.st_mtime_ns, status.st_ino)

    def get(self, source: Source) -> Shape | None:
        """Return the shape that was kept for exactly this definition of the source, or None."""
        try:
            read: dict[str, Any] = json.loads(self._path(source.name).read_text(encoding="utf-8"))
            read["columns"] = tuple(Column(*each) for each in read["columns"])
            if isinstance(read["notes"], list):  # as earlier versions have written them
                read["notes"] = {each.partition(AS_TEXT)[0]: each for each in read["notes"]}
            shape = Shape(**{**read, "undecided": tuple(read["undecided"])})
        except (OSError, ValueError, KeyError, TypeError):
            # There is none yet, or it is another version's.
            return None
        return shape if shape.digest == source.digest else None

    def keep(self, source: Source, shape: Shape) -> Shape:
        """Keep a shape in place of the one before. Raises `SourceError` if it can't be written."""
        shape = replace(shape, kept_at=datetime.now(UTC).isoformat(timespec="seconds"))
        written = asdict(shape) | {"columns": [[each.name, each.type] for each in shape.columns]}
        path = self._path(source.name)
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps(written, indent=1), encoding="utf-8")
            unfinished.replace(path)
        except OSError as error:
            raise SourceError(
                source.name,
                f"The columns of {source.name} can't be kept in {self._folder}: "
                f"{error.strerror or 'no reason given'}.",
            ) from None
        return shape

    def forget(self, name: str) -> None:
        """Forget a shape; it is no error if there is none."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def change_of(shape: Shape, columns: Iterable[Column]) -> ShapeChange:
    """Return how columns differ from a shape. Their order doesn't matter."""
    before = {each.name: each.type for each in shape.columns}
    now = {each.name: each.type for each in columns}
    return ShapeChange(
        gone=tuple(each for each in before if each not in now),
        added=tuple(each for each in now if each not in before),
        retyped=tuple(
            (name, type_, now[name])
            for name, type_ in before.items()
            if name in now and now[name] != type_
        ),
    )


def check_names(source: Source, shape: Shape, file: str, names: Iterable[str]) -> None:
    """Raise `SourceError` if a column of the shape isn't among a file's."""
    names = tuple(names)
    known = [each.name for each in shape.columns]
    gone = [each for each in known if each not in names]
    if gone:
        new = [each for each in names if each and each not in known]
        raise SourceError(source.name, _gone(source, file, gone, new))


def check_types(source: Source, shape: Shape, file: str, columns: Iterable[Column]) -> None:
    """Raise `SourceError` if a column of the shape is gone or has values of another type."""
    change = change_of(shape, columns)
    if change.gone:
        raise SourceError(source.name, _gone(source, file, change.gone, change.added))
    retyped = [
        each
        for each in change.retyped
        if each[0] not in source.types
        and each[0] not in shape.undecided
        and (source.format == "parquet" or not fits(each[2], each[1]))
    ]
    if retyped:
        name, before, now = retyped[0]
        raise SourceError(
            source.name,
            f"{source.name} doesn't fit any more: {name} of {file} was {before} and is {now}. "
            "Correct the data, or accept the new columns.",
        )


def fits(now: str, before: str) -> bool:
    """Return whether values of type `now` ("" without values) also fit the type `before`."""
    if now in {"", before} or before == "VARCHAR":
        return True
    return (before == "DOUBLE" and now == "BIGINT") or (
        before.startswith("TIMESTAMP") and now == "DATE"
    )


def check_look(source: Source, shape: Shape, file: str, look: CsvLook) -> None:
    """Raise `SourceError` if a CSV's values are written differently than before."""
    delimiter = shape.options.get("delimiter")
    if look.delimiter != delimiter and not source.delimiter:
        raise SourceError(
            source.name,
            f"{source.name} doesn't fit any more: {file} has {_delimiter(look.delimiter)} between "
            f"its fields and had {_delimiter(str(delimiter))}. Correct the file, or accept the new "
            "columns.",
        )
    for each in () if source.date_format else shape.columns:
        is_slashed = each.name in look.slashed and each.name not in shape.day_first
        # DuckDB would silently take the first number for the day.
        if is_slashed and each.type.startswith(TIMES):
            raise SourceError(
                source.name,
                f"{source.name} doesn't fit any more: the dates of {each.name} were written as in "
                f"2025-01-31 and aren't in {file}. Correct the file, or accept the new columns.",
            )
    for name, day_first in look.day_first.items():
        before = shape.day_first.get(name)
        if before is not None and before != day_first:
            orders = ("the day first", "the month first")
            was, is_now = orders if before else orders[::-1]
            raise SourceError(
                source.name,
                f"{source.name} doesn't fit any more: the dates of {name} had {was} and have "
                f"{is_now} in {file}. Correct the file, or accept the new columns.",
            )


def _gone(source: Source, file: str, gone: Iterable[str], new: Iterable[str]) -> str:
    gone, new = tuple(gone), tuple(new)
    what = f"column {gone[0]}" if len(gone) == 1 else f"columns {_listed(gone)}"
    instead = f" but a new one, {_listed(new)}" if len(new) == 1 else ""
    instead = instead or (f" but new ones, {_listed(new)}" if new else "")
    return (
        f"{source.name} doesn't fit any more: {file} has no {what}{instead}. Correct the data, or "
        "accept the new columns."
    )


def _listed(names: Iterable[str]) -> str:
    names = tuple(names)
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _delimiter(delimiter: str) -> str:
    return {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}.get(delimiter, delimiter)
