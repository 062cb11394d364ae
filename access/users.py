"""Users: who can sign in, from a file of names and password hashes, or by one shared password."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from access.names import MOST_NAME_CHARACTERS, is_usable, user_key
from access.passwords import PasswordChecks, hashed, problem_of
from settings import Settings

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

HEAD = "# Callboard's users: a name and the Argon2 hash of a password a line.\n"


class UsersError(Exception):
    """The users can't be read or changed as asked; `str()` is one sentence without a secret."""


@dataclass(frozen=True, slots=True)
class User:
    """A person who can sign in. Sign-ins end when `secret` (the hash or the password) changes."""

    name: str
    secret: str = field(repr=False)


class Users(Protocol):
    """Where a name and a password are checked."""

    def find(self, name: str) -> User | None:
        """Return the user of this name, or None. Raises `UsersError`."""
        ...

    async def check(self, name: str, password: str) -> User | None:
        """Return the user if the password is theirs, or None.

        Raises `UsersError`, and `TooManyChecks` if too many ask at once.
        """
        ...


def users_from(settings: Settings) -> Users | None:
    """Return the users of USERS_FILE or DASHBOARD_PASSWORD; None if neither is set."""
    if settings.users_file is not None:
        return UsersFile(settings.users_file)
    if settings.dashboard_password is not None:
        return SharedPassword(settings.dashboard_password.get_secret_value())
    return None


class SharedPassword:
    """Anyone who knows one password; the name that they type is only a label."""

    def __init__(self, password: str) -> None:
        self._password = password

    def find(self, name: str) -> User | None:
        """Return a user of any usable name."""
        return User(name, self._password) if is_usable(name) else None

    async def check(self, name: str, password: str) -> User | None:
        """Compare the password, in a time that doesn't depend on where it differs."""
        given, right = (
            hashlib.sha256(each.encode(errors="surrogatepass")).digest()
            for each in (password, self._password)
        )
        return self.find(name) if hmac.compare_digest(given, right) else None


class UsersFile:
    """Users with names, in a text file that only its owner can read.

    A line is a name, a space, and an Argon2 hash. Empty lines and lines that begin with # are
    ignored.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._checks: PasswordChecks | None = None
        self._read: tuple[object, dict[str, User]] = (None, {})

    def all(self) -> list[User]:
        """Return the users in the order of the file. Raises `UsersError` if it can't be read."""
        return list(self._users().values())

    def find(self, name: str) -> User | None:
        """Return the user of this name, however it is spelled."""
        return self._users().get(user_key(name))

    def get(self, name: str) -> User:
        """Return the user of this name, however it is spelled. Raises `UsersError` if none is."""
        return _known(self.find(name), name)

    async def check(self, name: str, password: str) -> User | None:
        """Check the password against this name's hash, or a dummy if there is no such user."""
        if self._checks is None:
            self._checks = PasswordChecks()
        user = self.find(name)
        matches = await self._checks.matches(user.secret if user else None, password)
        return user if matches else None

    def add(self, name: str, password: str) -> None:
        """Add a user. Raises `UsersError` for a name that is taken or can't be used."""
        user = _new(name, password)
        with self._changing() as users:
            if taken := users.get(user_key(name)):
                raise UsersError(
                    f"There is a user {taken.name} already. "
                    "Change their password with `users password`."
                )
            users[user_key(name)] = user

    def change_password(self, name: str, password: str) -> User:
        """Give a user another password, which ends their sign-ins; return them."""
        with self._changing() as users:
            known = _known(users.get(user_key(name)), name)
            users[user_key(name)] = _new(known.name, password)
        return known

    def remove(self, name: str) -> User:
        """Remove a user, which ends their sign-ins; return them."""
        with self._changing() as users:
            known = _known(users.get(user_key(name)), name)
            del users[user_key(name)]
        return known

    def _users(self) -> dict[str, User]:
        """Return the users by the key of their name; read the file only if it has changed."""
        try:
            found = self.path.stat()
            state = (found.st_mtime_ns, found.st_size, found.st_ino)
            if state != self._read[0]:
                self._read = (state, _parsed(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it isn't UTF-8 text"
            raise UsersError(f"USERS_FILE {self.path} can't be read: {reason}.") from None
        return self._read[1]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, User]]:
        """Hand the users out to be changed, and write them if nothing was raised.

        Commands that change them at the same time wait for each other.
        """
        try:
            with _alone(self.path):
                users = dict(self._users())
                yield users
                _write(self.path, list(users.values()))
        except OSError as problem:
            raise UsersError(
                f"USERS_FILE {self.path} can't be written: {problem.strerror}."
            ) from None


def _known(user: User | None, name: str) -> User:
    if user is None:
        shown = name if is_usable(name) else "of this name"
        raise UsersError(f"There is no user {shown}. `users list` shows who there is.")
    return user


def _new(name: str, password: str) -> User:
    if not is_usable(name) or not user_key(name):
        raise UsersError(
            f"This name can't be used: write 1 to {MOST_NAME_CHARACTERS} characters, on one line "
            "and without spaces at its ends."
        )
    # SENDERS and the like are names with commas between them.
    if "," in name or name.startswith("#"):
        raise UsersError("A name can't hold a comma, nor begin with #.")
    if problem := problem_of(password):
        raise UsersError(problem)
    return User(name, hashed(password))


def _parsed(content: str) -> dict[str, User]:
    users: dict[str, User] = {}
    for number, line in enumerate(content.removeprefix("\ufeff").split("\n"), start=1):
        name, _, password_hash = line.strip().rpartition(" ")
        if not line.strip() or line.startswith("#"):
            continue
        name = name.strip()
        if not password_hash.startswith("$argon2") or not is_usable(name):
            # Perhaps a password in plain text, so don't repeat it.
            raise UsersError(
                f"Line {number} of USERS_FILE is not a name, a space and an Argon2 hash: "
                "take it out, and add the user with `python -m alerts users add`."
            )
        if user_key(name) in users:
            raise UsersError(f"Line {number} of USERS_FILE has a name that an earlier line has.")
        users[user_key(name)] = User(name, password_hash)
    return users


def _write(path: Path, users: Sequence[User]) -> None:
    """Replace the file in one step, so that no one reads half of it; only its owner may read it."""
    content = HEAD + "".join(f"{user.name} {user.secret}\n" for user in users)
    # mkstemp makes files that only their owner can read.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # The app runs as another user, and has to read what root has written.
            owner = (path if path.exists() else path.parent).stat()
            os.chown(temporary, owner.st_uid, owner.st_gid)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process changes the file; locks its folder, as the file is replaced."""
    if fcntl is None:
        yield
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
