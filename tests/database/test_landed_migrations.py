"""Migrations that databases have run already are never edited: a later one corrects them."""

from __future__ import annotations

import hashlib

from database.migrations.revisions import VERSIONS

# A new migration is added here once it has been released.
LANDED = {
    "0001_history.py": "af31450bf0f296e0",
    "0002_field_words.py": "bf5a2dfef590bbf7",
    "0003_heartbeats.py": "2a7aadc6eaf616d5",
    "0004_people.py": "9c70eabb7d4264c4",
    "0005_broadcasts.py": "4eb7da0af40e63a5",
    "0006_replies.py": "fcab9cd6bda2f481",
    "0007_search.py": "8b0d53f193530f53",
    "0008_rules.py": "5c4e856db4a25427",
    "0009_sign_ins.py": "bf2cd2fb3d20629f",
    "0010_audit.py": "064bcb49a72e9cd3",
    "0011_limits.py": "fd81250227fd94b0",
}


def test_landed_migrations_are_as_they_were() -> None:
    found = {
        name: hashlib.sha256((VERSIONS / name).read_bytes()).hexdigest()[:16] for name in LANDED
    }
    assert found == LANDED
