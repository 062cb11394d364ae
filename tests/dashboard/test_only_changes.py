"""An output runs again when what it shows has changed, not whenever something was set."""

import pytest
from shiny import reactive

from dashboard.only_changes import only_changes

pytestmark = pytest.mark.usefixtures("fresh_lock")


async def test_what_comes_out_equal_is_no_change():
    words = reactive.Value("Batch 1407 is off.")
    length = only_changes(lambda: [len(words())])
    shown = []

    @reactive.effect
    def show() -> None:
        shown.append(length())

    await reactive.flush()
    words.set("Batch 1408 is off.")
    await reactive.flush()
    assert shown == [[18]]
    words.set("Batch 1408 is fine.")
    await reactive.flush()
    assert shown == [[18], [19]]
