"""The words that an alert is found by: of its message, its recipient's name, and its numbers.

They are kept in the table `alert_words`: SQLite's FTS5, or a tsvector under a GIN index in
PostgreSQL. Both hold words that were made here, so that both find the same.
https://www.sqlite.org/fts5.html, https://www.postgresql.org/docs/current/textsearch-tables.html
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from alerts.alert import Alert, AlertRequest

# In front of a word of the recipient's name, of a whole number, and of a number's last digits.
NAME, NUMBER, LAST_DIGITS = "@", "+", "#"
# People know numbers by their last digits, with or without the area code.
REMEMBERED_DIGITS = (4, 7, 10)
FEWEST_DIGITS = 3
WORD = re.compile(r"\w+")
MOST_TERMS = 12
# PostgreSQL refuses very long ones.
MOST_LETTERS = 60

IN_SQLITE = sa.table(
    "alert_words",
    sa.column("rowid", sa.BigInteger),
    sa.column("words", sa.Text),
    sa.column("alert_id", sa.Text),
    sa.column("account_sid", sa.Text),
)
IN_POSTGRESQL = sa.table(
    "alert_words",
    sa.column("position", sa.BigInteger),
    sa.column("words"),
    sa.column("alert_id", sa.Text),
    sa.column("account_sid", sa.Text),
)
# Take the position from the alert's row: if this runs again, it was saved before.
ADD_TO_SQLITE = sa.text(
    "INSERT INTO alert_words (rowid, words, alert_id, account_sid)"
    " SELECT position, :words, id, account_sid FROM alerts"
    " WHERE id = :id AND account_sid = :account AND NOT EXISTS"
    " (SELECT 1 FROM alert_words WHERE rowid = alerts.position)"
)
ADD_TO_POSTGRESQL = sa.text(
    "INSERT INTO alert_words (position, words, alert_id, account_sid)"
    " SELECT position, array_to_tsvector(string_to_array(:words, ' ')), id, account_sid FROM alerts"
    " WHERE id = :id AND account_sid = :account ON CONFLICT DO NOTHING"
)


def words_in(text: str) -> list[str]:
    """Return the words of a text, compared without regard to case, accents and punctuation."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(each for each in apart if not unicodedata.combining(each))
    return [each[:MOST_LETTERS] for each in WORD.findall(plain.replace("_", " "))]


def words_of(request: AlertRequest, numbers: Iterable[str]) -> list[str]:
    """Return everything that an alert to `numbers` (E.164) is found by, each word once."""
    names = words_in(request.name)
    found = [*words_in(request.message), *names, *(NAME + each for each in names)]
    found += (word for value in request.variables.values() for word in words_in(value))
    for number in numbers:
        digits = number.removeprefix(NUMBER)
        found.append(NUMBER + digits)
        found += (LAST_DIGITS + digits[-count:] for count in (*REMEMBERED_DIGITS, len(digits)))
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Term:
    """A word to look for, whole or by its beginning, or any of its alternatives."""

    word: str
    is_beginning: bool = False
    others: tuple[Term, ...] = ()

    def is_in(self, words: str) -> bool:
        """Whether one of an alert's words matches; `words` has a space before and after each."""
        own = f" {self.word}" if self.is_beginning else f" {self.word} "
        return own in words or any(other.is_in(words) for other in self.others)

    def __str__(self) -> str:
        """In the language of FTS5."""
        own = f'"{self.word}"{"*" if self.is_beginning else ""}'
        return f"({' OR '.join([own, *map(str, self.others)])})" if self.others else own

    def as_tsquery(self) -> str:
        """In the language of tsquery."""
        own = f"'{self.word}'{':*' if self.is_beginning else ''}"
        return f"({' | '.join([own, *(each.as_tsquery() for each in self.others)])})"


def terms_for(*, text: str = "", name: str = "", number: str = "") -> list[Term]:
    """Return what to look for: words of a text, of a name, and a number in E.164.

    Of the last word of a text or name its beginning is enough, because it may still be being typed.
    """
    terms = [Term(NUMBER + number.removeprefix(NUMBER))] if number else []
    terms += _begun(words_in(name), NAME)
    return [*terms, *_begun(words_in(text), "")][:MOST_TERMS]


def _begun(words: Sequence[str], mark: str) -> list[Term]:
    terms = []
    for place, word in enumerate(words, start=1):
        is_last = place == len(words)
        others: tuple[Term, ...] = ()
        if not mark and word.isdecimal() and len(word) >= FEWEST_DIGITS:
            others = (Term(LAST_DIGITS + word, is_beginning=True),)
            if is_last:
                others += (Term(word, is_beginning=True),)
            terms.append(Term(word, others=others))
        else:
            terms.append(Term(mark + word, is_beginning=is_last))
    return terms


def matching(
    connection: sa.Connection, terms: Sequence[Term], words: Any = IN_POSTGRESQL.c.words
) -> sa.ColumnElement[bool]:
    """Return the condition that all of the terms are in a row of `alert_words`.

    `words` is PostgreSQL's column, if it isn't that of the table itself.
    """
    if is_sqlite(connection):
        query = " AND ".join(map(str, terms))
        return sa.literal_column("alert_words").op("MATCH")(sa.bindparam(None, query, sa.Text))
    query = " & ".join(each.as_tsquery() for each in terms)
    tsquery: sa.ColumnElement[Any] = sa.cast(sa.bindparam(None, query, sa.Text), TSQUERY)
    found: sa.ColumnElement[bool] = words.op("@@")(tsquery)
    return found


def add_words(connection: sa.Connection, account_sid: str, alerts: Iterable[Alert]) -> None:
    """Let alerts be found by their words; adding an alert twice is harmless."""
    rows = [
        {
            "id": each.id,
            "account": account_sid,
            "words": " ".join(words_of(each.request, [made.to for made in each.tries])),
        }
        for each in alerts
    ]
    if rows:
        connection.execute(ADD_TO_SQLITE if is_sqlite(connection) else ADD_TO_POSTGRESQL, rows)


def delete_words(
    connection: sa.Connection, account_sid: str, alerts: Sequence[tuple[str, int]]
) -> None:
    """Forget the words of alerts, each an id and a position."""
    if is_sqlite(connection):
        positions = [position for _, position in alerts]
        connection.execute(sa.delete(IN_SQLITE).where(IN_SQLITE.c.rowid.in_(positions)))
    else:
        table, ids = IN_POSTGRESQL, [alert_id for alert_id, _ in alerts]
        connection.execute(
            sa.delete(table).where(table.c.alert_id.in_(ids), table.c.account_sid == account_sid)
        )


def is_sqlite(connection: sa.Connection) -> bool:
    """Whether the database is SQLite and not PostgreSQL."""
    return connection.dialect.name == "sqlite"
