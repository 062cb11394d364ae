"""The JSON that the simulator's controls are sent."""

from __future__ import annotations

import json

from starlette.requests import Request

from simulator.errors import ApiError

MOST_BRACKETS = 20


async def read_json(request: Request) -> dict[str, object]:
    """The object in the body of a request. Raises ApiError for anything else."""
    sent = await request.body()
    try:
        # Counted first: the parser would go down as deep as Python's stack allows.
        shallow = sent.count(b"[") + sent.count(b"{") <= MOST_BRACKETS
        body = json.loads(sent) if shallow else None
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(20001, 'Send a JSON object, for example {"speed": 20}.')
    return body
