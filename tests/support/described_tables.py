"""Our tables, as a database describes them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.tables import metadata


def tables_in(engine: sa.Engine) -> dict[str, Any]:
    """All that the database says of our tables."""
    inspector = sa.inspect(engine)
    found = {}
    for name in sorted(metadata.tables):
        columns = [
            {**each, "type": str(each["type"]), "comment": None}
            for each in inspector.get_columns(name)
        ]
        found[name] = (
            columns,
            inspector.get_pk_constraint(name)["constrained_columns"],
            inspector.get_foreign_keys(name),
            inspector.get_unique_constraints(name),
            sorted(map(_index, inspector.get_indexes(name)), key=str),
        )
    return found


def _index(index: Any) -> dict[str, Any]:
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}
