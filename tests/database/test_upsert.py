"""A row is inserted, or changed if it is there: with SQLite and with PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa

from alerts.tables import texting_states
from database.migrations import bring_up_to_date
from database.tables import upsert
from people.tables import message_templates

STATE = {"number": "+14125550142", "account_sid": "AC1"}
TEMPLATE = {"id": "hello", "name_key": "hello", "name": "Hello", "message": "Hi", "updated_at": 1.0}


def rows_of(connection: sa.Connection, table: sa.Table) -> list[dict[str, object]]:
    return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def test_a_row_with_the_same_primary_key_is_changed_unless_a_column_is_the_same(engine: sa.Engine):
    bring_up_to_date(engine)
    with engine.begin() as connection:
        for state, since in (("stop", 1.0), ("stop", 2.0), ("landline", 3.0), ("landline", 4.0)):
            row = STATE | {"state": state, "since": since}
            upsert(connection, texting_states, row, changed=("state", "since"), unless_same="state")
        assert rows_of(connection, texting_states) == [STATE | {"state": "landline", "since": 3.0}]


def test_a_row_may_have_another_key_and_keeps_what_isnt_to_change(engine: sa.Engine):
    bring_up_to_date(engine)
    with engine.begin() as connection:
        for message, moment in (("Hi", 1.0), ("Good morning", 2.0)):
            row = TEMPLATE | {"message": message, "updated_at": moment}
            upsert(connection, message_templates, row, key=("name_key",), changed=("message",))
        assert rows_of(connection, message_templates) == [TEMPLATE | {"message": "Good morning"}]
