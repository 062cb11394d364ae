"""An app that Twilio tells of alerts, with a real history; and requests signed as Twilio does."""

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
from alerts.alert import tries_of
from alerts.callbacks import CallbackReceiver, callback_routes
from alerts.history import History
from alerts.phone_numbers import Regions
from alerts.services import CallbackAddresses, Services, signature_check
from alerts.submissions import Outcome, Settlement, Submission
from alerts.tables import NewAlert
from alerts.tables import submissions as submissions_table
from database.database import Database
from storage import InlineStorage
from twilio_client import TwilioClient

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
TOKEN = "token-that-nobody-may-see"
FROM = "+14155550100"
SUB_PATH = "/team/calls"
BASE = f"https://callboard.example{SUB_PATH}"
SID, OTHER_SID = "CA" + "1" * 32, "CA" + "2" * 32
CALL = AlertRequest("call", "+14128574309", "Batch 7 failed", acknowledge=True)
JUDGE = RequestValidator(TOKEN)


@dataclass
class ToldDesk:
    """What webhooks need of a desk, without an engine that delivers."""

    services: Services
    kept: History
    database: Database

    async def history(self) -> History:
        return self.kept


@dataclass(frozen=True)
class Told:
    """A desk, and the network on which Twilio reaches it."""

    desk: ToldDesk
    web: httpx.AsyncClient
    addresses: CallbackAddresses

    @property
    def account_sid(self) -> str:
        return self.desk.kept.account_sid

    async def add(self, alert_id: str = "one", request: AlertRequest = CALL) -> None:
        await self.desk.kept.add([NewAlert(alert_id, request, FROM)])

    async def begin(self, alert_id: str = "one", try_number: int = 1) -> Submission:
        """Write down that Twilio is being asked, and don't hear its answer."""
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
        """Write down what became of a request, without what that means for its alert."""
        settlement = Settlement(submission_id, outcome)
        await self.desk.database.write(
            lambda connection: submissions.settle(connection, [settlement])
        )

    async def record(self, event: Event, alert_id: str = "one") -> None:
        assert await self.desk.kept.record(alert_id, event)

    async def alert(self, alert_id: str = "one") -> Alert:
        alert = await self.desk.kept.get(alert_id)
        assert alert is not None
        return alert

    async def outcomes(self) -> list[tuple[str | None, str | None]]:
        """What became of each request of the account, and its SID."""
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
        """Tell a status; the HTTP status of the answer."""
        answer = await self.post(self.addresses.status(alert_id, number), form)
        return answer.status_code

    async def press(self, digits: str, alert_id: str = "one", **form: str) -> httpx.Response:
        """Press keys in a call."""
        fields = {"CallSid": SID, "CallStatus": "in-progress", "Digits": digits} | form
        return await self.post(self.addresses.key_press(alert_id, 1), fields)

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A signed request, as Twilio makes it; `headers` come on top."""
        fields = {"AccountSid": self.account_sid} | dict(form)
        signed = {"X-Twilio-Signature": JUDGE.compute_signature(url, fields)}
        return await self.post_raw(url, urlencode(fields), signed | dict(headers or {}))

    async def post_raw(self, url: str, body: str, headers: Mapping[str, str]) -> httpx.Response:
        # Behind a proxy, which speaks plain HTTP to another host and leaves the path as it is.
        parts = urlsplit(url)._replace(scheme="http", netloc="127.0.0.1:8000")
        form = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        return await self.web.post(parts.geturl(), content=body, headers=form | dict(headers))


def form(status: str, sid: str = SID, **more: str) -> dict[str, str]:
    """What Twilio says of a call."""
    return {"CallSid": sid, "CallStatus": status, "CallbackSource": "call-progress-events"} | more


@asynccontextmanager
async def told(
    database_url: str, base: str = BASE, account_sid: str = ACCOUNT_SID, **options: Any
) -> AsyncIterator[Told]:
    """A desk that hears Twilio at `base`; `options` replace parts of its means."""
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
    desk = ToldDesk(replace(services, **options), History(database, account_sid, 1000), database)
    path = urlsplit(base).path
    routes = callback_routes(CallbackReceiver.of(desk.services), desk.history)
    app = Starlette(routes=[Mount(path, routes=routes)] if path else routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as web:
        try:
            yield Told(desk, web, addresses)
        finally:
            await desk.kept.close()
            await database.close()
            await services.close()
