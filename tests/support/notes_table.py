"""Helpers for tests of the database: a table of notes, and what is in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import sqlalchemy as sa

from database.database import Database

notes = sa.Table("notes", sa.MetaData(), sa.Column("id", sa.Text, primary_key=True))


@asynccontextmanager
async def database_with_notes(url: str) -> AsyncIterator[Database]:
    """An open database with a table for notes."""
    database = Database(url)
    await database.open()
    await database.write(lambda connection: notes.create(connection, checkfirst=True))
    try:
        yield database
    finally:
        await database.close()


def note(text: str) -> Callable[[sa.Connection], str]:
    """Work that writes a note unless it is there, and returns the note."""

    def work(connection: sa.Connection) -> str:
        if connection.scalar(sa.select(notes.c.id).where(notes.c.id == text)) is None:
            connection.execute(sa.insert(notes).values(id=text))
        return text

    return work


def all_notes(connection: sa.Connection) -> list[str]:
    """Work that reads all notes, in order."""
    return list(connection.scalars(sa.select(notes.c.id).order_by(notes.c.id)))
