"""Python 3.11 lists the members of a Protocol once, and still tells what fits it."""

from __future__ import annotations

import sys
import typing
from typing import Any, Protocol, runtime_checkable

import pytest
from htmltools import tags

from dashboard.protocols import remember_protocols


@runtime_checkable
class HasName(Protocol):
    name: str


class Named:
    def __init__(self) -> None:
        self.name = "Ann"


class Nameless:
    pass


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="newer versions remember it themselves")
def test_the_members_of_a_protocol_are_listed_once() -> None:
    remember_protocols()
    listed: Any = typing._get_protocol_attrs  # type: ignore[attr-defined]
    str(tags.p("a text"))
    misses = listed.cache_info().misses
    str(tags.p("a text", tags.span("and another")))
    assert listed.cache_info().misses == misses


def test_a_second_app_changes_nothing_more() -> None:
    remember_protocols()
    listed = getattr(typing, "_get_protocol_attrs", None)
    remember_protocols()
    assert getattr(typing, "_get_protocol_attrs", None) is listed


def test_it_still_tells_what_fits_a_protocol() -> None:
    remember_protocols()
    for _ in range(2):
        assert isinstance(Named(), HasName)
        assert not isinstance(Nameless(), HasName)
    late = Nameless()
    late.name = "Bob"  # type: ignore[attr-defined]
    assert isinstance(late, HasName)
