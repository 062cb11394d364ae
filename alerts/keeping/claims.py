"""Which try a call or text belongs to that Twilio tells of, perhaps before it told its SID."""

from __future__ import annotations

import sqlalchemy as sa

from alerts.database.tables import attempts
from alerts.keeping.attempts import Outcome, is_of_try, settle_try
from alerts.keeping.rows import Row


def claim(connection: sa.Connection, alert: Row, try_number: int, sid: str) -> bool:
    """Whether `sid` is that of a try of the alert, which it becomes if the try has none yet.

    The request that may have gone through is then known to have done so.
    """
    if alert["try_number"] == try_number and alert["sid"] is not None:
        return bool(alert["sid"] == sid)
    key = alert["account_sid"], alert["id"], try_number
    its_try = is_of_try(*key)
    chosen = sa.select(attempts.c.sid, its_try.label("is_its_try")).where(
        sa.or_(attempts.c.sid == sid, sa.and_(its_try, attempts.c.sid.is_not(None)))
    )
    known = [(row.sid, bool(row.is_its_try)) for row in connection.execute(chosen)]
    if known:
        return (sid, True) in known
    settle_try(connection, *key, Outcome.PLACED, sid=sid)
    return True
