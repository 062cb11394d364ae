"""About what a try costs: the line under the Send button."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts import AlertRequest
from dashboard.send.caller import cost_of
from people.recipients import Recipient
from tests.support.alerts_by_hand import CALL, TEXT

PITTSBURGH, LONDON = Recipient(0, "+14125550123"), Recipient(1, "+442079460958")


@pytest.mark.parametrize(
    ("request_", "recipients", "cost"),
    [
        (CALL, [PITTSBURGH], 0.014),
        (CALL, [PITTSBURGH] * 3, 0.042),
        (replace(CALL, message="word " * 150, repeat=3), [PITTSBURGH], 0.042),
        (TEXT, [PITTSBURGH], 0.0083),
        (replace(TEXT, message="x" * 161), [PITTSBURGH], 0.0166),
        (CALL, [PITTSBURGH, LONDON], None),
        (CALL, [], None),
    ],
)
def test_it_is_about(request_: AlertRequest, recipients: list[Recipient], cost: float | None):
    assert cost_of(request_, recipients) == pytest.approx(cost)
