"""The tutorial's batch script: no Shiny, one call for each line of a list.

`python examples/batch.py "Batch 1407 shows signs of diacetyl." 412-857-4309 412-555-0142` Its exit
status is 1 if a call failed; an unanswered call has not failed.
"""

import asyncio
import sys

from open_desk import open_desk

from alerts import AlertRequest, Desk, UnusableInput


async def call_everybody(message: str, numbers: list[str]) -> int:
    """Call each number in turn and return how many calls failed."""
    async with open_desk() as desk:
        return sum([not await call(desk, number, message) for number in numbers])


async def call(desk: Desk, number: str, message: str) -> bool:
    """Call one number and print each status, and why it failed; return whether it went well."""
    try:
        alert = await desk.send(AlertRequest("call", number, message))
    except UnusableInput as problem:
        print(f"{number}: {problem}")
        return False
    status = None
    async for change in desk.watch(alert.id):
        # Not every change is a change of status.
        if change.status != status:
            print(f"{number}: {change.status}")
            status = change.status
        if change.error:
            print(f"{number}: {change.error}")
            return False
    return True


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python examples/batch.py MESSAGE NUMBER [NUMBER …]")
    sys.exit(1 if asyncio.run(call_everybody(sys.argv[1], sys.argv[2:])) else 0)
