"""After sending: found again by its address, canceled, sent again; and a database that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from alerts import Alert, AlertRequest, Desk, Status
from dashboard.live_alert import NO_SUCH_ALERT
from dashboard.send.actions import action_for, buttons_for, label_for
from tests.support import desks as alerts_desk
from tests.support.alerts_by_hand import CALL, TEXT, alert_after_events, steps
from tests.support.desks import simulated_desk
from tests.support.page_in_memory import Page, calls_at_twilio, fill_in, opened, press, shown, until

pytestmark = pytest.mark.usefixtures("fresh_lock")

S = Status
NEVER_ANSWERS = "+14125550102"
BUSY = "+14125550101"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with simulated_desk(tmp_path, speed=10) as desk:
        yield desk


async def click(page: Page, button: str, times: int = 1) -> None:
    await page.session.set_inputs(**{f"send-{button}:shiny.action": times})


def status_of(page: Page) -> str:
    return page.alert.status.value if page.alert else ""


async def test_a_page_that_is_loaded_again_goes_on_with_its_alert(desk: Desk):
    sent = await desk.send(alerts_desk.CALL)
    async with opened(desk, f"?theme=dark&alert={sent.id}") as page:
        await until(page.session, lambda: "cb-pill good" in shown(page.session, "progress"))
        await until(page.session, lambda: shown(page.session, "actions") in ("", "None"))


@pytest.mark.parametrize("alert_id", ["nobody-sent-this", "a%00b", "", "x" * 5000])
async def test_an_unknown_id_is_one_sentence(desk: Desk, alert_id: str):
    async with opened(desk, f"?alert={alert_id}&alert=") as page:
        if alert_id:
            await until(page.session, lambda: NO_SUCH_ALERT in shown(page.session, "progress"))
            await until(page.session, lambda: shown(page.session, "announcement") == NO_SUCH_ALERT)
        else:
            await until(page.session, lambda: "Nothing sent yet" in shown(page.session, "progress"))


async def test_a_call_is_canceled_while_it_rings(desk: Desk):
    async with opened(desk) as page:
        await fill_in(page.session, phone_number=NEVER_ANSWERS)
        await press(page.session)
        await until(page.session, lambda: status_of(page) == "ringing")
        await until(page.session, lambda: "Cancel this call" in shown(page.session, "actions"))
        await click(page, "stop")
        await until(page.session, lambda: "Cancel this call" not in shown(page.session, "actions"))
        await until(page.session, lambda: status_of(page) == "canceled")
        assert "Canceled by" in shown(page.session, "progress")
        await until(page.session, lambda: "Send again" in shown(page.session, "actions"))


async def test_send_again_sends_nothing_by_itself(desk: Desk):
    async with opened(desk) as page:
        await fill_in(page.session, phone_number=BUSY, message="Batch 1407.")
        await press(page.session)
        await until(page.session, lambda: "Send again…" in shown(page.session, "actions"))
        await click(page, "send_again")
        await until(page.session, lambda: status_of(page) == "unanswered")
        assert calls_at_twilio(desk) == 1


async def test_a_database_that_cannot_be_used_is_one_sentence(tmp_path: Path):
    nowhere = SecretStr(f"sqlite:///{tmp_path / 'file' / 'callboard.sqlite'}")
    (tmp_path / "file").write_text("not a folder")
    async with simulated_desk(tmp_path, database_url=nowhere) as desk, opened(desk) as page:
        await press(page.session)
        await until(page.session, lambda: "DATABASE_URL" in shown(page.session, "send_refusal"))
        assert calls_at_twilio(desk) == 0
    async with (
        simulated_desk(tmp_path, database_url=nowhere) as desk,
        opened(desk, "?alert=1") as page,
    ):
        await until(page.session, lambda: "DATABASE_URL" in shown(page.session, "progress"))


def after(request: AlertRequest, *statuses: Status, **fields: Any) -> Alert:
    return alert_after_events(request, *steps(*statuses, **fields))


def test_what_waits_longer_than_it_can_be_undone_can_be_sent_now():
    now = datetime.now(UTC)
    held = replace(
        after(replace(TEXT, hold_seconds=10)), since=now, not_before=now + timedelta(seconds=10)
    )
    assert [words for _, words in buttons_for((held,), is_broadcast=False)] == ["Undo"]
    later = now + timedelta(minutes=40)
    number = replace(held, held_until=later, held_for="number")
    night = replace(held, request=replace(held.request, quiet_hours="00:00-23:59"))
    for waiting in (number, night):
        labels = [words for _, words in buttons_for((waiting,), is_broadcast=False)]
        assert labels == ["Cancel this text", "Text now anyway"]


@pytest.mark.parametrize(
    ("alert", "label"),
    [
        (after(CALL), "Cancel this call"),
        (after(TEXT), "Cancel this text"),
        (after(CALL, S.SENDING, S.PLACED, S.RINGING), "Cancel this call"),
        (after(replace(CALL, tries=2), S.SENDING), "Cancel this alert"),
        (after(TEXT, S.SENDING, S.PLACED), ""),
        (after(replace(TEXT, tries=2), S.SENDING, S.PLACED), "Stop retrying"),
        (after(CALL, S.SENDING, S.PLACED, S.COMPLETED), ""),
        (after(replace(CALL, acknowledge=True), S.PLACED, S.COMPLETED), "Send again…"),
        (after(CALL, S.SENDING, S.UNKNOWN), "Send again…"),
        (after(TEXT, S.SENDING, S.FAILED), "Send again…"),
        (after(CALL, S.PLACED, S.UNANSWERED), "Send again…"),
    ],
)
def test_what_can_still_be_done(alert: Alert, label: str):
    assert label_for(alert, action_for(alert)) == label
