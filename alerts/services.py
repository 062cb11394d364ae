"""What alerts are delivered with: Twilio, storage and limits, built from the settings."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from alerts.alert import Channel
from alerts.phone_numbers import Regions
from alerts.retry_policy import RetryPolicy
from settings import DATA_FOLDER, Settings, SettingsError, StorageKind
from storage import FTPStorage, InlineStorage, LocalStorage, S3Storage, Storage, StorageError
from twilio_client import TwilioClient, is_signed

if TYPE_CHECKING:
    import httpx
    from starlette.applications import Starlette

    from alerts.history import History

# What a process is there for. A worker only delivers. An app delivers what it sends, unless a
# worker runs: then it hands over. An observer never delivers.
Mode = Literal["worker", "app", "observer"]

STATUS_PATH = "/twilio/status"
KEY_PRESS_PATH = "/twilio/gather"
# Documents served by this app live as long as Twilio could want to read them again.
LOCAL_EXPIRE_SECONDS = 24 * 3600
# Which settings to look at when a storage can't be built from them.
STORAGE_SETTINGS: dict[StorageKind, str] = {
    "s3": "S3_BUCKET or S3_PREFIX",
    "ftp": "FTP_URL or FTP_PUBLIC_BASE_URL",
    "local": "PUBLIC_URL",
}


# Whether a request came from Twilio: its public URL, its form fields, and its signature.
SignatureCheck = Callable[[str, Iterable[tuple[str, str]], str], bool]
GetHistory = Callable[[], Awaitable["History"]]


@dataclass(frozen=True)
class CallbackAddresses:
    """The addresses below `base`, the app's public URL without a slash at its end."""

    base: str

    def status(self, alert_id: str, try_number: int) -> str:
        """Where Twilio reports the status of a call or text, and who answered a call."""
        return self._address(STATUS_PATH, alert_id, try_number)

    def key_press(self, alert_id: str, try_number: int) -> str:
        """Where Twilio reports the keys pressed in a call, and reads what the call says next."""
        return self._address(KEY_PRESS_PATH, alert_id, try_number)

    def _address(self, path: str, alert_id: str, try_number: int) -> str:
        # The signature covers the URL, so it holds nothing that a proxy might spell differently.
        query = urlencode({"alert": alert_id, "try": try_number}, quote_via=quote, safe="")
        return f"{self.base}{path}?{query}"


@dataclass(frozen=True)
class Services:
    """Twilio, a place for documents, caller ID and the countries that may be called.

    `database_url` is where the history is. `callbacks` are the addresses at which Twilio reports
    to this app, None if it can't, and `is_from_twilio` tells its requests from anyone else's.
    Rates are what the account allows, across all processes. `simulator` is the stand-in that
    answers when no account is set, else None; `documents` reads a stored document without a
    network, where that is possible.
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
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    callbacks: CallbackAddresses | None = None
    is_from_twilio: SignatureCheck | None = field(default=None, repr=False)
    simulator: Starlette | None = None
    documents: httpx.AsyncBaseTransport | None = None

    def per_second(self, channel: Channel) -> float:
        """How many requests of a channel the account may make in a second."""
        return self.calls_per_second if channel == "call" else self.texts_per_second

    def sender(self, channel: Channel) -> str:
        """The caller ID, or the messaging service that picks a number for a text."""
        return (channel == "text" and self.messaging_service_sid) or self.from_number

    @classmethod
    def from_settings(cls, settings: Settings) -> Services:
        """Everything that the settings ask for, with an account. Opens no connection yet.

        Raises `SettingsError` if no storage can be built from the settings.
        """
        token = settings.twilio_auth_token
        return cls(
            twilio=open_twilio(settings),
            storage=open_storage(settings),
            from_number=settings.twilio_from_number or "",
            regions=Regions(settings.default_region, settings.regions),
            database_url=settings.database_url,
            messaging_service_sid=settings.twilio_messaging_service_sid,
            calls_per_second=settings.twilio_calls_per_second,
            texts_per_second=settings.twilio_texts_per_second,
            alerts_per_number_per_hour=settings.alerts_per_number_per_hour,
            callbacks=CallbackAddresses(settings.public_url) if settings.public_url else None,
            is_from_twilio=signature_check(token) if token else None,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.twilio.close()
        await self.storage.close()


def open_storage(settings: Settings) -> Storage:
    """The storage that the settings choose. Raises `SettingsError` if it can't be built."""
    try:
        return _open_storage(settings)
    except StorageError as problem:
        names = STORAGE_SETTINGS[settings.storage_kind]
        raise SettingsError(f"{names} can't be used: {problem}") from None


def _open_storage(settings: Settings) -> Storage:
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
    """A check for requests that were signed with this token."""
    return lambda url, fields, signature: is_signed(
        auth_token.get_secret_value(), url, fields, signature
    )


def login_name() -> str:
    """Who runs this process, or "callboard" in a container whose user has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "callboard"
