"""From a source's files to the table that a query reads, in the kept shape or a new one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rules.sandbox import Column, QueryError, Table
from rules.sources.csv_files import ReadyFiles
from rules.sources.csv_look import TIMES, CsvLook
from rules.sources.shapes import Shape, check_types
from rules.sources.source import Fetched, Source, SourceError, Stamp

# Reads or guesses the columns of tables by their names: `Sandbox.columns`.
ColumnsOf = Callable[[Sequence[Table]], Awaitable[Mapping[str, tuple[Column, ...]]]]
# Types of a JSON column whose values don't determine one.
OPEN_TYPES = {"JSON", '"NULL"', "NULL"}


@dataclass(frozen=True, slots=True)
class Ready:
    """The complete files of a source; `csv` is what is known of CSV files that people write."""

    fetched: Fetched
    files: tuple[Path, ...]
    csv: ReadyFiles | None = None
    # Stamps of files that others may change while they are read.
    stamps: tuple[Stamp, ...] = ()


async def shaped(
    source: Source, ready: Ready, shape: Shape | None, columns_of: ColumnsOf
) -> tuple[Table, Shape]:
    """Return the table, and the shape to keep: `shape`, unless more is known of it now.

    Raises `SourceError` if the files don't fit the shape.
    """
    if shape is None:
        shape = await _new_shape(source, ready, columns_of)
    else:
        shape = await _checked(source, ready, shape, columns_of)
    return _table(source, ready, shape), shape


def _table(source: Source, ready: Ready, shape: Shape) -> Table:
    return Table(
        name=source.name,
        files=ready.files,
        format=source.format,
        columns=shape.columns,
        time_column=source.time_column,
        options=shape.options,
    )


async def _new_shape(source: Source, ready: Ready, columns_of: ColumnsOf) -> Shape:
    fetched = ready.fetched
    if fetched.columns:
        undecided = tuple(each.name for each in fetched.columns if not each.type)
        found: tuple[Column, ...] = fetched.columns
        shape = Shape((), source.digest, fetched.options, undecided=undecided)
    elif ready.csv:
        look = ready.csv.look
        _check_dates(source, look)
        options = _options(look)
        found = await _guessed(source, ready, options, columns_of)
        undecided = tuple(sorted(look.empty)) if look.has_rows else look.columns
        shape = Shape(
            (),
            source.digest,
            options,
            look.day_first,
            ready.csv.ends_with_newline,
            undecided,
            look.notes,
        )
    else:
        found = await _guessed(source, ready, {}, columns_of)
        undecided = tuple(each.name for each in found if each.type in OPEN_TYPES)
        shape = Shape((), source.digest, undecided=undecided)
    columns = _typed(source, found, ready.csv.look.texts if ready.csv else ())
    if source.time_column and source.time_column not in {each.name for each in columns}:
        raise SourceError(
            source.name,
            f"{source.name} has no column {source.time_column}, which is its time_column. It has "
            f"{', '.join(each.name for each in columns[:10])}.",
        )
    return replace(shape, columns=columns)


async def _checked(source: Source, ready: Ready, shape: Shape, columns_of: ColumnsOf) -> Shape:
    """Check the files against the shape, and decide types that were undecided in it."""
    if ready.csv:
        # Names and dates were checked already, and a value of another type makes the query fail.
        look = ready.csv.look
        newly = [each for each in shape.undecided if look.has_rows and each not in look.empty]
        if not newly:
            return shape
        found = await _guessed(source, ready, shape.options, columns_of)
        decided = _decided(source, shape, newly, found, look.texts)
        noted = {each: look.notes[each] for each in newly if each in look.notes}
        return replace(decided, notes={**shape.notes, **noted})
    found = ready.fetched.columns or await _guessed(source, ready, {}, columns_of)
    check_types(source, shape, ready.fetched.name_of(ready.files[-1]), found)
    types = {each.name: each.type for each in found}
    newly = [
        each for each in shape.undecided if types.get(each, "") not in {"", *OPEN_TYPES}
    ]  # fmt: skip
    return _decided(source, shape, newly, found, ()) if newly else shape


def _decided(
    source: Source,
    shape: Shape,
    newly: Iterable[str],
    found: Iterable[Column],
    texts: Iterable[str],
) -> Shape:
    newly = set(newly)
    types = {each.name: each for each in _typed(source, found, texts)}
    return replace(
        shape,
        columns=tuple(
            types.get(each.name, each) if each.name in newly else each for each in shape.columns
        ),
        undecided=tuple(each for each in shape.undecided if each not in newly),
    )


async def _guessed(
    source: Source, ready: Ready, options: Mapping[str, str | bool], columns_of: ColumnsOf
) -> tuple[Column, ...]:
    table = Table(source.name, ready.files, source.format, options=options)
    try:
        return (await columns_of([table]))[source.name]
    except QueryError as error:
        raise SourceError(source.name, f"{source.name} can't be used: {error}") from None


def _typed(source: Source, found: Iterable[Column], texts: Iterable[str]) -> tuple[Column, ...]:
    """Return columns with the types from the definition."""
    columns = tuple(found)
    names = {each.name for each in columns}
    for name in source.types:
        if name not in names:
            raise SourceError(
                source.name,
                f"{source.name} has no column {name}, which its types name. It has "
                f"{', '.join(each.name for each in columns[:10])}.",
            )
    as_text = set(texts)
    return tuple(
        Column(
            each.name,
            source.types.get(each.name) or ("VARCHAR" if each.name in as_text else "")
            or each.type or "VARCHAR",
        )
        for each in columns
    )  # fmt: skip


def _check_dates(source: Source, look: CsvLook) -> None:
    """Refuse columns that the definition calls dates if the order of day and month isn't known."""
    for name, type_ in source.types.items():
        if type_.startswith(TIMES) and name in look.slashed & look.texts:
            raise SourceError(
                source.name,
                f"{source.name} can't be used: it isn't known whether the day or the month comes "
                f'first in {name}. In sources.toml, set date_format = "%d/%m/%Y" or "%m/%d/%Y".',
            )


def _options(look: CsvLook) -> dict[str, str | bool]:
    """Return how a CSV is to be read, leaving nothing for DuckDB to guess."""
    options: dict[str, str | bool] = {
        "header": True, "delimiter": look.delimiter, "quote": '"', "escape": '"', "comment": ""
    }  # fmt: skip
    if look.decimal:
        options["decimal"] = look.decimal
    if look.date_format:
        options["dateformat"] = look.date_format
    if look.timestamp_format:
        options["timestampformat"] = look.timestamp_format
    if look.nulls:
        # One a line, besides the empty field.
        options["nullstr"] = "\n".join(("", *look.nulls))
    return options
