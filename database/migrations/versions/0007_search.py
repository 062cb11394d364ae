"""Search: each alert's position in lists, its stage, and the words that it is found by."""

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

ROWS_AT_ONCE = 1000
MOST_LETTERS = 60


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column(
        "alerts",
        sa.Column("position", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    )
    op.add_column(
        "alerts", sa.Column("stage", sa.Text, nullable=False, server_default=sa.text("'queued'"))
    )
    _fill_in(is_sqlite)
    for name in ("alerts_by_status", "alerts_by_sender", "alerts_by_person", "alerts_by_broadcast"):
        op.drop_index(name, "alerts")
    op.create_index(
        "alerts_by_stage", "alerts", ["stage", "account_sid", "channel", "position", "broadcast_id"]
    )
    op.create_index(
        "alerts_by_sender",
        "alerts",
        ["sender", "account_sid", "stage", "channel", "position", "broadcast_id"],
    )
    op.create_index(
        "alerts_by_broadcast",
        "alerts",
        ["broadcast_id", "account_sid", "stage", "position"],
        sqlite_where=sa.text("broadcast_id IS NOT NULL"),
        postgresql_where=sa.text("broadcast_id IS NOT NULL"),
    )
    op.create_index("submissions_by_time", "submissions", ["at"])
    if is_sqlite:
        # `tokenchars` are the marks in front of names and numbers, see alerts/words.py. The order
        # of words isn't kept.
        op.execute(
            sa.text(
                "CREATE VIRTUAL TABLE alert_words USING fts5(words, alert_id UNINDEXED,"
                " account_sid UNINDEXED, detail = none, columnsize = 0,"
                " tokenize = \"unicode61 remove_diacritics 0 tokenchars '+@#'\")"
            )
        )
    else:
        op.execute(
            sa.text(
                "CREATE TABLE alert_words (alert_id text, account_sid text,"
                " position bigint NOT NULL, words tsvector NOT NULL,"
                " PRIMARY KEY (alert_id, account_sid))"
            )
        )
    _fill_in_words(is_sqlite)
    if not is_sqlite:
        op.create_index("alert_words_by_position", "alert_words", ["position", "account_sid"])
        op.create_index("alert_words_by_word", "alert_words", ["words"], postgresql_using="gin")


def _fill_in(is_sqlite: bool) -> None:
    """Order the alerts by time: microseconds since 1970 times 4096, and a number for equal ones."""
    op.execute(
        sa.text(
            "UPDATE alerts SET position = placed.position FROM ("
            " SELECT id, account_sid, CAST(round(created_at * 1000000) AS bigint) * 4096 - 1"
            " + row_number() OVER (PARTITION BY round(created_at * 1000000)"
            " ORDER BY account_sid, id) AS position FROM alerts) AS placed"
            " WHERE placed.id = alerts.id AND placed.account_sid = alerts.account_sid"
        )
    )
    op.execute(
        sa.text(
            "UPDATE alerts SET stage = CASE"
            " WHEN status = 'queued' THEN 'queued'"
            " WHEN is_open THEN 'under way'"
            " WHEN status = 'acknowledged' THEN 'confirmed'"
            " WHEN status IN ('unknown', 'canceled') THEN status"
            " WHEN status IN ('completed', 'delivered') THEN 'reached'"
            " ELSE 'not reached' END"
        )
    )
    # Where a key press was asked for, only that counts.
    asked = (
        "json_extract(request, '$.acknowledge') = 1"
        if is_sqlite
        else "request ->> 'acknowledge' = 'true'"
    )
    unconfirmed = "UPDATE alerts SET stage = 'not reached' WHERE stage = 'reached' AND "
    op.execute(sa.text(unconfirmed + asked))


def _fill_in_words(is_sqlite: bool) -> None:
    connection = op.get_bind()
    some = sa.text(
        "SELECT id, account_sid, position, request FROM alerts"
        " WHERE position > :after ORDER BY position LIMIT :most"
    )
    add = sa.text(
        "INSERT INTO alert_words (rowid, words, alert_id, account_sid)"
        " VALUES (:position, :words, :id, :account_sid)"
        if is_sqlite
        else "INSERT INTO alert_words (position, words, alert_id, account_sid)"
        " VALUES (:position, array_to_tsvector(string_to_array(:words, ' ')), :id, :account_sid)"
    )
    # Only until the words are in: nothing else looks for alerts by their position alone.
    op.create_index("alerts_by_position", "alerts", ["position"])
    after = -1
    while rows := connection.execute(some, {"after": after, "most": ROWS_AT_ONCE}).all():
        new = [
            {
                "position": row.position,
                "id": row.id,
                "account_sid": row.account_sid,
                "words": " ".join(_words(row.request)),
            }
            for row in rows
        ]
        connection.execute(add, new)
        after = rows[-1].position
    op.drop_index("alerts_by_position", "alerts")


def _words(request: str | Mapping[str, Any]) -> list[str]:
    asked = json.loads(request) if isinstance(request, str) else request
    names = _words_in(asked.get("name", ""))
    found = [*_words_in(asked.get("message", "")), *names, *("@" + each for each in names)]
    for dialed in (asked.get("to", ""), *asked.get("then_to", ())):
        digits = re.match(r"\+?(\d*)", dialed)[1]  # type: ignore[index]
        found += [f"+{digits}", *(f"#{digits[-count:]}" for count in (4, 7, 10, len(digits)))]
    return list(dict.fromkeys(found))


def _words_in(text: str) -> list[str]:
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(each for each in apart if not unicodedata.combining(each))
    return [each[:MOST_LETTERS] for each in re.findall(r"\w+", plain.replace("_", " "))]
