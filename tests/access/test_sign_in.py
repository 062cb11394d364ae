"""Signing in: who gets in, what the others are told, and when a sign-in is over."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access import passwords, sign_in
from access.sign_in import Refused, SignIn
from access.users import UsersFile
from database.database import Database
from tests.support.signing_in import (
    BEN,
    ELSEWHERE,
    MAYA,
    PASSWORD,
    cheap_hash,
    open_database,
    sign_in_on,
    signed_in,
    users_in,
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(f"sqlite:///{tmp_path / 'callboard.sqlite'}") as database:
        yield database


@pytest.fixture
def users(tmp_path: Path) -> UsersFile:
    return users_in(tmp_path, MAYA, BEN)


@pytest.fixture
def here(database: Database, users: UsersFile) -> SignIn:
    return sign_in_on(database, users)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing the dummy password takes no more work than hashing one in the file."""
    monkeypatch.setattr(passwords, "_nobodys_hash", cheap_hash)


async def refusal(here: SignIn, name: str, password: str) -> Refused:
    found = await here.attempt(name, password, stays=False, address=ELSEWHERE)
    assert isinstance(found, Refused)
    return found


async def test_a_user_who_signs_in(here: SignIn):
    maya = await signed_in(here, " maya  ORTIZ")
    assert maya.name == MAYA
    assert await here.find(maya.token) == maya
    assert here.actor(maya).name == MAYA


NAME_AGAIN = "Type your name again: at most 200 characters, and none that are invisible."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "password", "sentence", "field"),
    [
        (MAYA, "wrong horse", "The name or the password is wrong.", "password"),
        ("nobody", PASSWORD, "The name or the password is wrong.", "password"),
        (MAYA, "", "Type your password.", "password"),
        (MAYA, "x" * 1001, "The name or the password is wrong.", "password"),
        (MAYA, "\ud800", "The name or the password is wrong.", "password"),
        ("", PASSWORD, "Type your name.", "name"),
        ("x" * 201, PASSWORD, NAME_AGAIN, "name"),
        ("ma\x00ya", PASSWORD, NAME_AGAIN, "name"),
    ],
)
async def test_those_who_dont(here: SignIn, name: str, password: str, sentence: str, field: str):
    assert await refusal(here, name, password) == Refused(sentence, field)


async def test_an_unknown_name_takes_as_long(here: SignIn, users: UsersFile):
    async def seconds(name: str) -> float:
        began = time.process_time()
        await refusal(here, name, "wrong horse")
        return time.process_time() - began

    await seconds("warm up")
    users.change_password(MAYA, PASSWORD)  # with as much work as in life
    known, unknown = await seconds(MAYA), await seconds("nobody")
    assert unknown > known / 3


async def test_too_many_tries(here: SignIn):
    for _ in range(5):
        await refusal(here, MAYA, "wrong horse")
    refused = await refusal(here, MAYA, PASSWORD)
    assert refused.sentence == f"Too many wrong tries. Try again in {refused.wait_seconds} s."
    assert 1 <= refused.wait_seconds <= 5


@pytest.mark.slow
async def test_a_flood_takes_little_memory(here: SignIn, monkeypatch: pytest.MonkeyPatch):
    running = most = 0
    original = passwords._matches

    def counted(*args) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.01)
        running -= 1
        return original(None, "x") and bool(args)

    monkeypatch.setattr(passwords, "_matches", counted)
    tries = [
        here.attempt(f"name {each}", "wrong horse", stays=False, address=f"203.0.113.{each}")
        for each in range(40)
    ]
    answers = await asyncio.gather(*tries)
    assert most <= passwords.CHECKS_AT_ONCE
    assert {getattr(each, "wait_seconds", None) for each in answers} == {0, 5}


@pytest.mark.parametrize("ending", ["sign out", "remove", "new password", "elsewhere"])
async def test_it_ends_everywhere(
    database: Database, users: UsersFile, here: SignIn, ending: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sign_in, "REMEMBER_SECONDS", 0)
    there = sign_in_on(database, UsersFile(users.path))
    maya, ben = await signed_in(here), await signed_in(here, BEN)
    assert await there.find(maya.token) == maya
    if ending == "sign out":
        await here.end(maya)
    elif ending == "elsewhere":
        await there.end(maya)
    elif ending == "remove":
        users.remove(MAYA)
    else:
        users.change_password(MAYA, "another password")
    for process in (here, there):
        assert await process.find(maya.token) is None
        assert await process.find(ben.token) == ben
        assert await process.ended([maya, ben]) == {maya}


async def test_signing_out_counts_at_once_where_it_was_done(here: SignIn):
    maya = await signed_in(here)
    assert await here.find(maya.token) == maya
    await here.end(maya)
    assert await here.find(maya.token) is None


@pytest.mark.slow
async def test_what_a_person_does_keeps_it(
    database: Database, users: UsersFile, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sign_in, "REMEMBER_SECONDS", 0)
    here = sign_in_on(database, users, idle=timedelta(seconds=2))
    maya, ben = await signed_in(here), await signed_in(here, BEN)
    began = time.monotonic()
    while time.monotonic() - began < 3:
        await here.touch(maya)
        await asyncio.sleep(0.1)
    assert await here.find(ben.token) is None
    assert await here.find(maya.token) == maya


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=300), password=st.text(max_size=60), address=st.text(max_size=40))
async def test_nothing_odd_gets_in_or_raises(
    here: SignIn, cheap: None, name: str, password: str, address: str
):
    answer = await here.attempt(name, password, stays=True, address=sign_in.address_of(address))
    assert isinstance(answer, Refused)
    assert len(answer.sentence.splitlines()) == 1


async def test_no_secret_in_logs_and_reprs(here: SignIn, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    await refusal(here, "hunter2hunter2", "forged\nline")
    maya = await signed_in(here)
    await here.end(maya)
    shown = caplog.text + repr(here) + repr(maya) + repr(await here.find(maya.token))
    assert f"{MAYA} signed in from {ELSEWHERE}." in shown
    for secret in (PASSWORD, "hunter2", "forged", maya.token, maya.mark, "$argon2"):
        assert secret not in shown
