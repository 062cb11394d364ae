"""Roles: who may send, change rules and people, and administer, by name or by group."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from access.actor import Actor, Permission
from access.names import user_key
from settings import Settings


@dataclass(frozen=True, slots=True)
class Roles:
    """Who has which permission: names or groups, as `user_key` writes them.

    Everybody who signs in may look. With None, everybody who signs in has the permission.
    """

    senders: frozenset[str] | None = None
    rule_writers: frozenset[str] | None = None
    admins: frozenset[str] | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Read SENDERS, RULE_WRITERS and ADMINS."""
        return cls(_keys(settings.senders), _keys(settings.rule_writers), _keys(settings.admins))

    def actor(self, name: str, groups: Collection[str] = ()) -> Actor:
        """Return the actor for a person who has been identified, with their permissions.

        `groups` are those that Posit Connect vouches for.
        """
        keys = {user_key(each) for each in (name, *groups)}
        named = {
            Permission.SEND: self.senders,
            Permission.WRITE: self.rule_writers,
            Permission.ADMINISTER: self.admins,
        }
        granted = {
            permission
            for permission, members in named.items()
            if members is None or not keys.isdisjoint(members)
        }
        return Actor(name, frozenset({Permission.LOOK, *granted}))


def _keys(names: Collection[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(map(user_key, names))
