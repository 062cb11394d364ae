"""SQLite or PostgreSQL behind one interface: transactions, migrations, liveness of processes."""


class DatabaseError(Exception):
    """The database can't be used; `str()` is one sentence for people, without any password."""
