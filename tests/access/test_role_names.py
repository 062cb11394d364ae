"""Who may what: by name or group, however it is spelled; not set means everybody."""

from __future__ import annotations

import pytest

from access import EVERYTHING, Permission
from access.roles import Roles
from settings import Settings

LOOK, SEND, WRITE, ADMINISTER = Permission


def roles(**lists: str) -> Roles:
    return Roles.from_settings(Settings(_env_file=None, users_file="users", **lists))


def test_without_lists_everybody_may_everything():
    assert roles().actor("maya").permissions == EVERYTHING


@pytest.mark.parametrize(
    ("name", "groups", "allowed"),
    [
        ("maya", (), {LOOK, SEND, ADMINISTER}),
        ("MAYA", (), {LOOK, SEND, ADMINISTER}),
        ("Ruth  Kaplan", (), {LOOK, WRITE, ADMINISTER}),
        ("ben", ("Brewers",), {LOOK, SEND, WRITE, ADMINISTER}),
        ("may", (), {LOOK, ADMINISTER}),
        ("", (), {LOOK, ADMINISTER}),
        ("mayá", ("brewers of beer",), {LOOK, ADMINISTER}),
    ],
)
def test_lists(name: str, groups: tuple[str, ...], allowed: set[Permission]):
    given = roles(senders="maya, brewers", rule_writers="ruth kaplan,BREWERS")
    actor = given.actor(name, groups)
    assert actor.name == name
    assert set(actor.permissions) == allowed


def test_an_empty_list_is_nobody():
    assert roles(admins=",").actor("maya").permissions == {LOOK, SEND, WRITE}
