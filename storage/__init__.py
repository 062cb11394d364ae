"""Where TwiML documents live until Twilio has fetched them.

Every storage publishes a document the same way and gives back the instructions for the call:

    storage = S3Storage("twilio-xml", region="eu-west-1")
    instructions = await storage.publish("2026-11-23-0942-ann", xml)
    await client.create_call(to=…, from_=…, url=instructions.url, twiml=instructions.twiml)

If the document cannot be published, `publish` raises StorageError and no call should be placed.
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
