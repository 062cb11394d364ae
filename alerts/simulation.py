"""The services of a desk without a Twilio account: the simulator runs in this process.

Nothing crosses a network: requests, callbacks and the reading of documents are calls from one ASGI
app to another.
"""

from __future__ import annotations

import atexit
import secrets
import shutil
import tempfile
from pathlib import Path

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from alerts.callbacks import CallbackReceiver, callback_routes
from alerts.services import (
    CallbackAddresses,
    GetHistory,
    Services,
    open_storage,
    prepare_data_dir,
    signature_check,
)
from settings import Settings, SettingsError
from simulator import SIMULATOR_ACCOUNT_SID, SIMULATOR_FROM_NUMBER, LazyApp, require_number
from storage import LocalStorage, Storage, twiml_route
from twilio_client import TwilioClient

# No connection is ever made to these addresses; people see them in the history and the log.
SIMULATED_APP_URL = "http://callboard.localhost"
SIMULATED_TWILIO_URL = "http://simulator.localhost"


def simulated_services(settings: Settings, history: GetHistory | None = None) -> Services:
    """Build services with the simulator as Twilio; it reports to `history` if there is one.

    Raises `SettingsError` if the storage, the caller ID or the data folder in the settings can't be
    used.
    """
    if settings.storage_kind == "local":
        storage: Storage = LocalStorage(_temporary_folder(), SIMULATED_APP_URL)
    else:
        storage = open_storage(settings)
    # A secret of this process: the app serves the simulator to every visitor, and with a token from
    # the source they could make it fetch what only this machine can reach.
    token = secrets.token_hex(16)
    is_from_twilio = signature_check(SecretStr(token))
    # What the simulator finds at SIMULATED_APP_URL: documents, and the callback routes.
    routes: list[BaseRoute] = []
    callbacks = documents = None
    if isinstance(storage, LocalStorage):
        routes.append(twiml_route(storage))
        if history is not None:
            callbacks = CallbackAddresses(SIMULATED_APP_URL)
            receiver = CallbackReceiver(SIMULATOR_ACCOUNT_SID, callbacks, is_from_twilio)
            routes += callback_routes(receiver, history)
        # A route that fails answers 500, as it would over a network.
        app = Starlette(routes=routes)
        documents = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    from_number = settings.twilio_from_number or SIMULATOR_FROM_NUMBER
    try:
        require_number(from_number)
    except ValueError as problem:
        raise SettingsError(f"TWILIO_FROM_NUMBER can't be used: {problem}") from None

    def build() -> Starlette:
        # Imported here because the first page doesn't wait for it.
        from simulator.app import create_app  # noqa: PLC0415

        return create_app(
            account_sid=SIMULATOR_ACCOUNT_SID,
            auth_token=token,
            from_number=from_number,
            fetch_transport=documents,
            sms_url=callbacks.inbound if callbacks else "",
        )

    simulator = LazyApp(build)
    return Services.of_settings(
        settings,
        twilio=TwilioClient(
            SIMULATOR_ACCOUNT_SID,
            token,
            base_url=SIMULATED_TWILIO_URL,
            transport=httpx.ASGITransport(app=simulator),
        ),
        storage=storage,
        from_number=from_number,
        database_url=_database_url(settings),
        callbacks=callbacks,
        is_from_twilio=is_from_twilio,
        simulator=simulator,
        documents=documents,
    )


def _database_url(settings: Settings) -> SecretStr:
    """The history's database: a temporary one if the default data folder can't be written to."""
    if "database_url" in settings.model_fields_set:
        return settings.database_url
    try:
        prepare_data_dir(settings)
    except SettingsError:
        if "data_dir" in settings.model_fields_set:
            raise
        return SecretStr(f"sqlite:///{_temporary_folder() / 'callboard.sqlite'}")
    return settings.database_url


def _temporary_folder() -> Path:
    """Make a folder that is removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="callboard-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
