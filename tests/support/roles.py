"""People with different permissions, and trying each method of a class as each of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from access import EVERYTHING, Actor, NotAllowed, Permission

LOOK, SEND, WRITE = Permission.LOOK, Permission.SEND, Permission.WRITE
ADMINISTER = Permission.ADMINISTER

# The permission that each method takes, and what to call it with.
Decisions = Mapping[str, tuple[Permission, Sequence[Any]]]

ROLES = {
    "nobody": Actor("Nobody", frozenset()),
    "looks": Actor("Lena", frozenset({LOOK})),
    "sends": Actor("Sam", frozenset({LOOK, SEND})),
    "writes": Actor("Wim", frozenset({LOOK, WRITE})),
    "administers": Actor("Ada", frozenset({LOOK, ADMINISTER})),
    "everything": Actor("Eve", EVERYTHING),
}


def public_members(kind: type) -> set[str]:
    """The names of all methods and properties of a class that don't begin with _."""
    return {
        name
        for name in dir(kind)
        if not name.startswith("_") and (callable(getattr(kind, name)) or _is_property(kind, name))
    }


async def mistakes(
    as_actor: Callable[[Actor], Any],
    decisions: Decisions,
) -> list[str]:
    """Try each method as each role; say where it was refused or not against the decision.

    What is allowed may fail in any other way.
    """
    found = []
    for role, actor in ROLES.items():
        for name, (needed, arguments) in decisions.items():
            is_refused = await _is_refused(as_actor(actor), name, arguments)
            if is_refused is actor.may(needed):
                found.append(f"{name} as {role}: {'refused' if is_refused else 'allowed'}")
    return found


async def _is_refused(thing: Any, name: str, arguments: Sequence[Any]) -> bool:
    try:
        if _is_property(type(thing), name):
            getattr(thing, name)
            return False
        result = getattr(thing, name)(*arguments)
        if inspect.isasyncgen(result):
            async with aclosing(result):
                await anext(result)
        elif inspect.isawaitable(result):
            await result
    except NotAllowed:
        return True
    except Exception:  # noqa: BLE001 - what it is called with may be of no use
        return False
    return False


def _is_property(kind: type, name: str) -> bool:
    return isinstance(inspect.getattr_static(kind, name), property)
