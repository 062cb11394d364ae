"""The Recordings resource: what Record verbs have recorded, as JSON and as audio.

https://www.twilio.com/docs/voice/api/recording
"""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api.authentication import account_of
from simulator.api.forms import read_query
from simulator.api.lists import date_filter, list_page, matches_text
from simulator.api.resources import (
    ACCOUNT_PATTERN,
    exchange_of,
    find_record,
    rfc_2822,
    subresource_uris,
)
from simulator.errors import not_found
from simulator.models.recording import Recording
from simulator.models.sids import API_VERSION

RECORDING_LISTS = ("Transcriptions", "AddOnResults")
"""What a recording says it has; the simulator has none of either."""
SAMPLES_PER_SECOND = 8000
_BYTES_PER_SAMPLE = 2

# One frame of MPEG 2.5, layer III: 8 kbit/s, 8 kHz, mono. If everything after the header is zero,
# it is silent.
_MP3_FRAME = bytes.fromhex("ffe318c4").ljust(72, b"\0")
_MP3_FRAME_SAMPLES = 576


async def recordings(request: Request) -> Response:
    """GET lists the recordings of the account, or of the call that the path names."""
    account, exchange, query = account_of(request), exchange_of(request), read_query(request)
    path, call_sid = f"{account.path}/Recordings.json", query.get("CallSid")
    if "sid" in request.path_params:
        call = find_record(request, exchange.calls, account.sid)
        path, call_sid = f"{call.path}/Recordings.json", call.sid
    was_created = date_filter(query, "DateCreated")
    found = [
        recording
        for recording in reversed(exchange.recordings.values())
        if recording.account_sid == account.sid
        and call_sid in {"", recording.call_sid}
        and matches_text(query, "ConferenceSid", "")
        and was_created(recording.date_created)
    ]
    return JSONResponse(list_page(found, "recordings", path, query, _writer(request)))


async def recording(request: Request) -> Response:
    """GET fetches what is known of a recording, DELETE deletes it with its audio."""
    account, exchange = account_of(request), exchange_of(request)
    found = find_record(request, exchange.recordings, account.sid)
    if request.path_params.get("call_sid", found.call_sid) != found.call_sid:
        raise not_found(request.url.path)
    if request.method == "DELETE":
        del exchange.recordings[found.sid]
        return Response(status_code=204)
    return JSONResponse(_writer(request)(found))


async def wav(request: Request) -> Response:
    """GET returns the audio, without a password: at Twilio the address alone is enough."""
    return Response(silent_wav(_public_recording(request).duration), media_type="audio/x-wav")


async def mp3(request: Request) -> Response:
    """GET returns the audio as an MP3 file, also without a password."""
    return Response(silent_mp3(_public_recording(request).duration), media_type="audio/mpeg")


def _public_recording(request: Request) -> Recording:
    recordings = exchange_of(request).recordings
    return find_record(request, recordings, request.path_params["account_sid"])


def _writer(request: Request) -> Callable[[Recording], dict[str, object]]:
    return partial(_to_json, api_url=str(request.base_url).rstrip("/"))


def _to_json(recording: Recording, api_url: str) -> dict[str, object]:
    """https://www.twilio.com/docs/voice/api/recording#recording-properties"""
    created = rfc_2822(recording.date_created)
    return {
        "sid": recording.sid,
        "account_sid": recording.account_sid,
        "call_sid": recording.call_sid,
        "conference_sid": None,
        "status": "completed",
        "source": "RecordVerb",
        "channels": 1,
        "track": "inbound",
        "duration": str(recording.duration),
        "start_time": rfc_2822(recording.start_time),
        "date_created": created,
        "date_updated": created,
        "price": None,
        "price_unit": "USD",
        "error_code": None,
        "encryption_details": None,
        "api_version": API_VERSION,
        "media_url": f"{api_url}{recording.path}",
        "uri": f"{recording.path}.json",
        "subresource_uris": subresource_uris(recording.path, RECORDING_LISTS),
    }


RECORDING_ROUTES = (
    Route(f"{ACCOUNT_PATTERN}/Recordings.json", recordings, methods=["GET"]),
    Route(f"{ACCOUNT_PATTERN}/Calls/{{sid}}/Recordings.json", recordings, methods=["GET"]),
    Route(f"{ACCOUNT_PATTERN}/Recordings/{{sid}}.json", recording, methods=["GET", "DELETE"]),
    Route(
        f"{ACCOUNT_PATTERN}/Calls/{{call_sid}}/Recordings/{{sid}}.json",
        recording,
        methods=["GET", "DELETE"],
    ),
    Route(f"{ACCOUNT_PATTERN}/Recordings/{{sid}}.wav", wav, methods=["GET"]),
    Route(f"{ACCOUNT_PATTERN}/Recordings/{{sid}}.mp3", mp3, methods=["GET"]),
    # Last, because it would match the others as well.
    Route(f"{ACCOUNT_PATTERN}/Recordings/{{sid}}", wav, methods=["GET"]),
)


def silent_wav(seconds: int) -> bytes:
    """Return a WAV file, 16 bits and mono, of this many seconds."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(_BYTES_PER_SAMPLE)
        writer.setframerate(SAMPLES_PER_SECOND)
        writer.writeframes(bytes(seconds * SAMPLES_PER_SECOND * _BYTES_PER_SAMPLE))
    return file.getvalue()


def silent_mp3(seconds: int) -> bytes:
    """Return an MP3 file of this many seconds, at most 72 ms longer."""
    frames = -(-seconds * SAMPLES_PER_SECOND // _MP3_FRAME_SAMPLES)
    return _MP3_FRAME * frames
