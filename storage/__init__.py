"""Where TwiML documents are kept until Twilio fetches them.

Every storage publishes a document the same way and returns the instructions for the call:

    storage = S3Storage("twilio-xml", region="eu-west-1")
    instructions = await storage.publish("2026-11-23-0942-ann", xml)
    await client.create_call(to=…, from_=…, url=instructions.url, twiml=instructions.twiml)

If `publish` raises StorageError, Twilio would find no document: do not place the call.
"""

from storage.base import Instructions, Storage, StorageError
from storage.ftp import FTPStorage
from storage.inline import InlineStorage
from storage.local import LocalStorage, twiml_route
from storage.s3 import S3Storage

__all__ = [
    "FTPStorage",
    "InlineStorage",
    "Instructions",
    "LocalStorage",
    "S3Storage",
    "Storage",
    "StorageError",
    "twiml_route",
]
