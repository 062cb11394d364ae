"""How long a new process takes until the first page is read, beside a bare Shiny app.

    python -m bench.cold_start

From starting `python -m shiny run` to the last byte of `GET /`, with an account and without one
(the simulator then answers, inside the app). All take turns, and Python's compiled files are kept.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from bench import processes, send_page
from bench.results import Result, Target, print_table

STARTS = 9
TARGET = Target("ratio", "≤", 1.4)
# Nothing listens here: an app that starts sends no requests.
NOWHERE = "http://127.0.0.1:9"


def measure() -> list[Result]:
    """Median seconds to the first page, with an account and with the simulator."""
    with processes.copied_app() as app:
        starts: dict[str, tuple[Path, Mapping[str, str]]] = {
            "bare": (processes.BARE_APP, {}),
            "account": (app, send_page.with_account(NOWHERE, NOWHERE)),
            "simulator": (app, {}),
        }
        seconds: dict[str, list[float]] = {name: [] for name in starts}
        for start in range(STARTS + 1):
            for name, (file, environment) in starts.items():
                took = _seconds_to_first_page(file, environment)
                if start > 0:  # the first one compiles Python's files
                    seconds[name].append(took)
    middle = {name: median(taken) for name, taken in seconds.items()}
    return [
        Result("Cold start with an account", "s", middle["account"], middle["bare"], TARGET),
        Result("Cold start with the simulator", "s", middle["simulator"], middle["bare"], TARGET),
    ]


def _seconds_to_first_page(app: Path, environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    with processes.running(app, environment):
        return time.perf_counter() - started


if __name__ == "__main__":
    print_table(measure())
