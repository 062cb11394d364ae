"""The services that deliver alerts: Twilio, storage and limits, built from the settings."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from access.actor import process_user
from alerts.alert import Channel
from alerts.phone_numbers import Regions
from alerts.time_zones import machine_time_zone
from settings import Settings, SettingsError, StorageKind
from storage import FTPStorage, InlineStorage, LocalStorage, S3Storage, Storage, StorageError
from twilio_client import TwilioClient, is_signed

if TYPE_CHECKING:
    import httpx

    from alerts.history import History
    from simulator import LazyApp

# What a process does with alerts. A worker only delivers. An app delivers unless a worker process
# is alive, which then delivers what the app sends. An observer never delivers.
Mode = Literal["worker", "app", "observer"]

STATUS_PATH = "/twilio/status"
KEY_PRESS_PATH = "/twilio/gather"
INBOUND_PATH = "/twilio/inbound"
# How long this app serves a document: Twilio may read it late, or again.
LOCAL_EXPIRE_SECONDS = 24 * 3600
# The settings to name when a storage can't be built from them.
STORAGE_SETTINGS: dict[StorageKind, str] = {
    "s3": "S3_BUCKET or S3_PREFIX",
    "ftp": "FTP_URL or FTP_PUBLIC_BASE_URL",
    "local": "PUBLIC_URL",
}


# Tells from a request's public URL, form fields and signature whether Twilio sent it.
SignatureCheck = Callable[[str, Iterable[tuple[str, str]], str], bool]
GetHistory = Callable[[], Awaitable["History"]]


@dataclass(frozen=True)
class CallbackAddresses:
    """Twilio's addresses for callbacks, below `base`: the public URL without a slash at its end."""

    base: str

    def status(self, alert_id: str, try_number: int) -> str:
        """Where Twilio reports the status of a call or text, and who answered a call."""
        return self._address(STATUS_PATH, alert_id, try_number)

    def key_press(self, alert_id: str, try_number: int) -> str:
        """Where Twilio reports the keys pressed in a call, and gets what the call says next."""
        return self._address(KEY_PRESS_PATH, alert_id, try_number)

    @property
    def inbound(self) -> str:
        """Where Twilio passes on the texts that come in at the account's number."""
        return f"{self.base}{INBOUND_PATH}"

    def _address(self, path: str, alert_id: str, try_number: int) -> str:
        # The signature covers the URL, so quote everything that a proxy might spell differently.
        query = urlencode({"alert": alert_id, "try": try_number}, quote_via=quote, safe="")
        return f"{self.base}{path}?{query}"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long a delivery waits before it repeats a request, and when it stops; all in seconds.

    A request can be on its way for `request_seconds`. If its answer is lost, Twilio may take
    `listing_seconds` to list the call or text; if the list can't be read for `lookup_seconds`, the
    outcome counts as unknown. A request that wasn't processed is repeated for `retry_seconds`, and
    no answer can make it wait for more than `longest_asked_seconds`.
    """

    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 60.0
    longest_asked_seconds: float = 15 * 60.0
    # The client waits at most half of this for a connection and half for the answer.
    request_seconds: float = 60.0
    listing_seconds: float = 10.0
    lookup_seconds: float = 15 * 60.0
    retry_seconds: float = 24 * 3600.0

    def wait(self, failures: int, asked: float | None = None) -> float:
        """Seconds to wait after a failure that came after `failures` others.

        `asked` is how long Twilio asked to wait, if it did. There is jitter: requests that failed
        together shouldn't be repeated together.
        """
        grown = self.first_wait_seconds * 2.0 ** min(failures, 20)
        wait = max(
            min(asked or 0, self.longest_asked_seconds), min(grown, self.longest_wait_seconds)
        )
        return wait * random.uniform(1, 1.3)  # noqa: S311


@dataclass(frozen=True)
class Services:
    """Everything that alerts are delivered with: Twilio, storage, caller ID and limits.

    `database_url` is where the history is. `callbacks` are the addresses at which Twilio reports to
    this app, None if it can't; `is_from_twilio` checks the signatures of those requests. Rates are
    what the account allows, over all processes. `alerts_per_number_per_hour` and the two after it
    are as in `Limits`. `max_recipients` is how many people a person may send to at once; pages and
    the command line check it. `time_zone` is for senders who name none ("" for this machine's).
    `simulator` is the stand-in for Twilio if no account is set, else None. `documents` is a
    transport that reads stored documents without a network, or None. `page_origins` are the origins
    of this app's own pages, besides those that each request shows. `metrics_token` lets programs
    elsewhere read the metrics.
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
    alerts_per_person_per_hour: int | None = 100
    daily_spend_limit: float | None = None
    max_recipients: int = 50
    keep_days: int = 400
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    callbacks: CallbackAddresses | None = None
    is_from_twilio: SignatureCheck | None = field(default=None, repr=False)
    time_zone: str = ""
    simulator: LazyApp | None = None
    documents: httpx.AsyncBaseTransport | None = None
    page_origins: tuple[str, ...] = ()
    metrics_token: SecretStr | None = None

    def per_second(self, channel: Channel) -> float:
        """How many calls or texts the account may request per second."""
        return self.calls_per_second if channel == "call" else self.texts_per_second

    def sender(self, channel: Channel) -> str:
        """The caller ID, or for texts the SID of the messaging service if there is one."""
        return (channel == "text" and self.messaging_service_sid) or self.from_number

    @classmethod
    def from_settings(cls, settings: Settings) -> Services:
        """Build the services that the settings ask for, with an account. Opens no connection yet.

        Raises `SettingsError` if the storage can't be built from the settings, or the data folder
        can't be made or written to.
        """
        prepare_data_dir(settings)
        token = settings.twilio_auth_token
        return cls.of_settings(
            settings,
            twilio=open_twilio(settings),
            storage=open_storage(settings),
            from_number=settings.twilio_from_number or "",
            database_url=settings.database_url,
            messaging_service_sid=settings.twilio_messaging_service_sid,
            callbacks=CallbackAddresses(settings.public_url) if settings.public_url else None,
            is_from_twilio=signature_check(token) if token else None,
        )

    @classmethod
    def of_settings(cls, settings: Settings, **services: Any) -> Services:
        """Return these services, with the limits and the rest that the settings name."""
        return cls(
            regions=Regions(settings.default_region, settings.regions),
            calls_per_second=settings.twilio_calls_per_second,
            texts_per_second=settings.twilio_texts_per_second,
            alerts_per_number_per_hour=settings.alerts_per_number_per_hour,
            alerts_per_person_per_hour=settings.alerts_per_person_per_hour,
            daily_spend_limit=settings.daily_spend_limit,
            max_recipients=settings.max_recipients,
            keep_days=settings.keep_days,
            time_zone=settings.time_zone or machine_time_zone(),
            page_origins=settings.page_origins,
            metrics_token=settings.metrics_token,
            **services,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.twilio.close()
        await self.storage.close()


def prepare_data_dir(settings: Settings) -> None:
    """Make the data folder if something will be kept there.

    Raises `SettingsError` if it can't be made or written to.
    """
    keeps_history = "database_url" not in settings.model_fields_set
    if not keeps_history and settings.storage_kind != "local":
        return
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        effective = os.access in os.supports_effective_ids
        writable = os.access(folder, os.W_OK | os.X_OK, effective_ids=effective)
        reason = "it can't be written to by this user"
    except OSError as error:
        writable, reason = False, error.strerror or "it can't be made"
    if not writable:
        raise SettingsError(
            f"DATA_DIR is {folder}, which can't be used: {reason}. Set DATA_DIR to a folder "
            f"that {process_user()} may write to."
        )


def open_storage(settings: Settings) -> Storage:
    """Open the storage that the settings choose. Raises `SettingsError` if it can't be built."""
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
                settings.data_dir / "twiml",
                settings.public_url or "",
                expire_seconds=LOCAL_EXPIRE_SECONDS,
            )
        case "inline":
            return InlineStorage()


def open_twilio(settings: Settings) -> TwilioClient:
    """Return a client for the account in the settings."""
    token, key_secret = settings.twilio_auth_token, settings.twilio_api_key_secret
    return TwilioClient(
        settings.twilio_account_sid or "",
        token.get_secret_value() if token else None,
        api_key_sid=settings.twilio_api_key_sid,
        api_key_secret=key_secret.get_secret_value() if key_secret else None,
        base_url=settings.twilio_base_url,
    )


def signature_check(auth_token: SecretStr) -> SignatureCheck:
    """Return a check that a request was signed with this token."""
    return lambda url, fields, signature: is_signed(
        auth_token.get_secret_value(), url, fields, signature
    )
