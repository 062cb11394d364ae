"""How one alert travels: compose, publish, place, follow.

Composing happens before anything is promised (`Desk.send`): what can't be composed is refused. The
rest is a workflow of DBOS's, so that whatever dies, another process goes on at the step that was
under way. Each step may run again: it then finds in the history what it did before.

https://docs.dbos.dev/python/tutorials/workflow-tutorial
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import ExitStack

from dbos import DBOS
from dbos._error import DBOSException

from alerts import claims as handover
from alerts.steps import breaking_off, following, placing, publishing, waiting
from alerts.steps.courier import Courier
from database.outages import in_words, is_passing
from storage import Instructions

log = logging.getLogger(__name__)

# To be raised when the steps of a workflow change: a process resumes only what it understands.
VERSION = "1"
# DBOS's own writing isn't repeated when a disk is full; our steps are.
SECONDS_HELD_UP = 2.0

# DBOS has one engine in a process, and workflows are functions of a module: so there is one
# courier too. `Engine` sets it.
_courier: list[Courier] = []
_under_way: set[asyncio.Task[object]] = set()


def employ(courier: Courier) -> None:
    """From now on this process delivers with `courier`."""
    if _courier:
        raise RuntimeError("This process delivers for another desk: close that one first.")
    _courier.append(courier)


def _employed() -> Courier:
    """The courier; once this process has stopped, the end of whoever asks.

    Any other failure would be kept as the workflow's own, and nobody would resume it.
    """
    if not _courier:
        raise asyncio.CancelledError
    return _courier[0]


def under_way() -> int:
    """How many alerts this process is delivering."""
    return len(_under_way)


async def stop() -> None:
    """Stop in the middle of everything, so that it is resumed somewhere else."""
    stopping = list(_under_way)
    for task in stopping:
        task.cancel()
    await asyncio.gather(*stopping, return_exceptions=True)
    _courier.clear()


@DBOS.workflow()
async def deliver(alert_id: str) -> None:
    """Bring one alert to its end, or to a long wait; the workflow's id ends with the alert's."""
    if await _still_ours([alert_id]):
        await _deliver(alert_id)


@DBOS.workflow()
async def deliver_together(alert_ids: Sequence[str]) -> None:
    """The same with many alerts. A workflow each would cost ten times as much."""
    await _deliver_each(alert_ids)


@DBOS.step()
async def _deliver_each(alert_ids: Sequence[str]) -> None:
    history = _employed().history
    ours = list(await _still_ours(alert_ids))
    with ExitStack() as watching:
        for each in ours:
            watching.enter_context(history.news_of(each))
        # All at once, so that none has to be read alone.
        await history.get_all(ours)
        ends = await asyncio.gather(*(_deliver(each) for each in ours), return_exceptions=True)
    # Not before all have ended: who found this workflow broken would deliver the others twice.
    for end in ends:
        if isinstance(end, BaseException):
            raise end


async def _still_ours(alert_ids: Sequence[str]) -> Collection[str]:
    """Those that no other workflow has taken over, while this one's process counted as dead."""
    history, workflow_id = _employed().history, str(DBOS.workflow_id)
    return await history.read(
        lambda connection: handover.still_of(
            connection, history.account_sid, workflow_id, alert_ids
        )
    )


async def _deliver(alert_id: str) -> None:
    if task := asyncio.current_task():
        _under_way.add(task)
        task.add_done_callback(_under_way.discard)
    with _employed().history.news_of(alert_id):
        goes_on = True
        while goes_on:
            try:
                goes_on = await _makes_a_try(alert_id)
            except Exception as error:
                if not is_passing(error):
                    raise
                # What DBOS couldn't keep of a step is in our history, which waits for the database.
                log.warning("The delivery of alert %s is held up: %s.", alert_id, in_words(error))
                await asyncio.sleep(SECONDS_HELD_UP)


async def _makes_a_try(alert_id: str) -> bool:
    """Make the alert's next try; false if there is none, or none for a long while."""
    try_number = 0
    try:
        if try_number := await wait_until_due(alert_id):
            instructions = await publish(alert_id, try_number)
            await place(alert_id, try_number, instructions)
            await follow(alert_id, try_number)
    except DBOSException:
        raise  # between DBOS and its database: it knows what to do
    except Exception as error:
        if is_passing(error):
            raise
        log.exception("The delivery of alert %s broke", alert_id)
        return await abandon_try(alert_id, try_number)
    return try_number > 0


@DBOS.step()
async def wait_until_due(alert_id: str) -> int:
    """Before each try: the number of the next one; 0 if there is none, or none for long."""
    return await waiting.wait_until_due(_employed(), alert_id)


@DBOS.step()
async def publish(alert_id: str, try_number: int) -> Instructions | None:
    """Step 2: put a call's document where Twilio reads it."""
    return await publishing.publish(_employed(), alert_id, try_number)


@DBOS.step()
async def place(alert_id: str, try_number: int, instructions: Instructions | None) -> None:
    """Step 3: ask Twilio, once."""
    await placing.place(_employed(), alert_id, try_number, instructions)


@DBOS.step()
async def follow(alert_id: str, try_number: int) -> None:
    """Step 4: see what becomes of it, and end it when somebody cancels."""
    await following.follow(_employed(), alert_id, try_number)


@DBOS.step()
async def abandon_try(alert_id: str, try_number: int) -> bool:
    """After a failure of our own: nobody knows what became of the try. True if there is another."""
    return await breaking_off.abandon_try(_employed(), alert_id, try_number)
