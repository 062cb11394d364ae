"""The results of benchmarks, and the table that shows them."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

RELATIONS = {"≤": operator.le, "≥": operator.ge, "=": operator.eq}


@dataclass(frozen=True, slots=True)
class Target:
    """The bound that a ratio, or our own figure, has to keep."""

    of: Literal["ratio", "ours"]
    relation: Literal["≤", "≥", "="]
    bound: float


@dataclass(frozen=True, slots=True)
class Result:
    """One figure of ours and the one to compare it with (a peer's or a floor), both in `unit`."""

    name: str
    unit: str
    ours: float
    peer: float
    target: Target | None = None

    @property
    def ratio(self) -> float:
        """Our figure divided by the peer's; infinite if the peer's is 0."""
        return self.ours / self.peer if self.peer else math.inf

    @property
    def verdict(self) -> str:
        """Whether the target is met, in a word; "" if there is none."""
        if self.target is None:
            return ""
        figure = self.ratio if self.target.of == "ratio" else self.ours
        return "met" if RELATIONS[self.target.relation](figure, self.target.bound) else "MISSED"

    def row(self) -> tuple[str, ...]:
        """The result as the cells of a table's row."""
        target = ""
        if self.target is not None:
            unit = f" {self.unit}" if self.target.of == "ours" and self.unit else ""
            target = f"{self.target.of} {self.target.relation} {self.target.bound:g}{unit}"
        name = f"{self.name}, {self.unit}" if self.unit else self.name
        ratio = f"{self.ratio:.2f}" if self.peer else ""
        figures = (_readable(self.ours), _readable(self.peer), ratio)
        return (name, *figures, target, self.verdict)


def print_table(results: Iterable[Result]) -> None:
    """Print a line for each result, with figures aligned."""
    rows = [("", "ours", "beside", "ratio", "target", ""), *(result.row() for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        name, *figures, target, verdict = (
            cell.ljust(width) if column in {0, 4, 5} else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([name, *figures, target, verdict]).rstrip())


def _readable(figure: float) -> str:
    """Format with three significant digits, such as 0.043 and 4,300."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
