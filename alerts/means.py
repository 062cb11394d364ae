"""What alerts are delivered with, built from the settings in this one place."""

from __future__ import annotations

import atexit
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from alerts.numbers import Regions
from settings import DATA_FOLDER, Settings, SettingsError, StorageKind
from storage import (
    FTPStorage,
    InlineStorage,
    LocalStorage,
    S3Storage,
    Storage,
    StorageError,
    twiml_route,
)
from twilio_client import TwilioClient

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp

# Documents served by this app live as long as Twilio could possibly want to read them again.
LOCAL_EXPIRE_SECONDS = 24 * 3600
# In a simulation nothing crosses a network: these names only show up in what people read.
SIMULATED_APP_URL = "http://callboard.localhost"
SIMULATED_TWILIO_URL = "http://simulator.localhost"
# Which settings to look at when a storage can't be built from them.
STORAGE_SETTINGS: dict[StorageKind, str] = {
    "s3": "S3_BUCKET or S3_PREFIX",
    "ftp": "FTP_URL or FTP_PUBLIC_BASE_URL",
    "local": "PUBLIC_URL",
}


@dataclass(frozen=True)
class Means:
    """Twilio, a place for documents, caller ID and the countries that may be called.

    `simulator` is the stand-in that answers when no account is set, else None; `documents` is how
    to read a stored document without a network, where that is possible.
    """

    twilio: TwilioClient
    storage: Storage
    from_number: str
    regions: Regions
    messaging_service_sid: str | None = None
    simulator: Starlette | None = None
    documents: httpx.AsyncBaseTransport | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Means:
        """Everything that the settings ask for. Opens no connection yet.

        Raises `SettingsError` if no storage can be built from them.
        """
        regions = Regions(settings.default_region, settings.regions)
        try:
            storage = open_storage(settings)
        except StorageError as problem:
            names = STORAGE_SETTINGS[settings.storage_kind]
            raise SettingsError(f"{names} can't be used: {problem}") from None
        if settings.simulated:
            return _simulated(settings, storage, regions)
        return cls(
            twilio=open_twilio(settings),
            storage=storage,
            from_number=settings.twilio_from_number or "",
            regions=regions,
            messaging_service_sid=settings.twilio_messaging_service_sid,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.twilio.close()
        await self.storage.close()


def open_storage(settings: Settings) -> Storage:
    """The storage that the settings choose."""
    match settings.storage_kind:
        case "s3":
            return S3Storage(
                settings.s3_bucket or "",
                prefix=settings.s3_prefix,
                public_base_url=settings.s3_public_base_url,
                expire_days=settings.s3_expire_days,
            )
        case "ftp":
            url = settings.ftp_url.get_secret_value() if settings.ftp_url else ""
            return FTPStorage(url, settings.ftp_public_base_url or "")
        case "local" if settings.simulated:
            return LocalStorage(_folder_of_this_process(), SIMULATED_APP_URL)
        case "local":
            return LocalStorage(
                DATA_FOLDER / "twiml",
                settings.public_url or "",
                expire_seconds=LOCAL_EXPIRE_SECONDS,
            )
        case "inline":
            return InlineStorage()


def open_twilio(settings: Settings) -> TwilioClient:
    """A client for the account that is set."""
    token, key_secret = settings.twilio_auth_token, settings.twilio_api_key_secret
    return TwilioClient(
        settings.twilio_account_sid or "",
        token.get_secret_value() if token else None,
        api_key_sid=settings.twilio_api_key_sid,
        api_key_secret=key_secret.get_secret_value() if key_secret else None,
        base_url=settings.twilio_base_url,
    )


def _simulated(settings: Settings, storage: Storage, regions: Regions) -> Means:
    """The same with the stand-in for Twilio, which then runs inside this process."""
    # Not on the way to the first page of an app that has an account.
    from simulator import (  # noqa: PLC0415
        SIMULATOR_ACCOUNT_SID,
        SIMULATOR_FROM_NUMBER,
        create_app,
    )

    # The app serves the simulator to whoever reaches the page: with a token that anyone can read
    # in the source they could make it fetch what only this machine can.
    token = secrets.token_hex(16)
    from_number = settings.twilio_from_number or SIMULATOR_FROM_NUMBER
    documents = _documents_of_this_process(storage)
    try:
        simulator = create_app(
            account_sid=SIMULATOR_ACCOUNT_SID,
            auth_token=token,
            from_number=from_number,
            fetch_transport=documents,
        )
    except ValueError as problem:
        raise SettingsError(f"TWILIO_FROM_NUMBER can't be used: {problem}") from None
    twilio = TwilioClient(
        SIMULATOR_ACCOUNT_SID,
        token,
        base_url=SIMULATED_TWILIO_URL,
        transport=httpx.ASGITransport(app=simulator),
    )
    return Means(twilio, storage, from_number, regions, simulator=simulator, documents=documents)


def _folder_of_this_process() -> Path:
    """For documents that nobody else reads; the app's own folder may be read-only."""
    folder = Path(tempfile.mkdtemp(prefix="callboard-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _documents_of_this_process(storage: Storage) -> httpx.AsyncBaseTransport | None:
    """How the simulator reads local documents without a port; None where real HTTP will do."""
    if not isinstance(storage, LocalStorage):
        return None
    from starlette.applications import Starlette  # noqa: PLC0415

    app: ASGIApp = Starlette(routes=[twiml_route(storage)])
    # A route that fails answers 500, as it would over a network.
    return httpx.ASGITransport(app=app, raise_app_exceptions=False)
