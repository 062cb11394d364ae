"""Sessions begin quickly: Shiny describes nothing for traces that can't be made."""

import inspect
import sys

import pytest
from shiny import reactive

from dashboard.tracing import skip_tracing_if_not_installed


def test_what_a_session_consists_of_is_made_without_reading_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    skip_tracing_if_not_installed()
    read: list[str] = []
    for name in ("stack", "getsourcefile", "getsourcelines"):
        monkeypatch.setattr(inspect, name, lambda *_, name=name: read.append(name))

    reactive.Value(0)

    @reactive.calc
    def calculation() -> int:
        return 1

    @reactive.effect
    def effect() -> None:
        calculation()

    @reactive.extended_task
    async def task() -> None:
        calculation()

    effect.destroy()
    assert read == []


async def test_a_flush_does_not_look_for_what_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    skip_tracing_if_not_installed()
    looked_for: list[str] = []

    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            looked_for.append(name)

    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    ran: list[bool] = []

    @reactive.effect
    def effect() -> None:
        ran.append(True)

    await reactive.flush()
    effect.destroy()

    assert ran == [True]
    assert [each for each in looked_for if each.startswith("opentelemetry")] == []
