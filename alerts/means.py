"""What alerts are delivered with, built from the settings in this one place."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import httpx
from pydantic import SecretStr

from alerts.alert import Channel
from alerts.callback_addresses import CallbackAddresses
from alerts.numbers import Regions
from alerts.patience import Patience
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
from twilio_client import TwilioClient, is_signed

if TYPE_CHECKING:
    from starlette.applications import Starlette

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


# Whether a request came from Twilio: its public URL, its form fields, and its signature.
SignatureCheck = Callable[[str, Iterable[tuple[str, str]], str], bool]


@dataclass(frozen=True)
class Means:
    """Twilio, a place for documents, caller ID and the countries that may be called.

    `database_url` is where the history is. `callbacks` are the addresses at which Twilio tells this
    app what became of an alert, None if it can't, and `is_from_twilio` tells its requests from
    others'. Rates are what the account allows, across all processes. `simulator` is the stand-in
    that answers when no account is set, else None; `documents` is how to read a stored document
    without a network, where that is possible, and `inside` the app that it reads them from.
    """

    twilio: TwilioClient
    storage: Storage
    from_number: str
    regions: Regions
    database_url: SecretStr
    messaging_service_sid: str | None = None
    calls_per_second: float = 1
    texts_per_second: float = 1
    alerts_per_number_per_hour: int = 20
    patience: Patience = field(default_factory=Patience)
    callbacks: CallbackAddresses | None = None
    is_from_twilio: SignatureCheck | None = field(default=None, repr=False)
    simulator: Starlette | None = None
    documents: httpx.AsyncBaseTransport | None = None
    inside: Starlette | None = None

    def per_second(self, channel: Channel) -> float:
        """How many requests of a channel the account may make in a second."""
        return self.calls_per_second if channel == "call" else self.texts_per_second

    def sender(self, channel: Channel) -> str:
        """The caller ID, or the messaging service that picks a number for a text."""
        return (channel == "text" and self.messaging_service_sid) or self.from_number

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
        token = settings.twilio_auth_token
        return cls(
            twilio=open_twilio(settings),
            storage=storage,
            from_number=settings.twilio_from_number or "",
            regions=regions,
            messaging_service_sid=settings.twilio_messaging_service_sid,
            callbacks=CallbackAddresses(settings.public_url) if settings.public_url else None,
            is_from_twilio=signature_check(token) if token else None,
            **_limits(settings),
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


def signature_check(auth_token: SecretStr) -> SignatureCheck:
    """Tells requests that were signed with this token."""
    return lambda url, fields, signature: is_signed(
        auth_token.get_secret_value(), url, fields, signature
    )


class _Limits(TypedDict):
    database_url: SecretStr
    calls_per_second: float
    texts_per_second: float
    alerts_per_number_per_hour: int


def _limits(settings: Settings) -> _Limits:
    return {
        "database_url": _database_url(settings),
        "calls_per_second": settings.twilio_calls_per_second,
        "texts_per_second": settings.twilio_texts_per_second,
        "alerts_per_number_per_hour": settings.alerts_per_number_per_hour,
    }


def _database_url(settings: Settings) -> SecretStr:
    """Where the history is; a simulation needs no place that lasts where there is none."""
    by_default = "database_url" not in settings.model_fields_set
    if by_default and settings.simulated and not _is_writable(DATA_FOLDER):
        return SecretStr(f"sqlite:///{_folder_of_this_process() / 'callboard.sqlite'}")
    return settings.database_url


def _is_writable(folder: Path) -> bool:
    return os.access(folder if folder.exists() else folder.parent, os.W_OK)


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
    inside = _app_inside(storage)
    # A route that fails answers 500, as it would over a network.
    documents = httpx.ASGITransport(app=inside, raise_app_exceptions=False) if inside else None
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
    return Means(
        twilio,
        storage,
        from_number,
        regions,
        is_from_twilio=signature_check(SecretStr(token)),
        simulator=simulator,
        documents=documents,
        inside=inside,
        **_limits(settings),
    )


def _folder_of_this_process() -> Path:
    """For documents that nobody else reads; the app's own folder may be read-only."""
    folder = Path(tempfile.mkdtemp(prefix="callboard-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _app_inside(storage: Storage) -> Starlette | None:
    """What the simulator reads local documents from without a port; None where HTTP will do."""
    if not isinstance(storage, LocalStorage):
        return None
    from starlette.applications import Starlette  # noqa: PLC0415

    return Starlette(routes=[twiml_route(storage)])
