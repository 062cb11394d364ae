"""SQLite or PostgreSQL behind one door: connecting, transactions, migrations, who is alive."""


class DatabaseError(Exception):
    """The database can't be used; `str()` is one sentence for people, without any password."""
