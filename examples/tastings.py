"""Make the tastings of the example grow, for rules to watch: `python -m examples.tastings`.

Appends a good tasting every few seconds; with `--bad`, appends one bad tasting and ends.
`--history` first adds those of the last 30 days, 14 of them bad. All of it goes to
DATA_DIR/example/ and is made up, the same at each run except for its times. Remove that folder to
start over.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import random
import sys
import time
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).absolute().parents[1]))

from settings import Settings, SettingsError

BEERS = ("Pale ale", "Brown ale", "Harvest lager", "Dry stout", "Wheat beer", "Porter")
# Numbers of the simulator, see docs/simulator.md: those listed there answer in their own way.
BREWERS = (
    ("Ben Adeyemi", "+14125550123"),
    ("Clara Novak", "+14125550147"),
    ("Priya Nair", "+14125550106"),
    ("Tomás Leal", "+14125550103"),
    ("Ruth Kaplan", "+14125550107"),
)
LIMIT_PPB = 100  # of diacetyl, which tastes of butter
FIRST_NEW_BATCH = 1500  # smaller numbers are in the files of the example, or in the history
FIRST_OF_HISTORY = 1420
HISTORY_DAYS = 30
HISTORY_ROWS = 80
BAD_IN_HISTORY = 14


@dataclass(frozen=True, slots=True)
class Tasting:
    """One row: who tasted what when, and how much diacetyl was in it."""

    batch: int
    beer: str
    diacetyl_ppb: int
    limit_ppb: int
    tasted_at: str
    brewer: str
    phone: str


def tasting(batch: int, at: datetime, *, is_bad: bool) -> Tasting:
    """Make up the tasting of a batch: always the same, except for its time."""
    dice = random.Random(batch)  # noqa: S311
    beer = dice.choice(BEERS)
    brewer, phone = dice.choice(BREWERS)
    ppb = dice.randrange(LIMIT_PPB + 9, LIMIT_PPB + 60) if is_bad else dice.randrange(12, 78)
    return Tasting(batch, beer, ppb, LIMIT_PPB, at.isoformat(" ", "seconds"), brewer, phone)


def append(file: Path, rows: list[Tasting]) -> None:
    """Append rows to a CSV in one write, so that no one ever reads half a row."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    opened = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        if os.fstat(opened).st_size == 0:
            writer.writerow(each.name for each in fields(Tasting))
        writer.writerows(map(astuple, rows))
        os.write(opened, text.getvalue().encode())
    finally:
        os.close(opened)


def history(now: datetime) -> list[Tasting]:
    """Make up the tastings of the last 30 days, the bad ones spread over them."""
    dice = random.Random(HISTORY_DAYS)  # noqa: S311
    bad = set(dice.sample(range(HISTORY_ROWS), BAD_IN_HISTORY))
    began = now - timedelta(days=HISTORY_DAYS)
    step = timedelta(days=HISTORY_DAYS) / (HISTORY_ROWS + 1)
    return [
        tasting(FIRST_OF_HISTORY + at, began + step * (at + 1), is_bad=at in bad)
        for at in range(HISTORY_ROWS)
    ]


def next_batch(file: Path) -> int:
    """Return the batch after the last one in the file."""
    try:
        rows = max(file.read_text(encoding="utf-8").count("\n") - 1, 0)
    except FileNotFoundError:
        rows = 0
    return FIRST_NEW_BATCH + rows


def grow(folder: Path, every_seconds: float) -> None:
    """Append a good tasting again and again, until Ctrl+C."""
    file = folder / "tastings.csv"
    while True:
        row = tasting(next_batch(file), datetime.now(UTC), is_bad=False)
        append(file, [row])
        print(_words(row), flush=True)
        time.sleep(every_seconds)


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m examples.tastings", description=__doc__)
    parser.add_argument("--bad", action="store_true", help="append one bad tasting, and end")
    parser.add_argument(
        "--history", action="store_true", help="first add those of the last 30 days"
    )
    parser.add_argument(
        "--every", type=float, default=5, metavar="SECONDS", help="between two tastings (5)"
    )
    chosen = parser.parse_args()
    if not 0.01 <= chosen.every <= 86_400:
        parser.error("--every must be between 0.01 and 86400 seconds")
    try:
        folder = Settings().data_dir / "example"
        if chosen.history and not (folder / "tastings_history.csv").exists():
            append(folder / "tastings_history.csv", history(datetime.now(UTC)))
        if chosen.bad:
            row = tasting(next_batch(folder / "tastings.csv"), datetime.now(UTC), is_bad=True)
            append(folder / "tastings.csv", [row])
            print(_words(row))
        else:
            grow(folder, chosen.every)
    except SettingsError as problem:
        sys.exit(str(problem))
    except OSError as error:
        sys.exit(f"The example can't be written: {error.filename}: {error.strerror}.")
    except KeyboardInterrupt:
        pass


def _words(row: Tasting) -> str:
    finding = "over its limit" if row.diacetyl_ppb > row.limit_ppb else "fine"
    return f"Batch {row.batch}, {row.beer}: {row.diacetyl_ppb} ppb diacetyl, {finding}"


if __name__ == "__main__":
    main()
