"""What fetching a source makes: local files, and a print that tells whether they have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rules.sandbox import Column, Table


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells a file from its other versions: the cheapest way to see that it is unchanged."""

    path: Path
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A source's data at one moment, for a query to read.

    `fingerprint` is the same only as long as the data and the way they are read are. `newest_at` is
    when the newest of its files was written, None if that isn't known. `stamps` are those of
    files that somebody else may change while they are read; see `Sources.confirm`.
    """

    table: Table
    fingerprint: str
    newest_at: datetime | None
    stamps: tuple[Stamp, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """The local files of a source, before their columns are known.

    `names` are what people know the files by, where that isn't the end of their path. `columns` are
    given where the origin tells the types. `is_ours` says that nobody changes these files any more.
    """

    files: tuple[Path, ...]
    fingerprint: str
    newest_at: datetime | None
    is_ours: bool
    names: tuple[str, ...] = ()
    stamps: tuple[Stamp, ...] = ()
    columns: tuple[Column, ...] = ()
    options: Mapping[str, str | bool] = field(default_factory=dict)

    def name_of(self, path: Path) -> str:
        """Return what people know a file by."""
        return dict(zip(self.files, self.names, strict=False)).get(path, path.name)
