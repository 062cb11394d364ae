"""The database that alerts are kept in: SQLite or PostgreSQL, its tables, and who is there."""
