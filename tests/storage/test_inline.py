"""TwiML inside the request, and what the instructions of every storage look like."""

import pickle

import pytest

from storage import InlineStorage, Instructions, Storage, StorageError


async def test_4000_characters_fit():
    storage: Storage = InlineStorage()
    xml = "é" * 4_000
    instructions = await storage.publish("ann", xml)
    assert (instructions.url, instructions.twiml) == (None, xml)
    await storage.delete(instructions)
    await storage.close()


async def test_one_more_is_refused_with_the_limit_and_a_way_out():
    with pytest.raises(StorageError) as caught:
        await InlineStorage().publish("ann", "x" * 4_001)
    assert caught.value.service == "the request"
    assert "4,001 characters" in caught.value.message
    assert "4,000" in caught.value.message
    assert "S3" in caught.value.hint


async def test_half_an_emoji_is_refused():
    with pytest.raises(StorageError, match="UTF-8"):
        await InlineStorage().publish("ann", "\ud83d")


def test_instructions_hold_exactly_one_of_the_two():
    with pytest.raises(ValueError, match="either"):
        Instructions()
    with pytest.raises(ValueError, match="either"):
        Instructions(url="https://example.com/a.xml", twiml="<Response/>")


def test_error_survives_pickling():
    error = pickle.loads(pickle.dumps(StorageError("S3", "It failed.", "Look.")))  # noqa: S301
    assert (error.service, error.message, error.hint) == ("S3", "It failed.", "Look.")
    assert str(error) == "It failed. Look."
