"""Threads for uploads: deadlines, queues and canceling."""

import asyncio
import threading
import time

import pytest

from storage.upload_threads import UploadThreads


async def test_result_and_error_come_through():
    threads = UploadThreads(1, 5)
    assert await threads.run(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    threads.close()


async def test_event_loop_stays_free_meanwhile():
    released = threading.Event()
    threads = UploadThreads(1, 5)
    waiting = asyncio.ensure_future(threads.run(lambda: released.wait(4)))
    await asyncio.sleep(0.01)
    released.set()
    assert await waiting is True
    threads.close()


async def test_deadline_counts_work_and_not_waiting_for_a_thread():
    threads = UploadThreads(1, 0.4)
    await asyncio.gather(*(threads.run(lambda: time.sleep(0.1)) for _ in range(8)))

    released = threading.Event()
    with pytest.raises(TimeoutError):
        await threads.run(lambda: released.wait(4))
    released.set()
    threads.close()


async def test_task_canceled_while_it_waits_for_a_thread_never_runs():
    released, ran = threading.Event(), []
    threads = UploadThreads(1, 5)
    first = asyncio.ensure_future(threads.run(lambda: released.wait(4)))
    second = asyncio.ensure_future(threads.run(lambda: ran.append("second")))
    await asyncio.sleep(0.01)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    released.set()
    await first
    await threads.run(lambda: ran.append("third"))
    assert ran == ["third"]
    threads.close()
