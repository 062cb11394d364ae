"""Who owns the history's file: a command run as root must not leave files that the app can't write.

SQLite makes files beside the database, which belong to the user that opens it first, and so do
documents. With PostgreSQL there are no such files.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from database.connecting import parsed
from settings import Settings, SettingsError


def refuse_to_leave_files_of_root(settings: Settings) -> None:
    """Raise `SettingsError` if this is root and the history belongs to another user.

    Raises `DatabaseError` if DATABASE_URL can't be read.
    """
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    url = parsed(settings.database_url.get_secret_value())
    if url.get_backend_name() != "sqlite":
        return
    # A missing file or folder will belong to the owner of the folder that it is made in.
    file = Path(str(url.database))
    nearest = next(each for each in (file, *file.parents) if each.exists())
    owner = nearest.stat().st_uid
    if owner != 0:
        raise SettingsError(
            f"{nearest} belongs to {_name_of(owner)}, and the app couldn't write to files that "
            f"root makes there: run this as that user (sudo -u {_login_of(owner)} …)."
        )


def _name_of(user: int) -> str:
    login = _login_of(user)
    return f"user {user}" if login.startswith("'") else f"the user {login}"


def _login_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"'#{user}'"
