"""Which settings have changed since the last start: their names are recorded, never values."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from access.actor import Actor
from access.audit import write_entries
from access.audit_entry import Action, AuditEntry, Kind
from access.tables import last_settings
from database.database import Database
from settings import Settings

# The first two are paths on this machine. With a new DATABASE_URL, the new database doesn't know
# the settings of the last start.
NOT_TOLD = {"data_dir", "sources_file", "database_url"}
# A slow hash, because a short password could be found by guessing.
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt
SCRYPT = {"n": 2**14, "r": 8, "p": 1}


async def record_changed_settings(
    database: Database, settings: Settings, mode: str, actor: Actor
) -> list[str]:
    """Record which settings differ from those at the last start in this mode; returns their names.

    Values are never recorded, and nothing at the first start.
    """

    def compare(connection: sa.Connection) -> list[str]:
        row = last_settings.c.mode == mode
        before = connection.scalar(sa.select(last_settings.c.settings).where(row))
        now = _kept(settings, before or {})
        if now == before:
            return []
        connection.execute(sa.delete(last_settings).where(row))
        connection.execute(sa.insert(last_settings).values(mode=mode, settings=now))
        if before is None:
            return []
        changed = [each for each in now.keys() | before.keys() if now.get(each) != before.get(each)]
        names = sorted(each.upper() for each in changed)
        about = ", ".join(names)
        write_entries(
            connection, [AuditEntry.by(actor, Action.CHANGED, Kind.SETTINGS, about, mode)]
        )
        return names

    return await database.write(compare)


def _kept(settings: Settings, before: dict[str, Any]) -> dict[str, Any]:
    """Return what is remembered of the settings, by name; an unchanged secret keeps its hash."""
    kept: dict[str, Any] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name in NOT_TOLD or value is None:
            continue
        if isinstance(value, SecretStr):
            kept[name] = _hashed(value.get_secret_value(), before.get(name))
        else:
            kept[name] = str(value)
    return kept


def _hashed(secret: str, before: object) -> str:
    """Return "salt:hash" of a secret; if the secret hasn't changed, return `before`."""
    if isinstance(before, str):
        salt = before.partition(":")[0]
        if hmac.compare_digest(_salted(secret, salt), before):
            return before
    return _salted(secret, secrets.token_hex(16))


def _salted(secret: str, salt: str) -> str:
    hashed = hashlib.scrypt(secret.encode("utf-8", "surrogateescape"), salt=salt.encode(), **SCRYPT)
    return f"{salt}:{hashed.hex()}"
