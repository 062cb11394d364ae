"""The imports that take long: not on the way to the first page, and not while somebody waits."""

from __future__ import annotations

import gc
import importlib

from alerts.services import Services
from storage import S3Storage


def import_what_sending_needs(services: Services) -> None:
    """Import it now, for good. Takes up to half a second, so not in the event loop."""
    modules = ["phonenumbers.geocoder", "alerts.runtime"]
    if services.simulator is None:
        modules.append("twilio_client.transport")
    if isinstance(services.storage, S3Storage):
        modules.append("boto3")
    for name in modules:
        importlib.import_module(name)
    # With many pages open, each search through all these modules for garbage, every few seconds,
    # would keep everybody waiting for 50 ms more; what was imported is never garbage.
    gc.collect()
    gc.freeze()
