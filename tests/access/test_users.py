"""The file of users: private, never half written, and refused as a whole if it is wrong."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.names import is_usable, user_key
from access.users import HEAD, SharedPassword, UsersError, UsersFile, _parsed
from tests.support.signing_in import BEN, MAYA, PASSWORD, users_in

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$aGFzaA"


async def test_a_user_with_their_password(tmp_path: Path):
    users = users_in(tmp_path, MAYA, BEN)
    assert [user.name for user in users.all()] == [MAYA, BEN]
    found = await users.check("  maya   ORTIZ ", PASSWORD)
    assert found is not None
    assert found.name == MAYA
    assert await users.check(MAYA, PASSWORD + " ") is None
    assert await users.check("nobody", PASSWORD) is None


def test_the_file(tmp_path: Path):
    users = UsersFile(tmp_path / "users")
    users.add(MAYA, PASSWORD)
    assert stat.S_IMODE(users.path.stat().st_mode) == 0o600
    content = users.path.read_text(encoding="utf-8")
    assert content.startswith(f"{HEAD}{MAYA} $argon2id$")
    assert PASSWORD not in content
    assert [each.name for each in tmp_path.iterdir()] == ["users"]


async def test_what_another_process_changes(tmp_path: Path):
    here, there = users_in(tmp_path, MAYA, BEN), UsersFile(tmp_path / "users")
    before = here.find(MAYA)
    assert there.find(MAYA) == before
    there.change_password("maya ortiz", "another password")
    assert here.find(MAYA) not in {None, before}
    assert await here.check(MAYA, PASSWORD) is None
    assert there.remove(BEN).name == BEN
    assert here.find(BEN) is None


def test_many_who_add_at_the_same_time(tmp_path: Path):
    threads = [
        threading.Thread(target=UsersFile(tmp_path / "users").add, args=(f"user {each}", PASSWORD))
        for each in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(UsersFile(tmp_path / "users").all()) == 4


@pytest.mark.parametrize(
    ("name", "password", "word"),
    [
        ("MAYA ortiz", PASSWORD, "already"),
        ("a,b", PASSWORD, "comma"),
        ("# x", PASSWORD, "#"),
        ("", PASSWORD, "name"),
        (" x", PASSWORD, "name"),
        ("x\ny", PASSWORD, "name"),
        ("x\u202ey", PASSWORD, "name"),
        ("\ud800", PASSWORD, "name"),
        ("x" * 201, PASSWORD, "name"),
        ("x", "short", "short"),
        ("x", "y" * 1001, "long"),
        ("x", "\ud800" * 9, "character"),
    ],
)
def test_a_user_that_cant_be_added(tmp_path: Path, name: str, password: str, word: str):
    users = users_in(tmp_path)
    before = users.path.read_bytes()
    with pytest.raises(UsersError) as refused:
        users.add(name, password)
    assert word in str(refused.value)
    assert "\n" not in str(refused.value)
    assert users.path.read_bytes() == before


@pytest.mark.parametrize("name", ["nobody", "x\ny"])
def test_a_user_who_isnt_there(tmp_path: Path, name: str):
    users = users_in(tmp_path)
    for change in (users.remove, lambda name: users.change_password(name, PASSWORD)):
        with pytest.raises(UsersError, match="There is no user"):
            change(name)


def test_no_file_is_no_users(tmp_path: Path):
    assert UsersFile(tmp_path / "users").all() == []
    assert UsersFile(tmp_path / "users").find(MAYA) is None


@pytest.mark.parametrize(
    "content",
    [
        "maya hunter2hunter2\n",
        "hunter2hunter2",
        HASH,
        f"maya {HASH}\nMAYA {HASH}",
        f"ma\x00ya {HASH}",
        f"maya {HASH} {HASH}x x",
    ],
)
async def test_a_file_that_is_wrong_lets_nobody_in(tmp_path: Path, content: str):
    users = UsersFile(tmp_path / "users")
    users.path.write_text(content, encoding="utf-8")
    for use in (users.all, lambda: users.find("maya"), lambda: users.add("x", PASSWORD)):
        with pytest.raises(UsersError, match="Line") as refused:
            use()
        assert "hunter2" not in str(refused.value)
    with pytest.raises(UsersError):
        await users.check("maya", "hunter2hunter2")


async def test_a_file_that_cant_be_read(tmp_path: Path):
    (tmp_path / "users").write_bytes(b"\xff\xfe")
    with pytest.raises(UsersError, match="isn't UTF-8"):
        UsersFile(tmp_path / "users").all()
    with pytest.raises(UsersError, match="can't be written"):
        UsersFile(tmp_path / "nowhere" / "users").add(MAYA, PASSWORD)


@pytest.mark.slow
@given(st.text(max_size=400))
def test_any_content_is_users_or_one_sentence(content: str):
    try:
        users = _parsed(content)
    except UsersError:
        users = {}
    for key, user in users.items():
        assert key == user_key(user.name)
        assert is_usable(user.name)


@settings(max_examples=50)
@given(st.text(max_size=300), st.text(max_size=50))
async def test_a_shared_password(name: str, password: str):
    shared = SharedPassword(PASSWORD)
    assert password == PASSWORD or await shared.check(name, password) is None
    found = await shared.check(name, PASSWORD)
    assert (found is not None) == is_usable(name)
    assert PASSWORD not in repr(found)
