"""What all tables belong to: those of access, alerts, people and rules are in one database."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()
"""Each room's tables.py adds its own to it."""
