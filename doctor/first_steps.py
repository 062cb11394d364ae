"""The steps from nothing to a real call: each is checked, and ticked when it is done."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from alerts.desk import Desk
from alerts.phone_numbers import international
from alerts.services import open_twilio
from alerts.status import Status
from alerts.tables import alerts
from database import DatabaseError
from doctor.check import Check, Fix, Group, Line, Lines
from settings import Settings, SettingsError
from twilio_client import TwilioError

SIGN_UP = Fix("https://www.twilio.com/try-twilio")
GET_NUMBER = Fix("https://console.twilio.com/us1/develop/phone-numbers/manage/search")
LINES = Fix("TWILIO_ACCOUNT_SID=AC…\nTWILIO_AUTH_TOKEN=…\nTWILIO_FROM_NUMBER=+1…", "In .env")
START_AGAIN = Fix("make run", "In the terminal where it runs: Ctrl+C, then")
ANSWER = "Press Call my own phone on the Setup page, and answer."
PRESS = "Press Call my own phone on the Setup page, answer, and press 1."
HEARD = (Status.ACKNOWLEDGED, Status.COMPLETED)


class FirstSteps:
    """The steps, shown until a real call has reached a person."""

    def __init__(
        self, settings: Settings, desk: Desk, read_again: Callable[[], Settings] = Settings
    ) -> None:
        """`read_again` reads the settings as the app will at its next start."""
        self._settings = settings
        self._desk = desk
        self._read_again = read_again

    def checks(self) -> list[Check]:
        """Return the check of all steps."""
        return [Check("first-steps", Group.FIRST_STEPS, "First steps", self.steps, 45.0)]

    async def steps(self) -> Lines:
        """Return a line for each step; none once a real call has reached a person."""
        try:
            was_heard = await self._call_was_heard()
        except DatabaseError:
            return []  # said by the check of the database
        if self._settings.simulated:
            return [_rehearsal(was_heard), *await self._account()]
        if was_heard:
            return []
        there = Line("fine", "The account, its number and the lines in .env are there.")
        # The check of PUBLIC_URL says how to let Twilio in.
        press = PRESS if self._settings.public_url else ANSWER
        return [there, Line("to do", "Call your own phone.", press)]

    async def _account(self) -> Lines:
        """Return the steps up to the first start with an account, according to today's `.env`."""
        try:
            written = self._read_again()
        except SettingsError as problem:
            return [*_not_yet(), Line("broken", ".env can't be used as it is.", str(problem))]
        if written.simulated:
            return [*_not_yet(), Line("to do", "Start Callboard again.", "", (START_AGAIN,))]
        lines = [Line("fine", ".env has the account, its token and a number.")]
        return [
            *await _accepted(written),
            *lines,
            Line("to do", "Start Callboard again.", "", (START_AGAIN,)),
        ]

    async def _call_was_heard(self) -> bool:
        account_sid = self._desk.services.twilio.account_sid
        chosen = sa.select(alerts.c.id).where(
            alerts.c.account_sid == account_sid,
            alerts.c.channel == "call",
            alerts.c.status.in_(HEARD),
        )

        def read(connection: sa.Connection) -> bool:
            return connection.execute(chosen.limit(1)).first() is not None

        return await (await self._desk.database()).read(read)


def _rehearsal(was_heard: bool) -> Line:
    if was_heard:
        return Line("fine", "A call in the simulation was answered.")
    words = "Hear a call in the simulation."
    return Line("to do", words, f"{PRESS} The phone in the page rings, and nobody else's.")


def _not_yet() -> list[Line]:
    return [
        Line("to do", "Open an account at Twilio.", "A trial is free.", (SIGN_UP,)),
        Line("to do", "Get a number that can call.", "In Twilio's console:", (GET_NUMBER,)),
        Line("to do", "Write the account and the number into .env beside app.py.", "", (LINES,)),
    ]


async def _accepted(written: Settings) -> Lines:
    """Return lines on whether Twilio accepts the account and the number in `written`."""
    number = written.twilio_from_number or ""
    shown = international(number)
    async with open_twilio(written) as twilio:
        try:
            owned = await twilio.find_number(number)
            usable = owned is not None or [
                each async for each in twilio.list_caller_ids(number, limit=1)
            ]
        except TwilioError as problem:
            words = "Twilio doesn't accept the account in .env."
            return [Line("broken", words, str(problem), (LINES,))]
    account = Line("fine", "Twilio accepts the account in .env.")
    if usable:
        return [account, Line("fine", f"Calls can come from {shown}.")]
    words = f"{shown} is neither the account's own number nor verified."
    return [account, Line("broken", words, "Get a number in Twilio's console:", (GET_NUMBER,))]
