"""Silence as audio files, in the two formats in which Twilio serves recordings."""

from __future__ import annotations

import io
import wave

SAMPLES_PER_SECOND = 8000
_BYTES_PER_SAMPLE = 2

# One frame of MPEG 2.5, layer III: 8 kbit/s, 8 kHz, mono. Where all that follows the header is
# zero, no sound is coded.
_MP3_FRAME = bytes.fromhex("ffe318c4").ljust(72, b"\0")
_MP3_FRAME_SAMPLES = 576


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
