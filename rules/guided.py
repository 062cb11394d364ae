"""The guided way to a rule: a source, a column and a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What is compared: a value with a limit; or, over time, whether rows still come, and whether a
# value jumps away from its mean a week before.
Comparison = Literal["over", "under", "is", "missing", "jump"]


@dataclass(frozen=True, slots=True)
class Guided:
    """What the guided way was filled in with.

    Bad are rows of `source` whose `column` is over or under `limit`, or is that. `limit` is a value
    as people type it; with `limit_column`, each row has its own. With "missing", bad is each thing
    of which no row came for `minutes`; with "jump", each whose mean of the last `minutes` differs
    by more than `limit` percent from its mean a week before. `key` are the columns that tell the
    things apart, and `time_column` when a row is from.
    """

    source: str
    column: str
    comparison: Comparison
    limit: str = ""
    limit_column: str = ""
    key: tuple[str, ...] = ()
    time_column: str = ""
    minutes: float = 60
