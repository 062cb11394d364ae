"""Whether this machine's clock agrees with Twilio's, according to the Date of its answers."""

from __future__ import annotations

from datetime import timedelta

from alerts.doctor.account import AccountChecks
from alerts.doctor.check import Check, Fix, Group, Line, Lines
from alerts.services import Services
from settings import Settings

# Twilio writes whole seconds.
RIGHT_WITHIN = timedelta(seconds=3)
# S3 refuses requests that were signed at another time.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
S3_REFUSES_FROM = timedelta(minutes=15)
SYNCHRONIZE = Fix("sudo timedatectl set-ntp true", "On a Linux with systemd")


class ClockChecks:
    """The check of the clock. The answers of the account's checks tell the time."""

    def __init__(self, settings: Settings, services: Services, account: AccountChecks) -> None:
        self._settings = settings
        self._twilio = services.twilio
        self._account = account

    def checks(self) -> list[Check]:
        """Return the check."""
        return [Check("clock", Group.LETTING_IN, "The clock", self.clock)]

    async def clock(self) -> Lines:
        """Compare the clocks."""
        if self._settings.simulated or not await self._account.is_in():
            return []
        offset = self._twilio.clock_offset
        if abs(offset) <= RIGHT_WITHIN:
            seconds = max(1, round(abs(offset).total_seconds()))
            return [Line("fine", f"The clock is right to {seconds} s, by Twilio's.")]
        behind = "behind" if offset > timedelta() else "ahead of"
        words = f"This machine's clock is {_long(abs(offset))} {behind} Twilio's."
        if abs(offset) >= S3_REFUSES_FROM and self._settings.storage_kind == "s3":
            words = f"Nobody can be called: {words[0].lower()}{words[1:]}"
            seen = "S3 refuses what was signed at another time. Set the clock:"
            return [Line("broken", words, seen, (SYNCHRONIZE,))]
        seen = "Calls come too early or too late, and times in the log are wrong. Set the clock:"
        return [Line("to do", words, seen, (SYNCHRONIZE,))]


def _long(time: timedelta) -> str:
    seconds = time.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
