"""The tutorial's batch script: no Shiny, one call for each line of a list.

`python examples/batch.py "Batch 1407 shows signs of diacetyl." 412-857-4309 412-555-0142`
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the packages beside this folder

from alerts import AlertRequest, Desk, UnusableInput
from settings import Settings


async def call_everybody(message: str, numbers: list[str]) -> None:
    """Call each number in turn and print what became of it."""
    async with Desk.from_settings(Settings()) as desk:
        for number in numbers:
            try:
                alert = await desk.send(AlertRequest("call", number, message))
            except UnusableInput as problem:
                print(f"{number}: {problem}")
                continue
            async for change in desk.watch(alert.id):
                print(f"{number}: {change.status}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python examples/batch.py MESSAGE NUMBER [NUMBER …]")
    asyncio.run(call_everybody(sys.argv[1], sys.argv[2:]))
