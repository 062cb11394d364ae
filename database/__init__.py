"""SQLite or PostgreSQL behind one interface: transactions and migrations."""


class DatabaseError(Exception):
    """The database can't be used; `str()` is one sentence for people, without any password."""


class NewerDatabase(DatabaseError):
    """A newer Callboard has changed the tables: this process can neither save nor deliver."""
