"""Calls leave an account's queue at the account's rate."""

from __future__ import annotations

import pytest

from simulator.app import create_app
from simulator.exchange import Exchange
from tests.support.stepped_exchange import frozen_exchange, place

BUSY = "+14125550101"


def waiting(exchange: Exchange) -> int:
    return sum(call.status == "queued" for call in exchange.calls.values())


async def test_a_single_call_does_not_wait():
    exchange = frozen_exchange()
    call = place(exchange)
    await exchange.clock.step(0.5)
    assert call.status == "ringing"


async def test_each_second_one_more_rings():
    exchange = frozen_exchange()
    for _ in range(4):
        place(exchange)
    seen = []
    for _ in range(4):
        await exchange.clock.step(0.5)
        seen.append(waiting(exchange))
        await exchange.clock.step(0.5)
    assert seen == [3, 2, 1, 0]
    waited = [call.queue_seconds for call in exchange.calls.values()]
    assert waited == pytest.approx([0, 1, 2, 3])


async def test_a_queued_call_is_canceled_without_holding_up_others():
    exchange = frozen_exchange()
    calls = [place(exchange, to=BUSY) for _ in range(3)]
    exchange.hang_up(calls[1])
    await exchange.clock.step(10)
    assert [call.status for call in calls] == ["busy", "canceled", "busy"]


async def test_a_canceled_call_gives_its_turn_to_the_next():
    exchange = frozen_exchange()
    calls = [place(exchange, to=BUSY) for _ in range(4)]
    await exchange.clock.step(0.5)
    exchange.hang_up(calls[1])
    exchange.hang_up(calls[2])
    await exchange.clock.step(10)
    assert calls[3].queue_seconds == pytest.approx(1)


@pytest.mark.parametrize("calls_per_second", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_cannot_be(calls_per_second: float):
    with pytest.raises(ValueError, match="Calls per second"):
        create_app(calls_per_second=calls_per_second)
