"""Migrations that databases have run already are never edited: a later one corrects them."""

from __future__ import annotations

import hashlib

from database.migrations.revisions import VERSIONS

# A new migration is added here once it has been released.
LANDED = {
    "0001_history.py": "af31450bf0f296e0",
    "0002_field_words.py": "bf5a2dfef590bbf7",
    "0003_heartbeats.py": "2a7aadc6eaf616d5",
}


def test_landed_migrations_are_as_they_were() -> None:
    found = {
        name: hashlib.sha256((VERSIONS / name).read_bytes()).hexdigest()[:16] for name in LANDED
    }
    assert found == LANDED
