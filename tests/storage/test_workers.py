"""Threads for uploads: deadlines, queues and cancelling."""

import asyncio
import threading
import time

import pytest

from storage.workers import Workers


async def test_result_and_error_come_through():
    workers = Workers(1, 5)
    assert await workers.run(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        await workers.run(lambda: 1 // 0)
    workers.close()


async def test_event_loop_stays_free_meanwhile():
    released = threading.Event()
    workers = Workers(1, 5)
    waiting = asyncio.ensure_future(workers.run(lambda: released.wait(4)))
    await asyncio.sleep(0.01)
    released.set()
    assert await waiting is True
    workers.close()


async def test_deadline_counts_work_and_not_waiting_for_a_thread():
    workers = Workers(1, 0.4)
    await asyncio.gather(*(workers.run(lambda: time.sleep(0.1)) for _ in range(8)))

    released = threading.Event()
    with pytest.raises(TimeoutError):
        await workers.run(lambda: released.wait(4))
    released.set()
    workers.close()


async def test_task_cancelled_while_it_waits_for_a_thread_never_runs():
    released, ran = threading.Event(), []
    workers = Workers(1, 5)
    first = asyncio.ensure_future(workers.run(lambda: released.wait(4)))
    second = asyncio.ensure_future(workers.run(lambda: ran.append("second")))
    await asyncio.sleep(0.01)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    released.set()
    await first
    await workers.run(lambda: ran.append("third"))
    assert ran == ["third"]
    workers.close()
