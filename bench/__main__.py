"""Run every benchmark and print one table of ratios: `python -m bench`, or `make bench`."""

from __future__ import annotations

import asyncio

from bench import (
    change_to_preview,
    cold_start,
    create_calls,
    exchange,
    people,
    press_to_acceptance,
    rules,
    rules_sandbox,
    rules_sources,
    throughput,
    twiml_speed,
)
from bench.results import Result, Target, print_table


def _create_calls() -> list[Result]:
    found = asyncio.run(create_calls.measure())
    rates = (found["calls_per_second"], found["bare_calls_per_second"])
    cpu = (found["cpu_ms_per_call"], found["bare_cpu_ms_per_call"])
    return [
        Result("1,000 create_calls, 50 in flight", "calls/s", *rates, Target("ratio", "≥", 0.85)),
        Result("CPU of a create_call", "ms", *cpu, Target("ours", "≤", 1)),
    ]


def _twiml_speed() -> list[Result]:
    found = twiml_speed.measure()
    return [Result("A TwiML document, beside Twilio's SDK", "µs", found["ours"], found["official"])]


def main() -> None:
    """Run the benchmarks one after another, so that none disturbs another."""
    results: list[Result] = []
    for name, measure in (
        ("press to acceptance", press_to_acceptance.measure),
        ("create_call", _create_calls),
        ("change to preview", change_to_preview.measure),
        ("throughput", throughput.measure),
        ("cold start", cold_start.measure),
        ("TwiML", _twiml_speed),
        ("simulator", exchange.measure),
        ("people", people.measure),
        ("rules", rules.measure),
        ("sandbox", rules_sandbox.measure),
        ("sources of rules", rules_sources.measure),
    ):
        print(f"Measuring: {name} …", flush=True)
        results.extend(measure())
    print()
    print_table(results)


if __name__ == "__main__":
    main()
