"""An app to which Twilio reports callbacks, with a real history; and requests with signatures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import sqlalchemy as sa
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount
from twilio.request_validator import RequestValidator

from alerts import Alert, AlertRequest, Event, Status, submissions
from alerts.alert import NewAlert, tries_of
from alerts.callbacks import CallbackReceiver, callback_routes
from alerts.history import History
from alerts.phone_numbers import Regions
from alerts.services import CallbackAddresses, Services, signature_check
from alerts.submissions import Outcome, Settlement, Submission
from alerts.tables import submissions as submissions_table
from database.database import Database
from storage import InlineStorage
from twilio_client import TwilioClient

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
TOKEN = "token-that-must-stay-secret"
FROM = "+14155550100"
SUB_PATH = "/team/calls"
BASE = f"https://callboard.example{SUB_PATH}"
SID, OTHER_SID = "CA" + "1" * 32, "CA" + "2" * 32
CALL = AlertRequest("call", "+14128574309", "Batch 7 failed", acknowledge=True)
SIGNER = RequestValidator(TOKEN)


@dataclass
class CallbackDesk:
    """The part of a desk that webhooks need: a history, without a worker that delivers."""

    services: Services
    open_history: History
    database: Database

    async def history(self) -> History:
        return self.open_history


@dataclass(frozen=True)
class CallbackApp:
    """The app: its desk, and a client that sends it requests like Twilio's."""

    desk: CallbackDesk
    web: httpx.AsyncClient
    addresses: CallbackAddresses

    @property
    def account_sid(self) -> str:
        return self.desk.open_history.account_sid

    async def add(self, alert_id: str = "one", request: AlertRequest = CALL) -> None:
        await self.desk.open_history.add([NewAlert(alert_id, request, FROM)])

    async def begin(self, alert_id: str = "one", try_number: int = 1) -> Submission:
        """Save a submission, as if Twilio had been asked and hadn't answered yet."""
        wanted = tries_of((await self.alert(alert_id)).request)[try_number - 1]
        now = datetime.now(UTC)
        submission = Submission(
            f"{self.account_sid}-{alert_id}-{try_number}", alert_id, try_number, self.account_sid,
            wanted.channel, wanted.to, now,
        )  # fmt: skip
        await self.desk.database.write(
            lambda connection: submissions.begin(connection, [submission])
        )
        await self.record(Event(now, Status.SENDING, "", try_number=try_number), alert_id)
        return submission

    async def settle(self, submission_id: str, outcome: Outcome) -> None:
        """Record the outcome of a submission, without an event for its alert."""
        settlement = Settlement(submission_id, outcome)
        await self.desk.database.write(
            lambda connection: submissions.settle(connection, [settlement])
        )

    async def record(self, event: Event, alert_id: str = "one") -> None:
        assert await self.desk.open_history.record(alert_id, event)

    async def alert(self, alert_id: str = "one") -> Alert:
        alert = await self.desk.open_history.get(alert_id)
        assert alert is not None
        return alert

    async def outcomes(self) -> list[tuple[str | None, str | None]]:
        """The outcome and the SID of each submission of the account."""
        rows = sa.select(submissions_table.c.outcome, submissions_table.c.sid).where(
            submissions_table.c.account_sid == self.account_sid
        )
        return [
            (row.outcome, row.sid)
            for row in await self.desk.database.read(
                lambda connection: connection.execute(rows).all()
            )
        ]

    async def status(self, form: Mapping[str, str], alert_id: str = "one", number: int = 1) -> int:
        """Report a status; returns the HTTP status of the answer."""
        answer = await self.post(self.addresses.status(alert_id, number), form)
        return answer.status_code

    async def press(self, digits: str, alert_id: str = "one", **form: str) -> httpx.Response:
        """Report keys that were pressed in a call; returns the answer."""
        fields = {"CallSid": SID, "CallStatus": "in-progress", "Digits": digits} | form
        return await self.post(self.addresses.key_press(alert_id, 1), fields)

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a request signed like Twilio's; `headers` are added, or replace its own."""
        fields = {"AccountSid": self.account_sid} | dict(form)
        signed = {"X-Twilio-Signature": SIGNER.compute_signature(url, fields)}
        return await self.post_raw(url, urlencode(fields), signed | dict(headers or {}))

    async def post_raw(self, url: str, body: str, headers: Mapping[str, str]) -> httpx.Response:
        # As if through a proxy that speaks plain HTTP to another host and keeps the path.
        parts = urlsplit(url)._replace(scheme="http", netloc="127.0.0.1:8000")
        form = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        return await self.web.post(parts.geturl(), content=body, headers=form | dict(headers))


def form(status: str, sid: str = SID, **more: str) -> dict[str, str]:
    """The form of a call's status callback."""
    return {"CallSid": sid, "CallStatus": status, "CallbackSource": "call-progress-events"} | more


@asynccontextmanager
async def callback_app(
    database_url: str, base: str = BASE, account_sid: str = ACCOUNT_SID, **options: Any
) -> AsyncIterator[CallbackApp]:
    """An app that Twilio reaches at `base`; `options` replace parts of its services."""
    database = Database(database_url)
    await database.open()
    addresses = CallbackAddresses(base)
    services = Services(
        twilio=TwilioClient(account_sid, TOKEN),
        storage=InlineStorage(),
        from_number=FROM,
        regions=Regions(),
        database_url=SecretStr(database_url),
        callbacks=addresses,
        is_from_twilio=signature_check(SecretStr(TOKEN)),
    )
    desk = CallbackDesk(replace(services, **options), History(database, account_sid), database)
    path = urlsplit(base).path
    routes = callback_routes(CallbackReceiver.of(desk.services), desk.history)
    app = Starlette(routes=[Mount(path, routes=routes)] if path else routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as web:
        try:
            yield CallbackApp(desk, web, addresses)
        finally:
            await desk.open_history.close()
            await database.close()
            await services.close()
