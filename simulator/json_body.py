"""The JSON that the simulator's controls are sent."""

from __future__ import annotations

import json

from starlette.requests import Request

from simulator.errors import ApiError


async def read_json(request: Request) -> dict[str, object]:
    """The object in the body of a request. Raises ApiError for anything else."""
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ApiError(20001, 'Send a JSON object, for example {"speed": 20}.')
    return body
