"""Starting an app as Shiny Server does: with its script, its environment, and as another user."""

from __future__ import annotations

import getpass
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.project_folder import FILES, REPOSITORY, ROOMS
from tests.support.running_app import LEFT_OUT, wait_until_it_answers
from tests.support.servers import free_port

SECRET = "0123456789abcdef"
FROM_SHINY_SERVER = {"shiny-shared-secret": SECRET}
ADAPTER = Path(__file__).with_name("SockJSAdapter.py")


def python_for_everybody() -> Path | None:
    """This Python, or the same version elsewhere if other users can't enter its folder."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for path in (Path(sys._base_executable), Path("/usr/bin") / version):  # type: ignore[attr-defined]
        folders = path.resolve().parents
        if path.exists() and all(each.stat().st_mode & stat.S_IXOTH for each in folders):
            return path
    return None


def user_of_apps() -> str:
    """Who runs apps: not root, if this is root and another user can run this Python."""
    return "nobody" if os.geteuid() == 0 and python_for_everybody() else getpass.getuser()


@contextmanager
def site_dir() -> Iterator[Path]:
    """A folder that everybody can read, with the app and its `.venv` in `callboard`.

    Nobody but root can write to it. It isn't below pytest's own folder, which no other user can
    enter.
    """
    with tempfile.TemporaryDirectory(prefix="site-") as name:
        site = Path(name)
        app = site / "callboard"
        app.mkdir()
        for each in ROOMS:
            shutil.copytree(REPOSITORY / each, app / each, ignore=LEFT_OUT)
        for each in FILES:
            shutil.copy(REPOSITORY / each, app / each)
        _add_environment(app / ".venv")
        shutil.copy(ADAPTER, site / ADAPTER.name)
        subprocess.run(["chmod", "-R", "a+rX,a-w", site], check=True)
        try:
            yield app
        finally:
            subprocess.run(["chmod", "-R", "u+w", site], check=True)


def _add_environment(folder: Path) -> None:
    """Make a virtual environment with what is installed in this one.

    https://docs.python.org/3/library/site.html#site-pyvenv.cfg
    """
    python = python_for_everybody() or Path(sys.executable)
    library = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    library.mkdir(parents=True)
    (library / "site-packages").symlink_to(sysconfig.get_path("purelib"))
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(python)
    (folder / "pyvenv.cfg").write_text(f"home = {python.parent}\n")


@contextmanager
def shiny_server(app: Path, user: str, home: Path) -> Iterator[str]:
    """Run the app for as long as the block lasts, as `user` if this is root; its address.

    The environment is that of `run_as`: no LANG, and nothing of the user who started Shiny Server.
    https://docs.posit.co/shiny-server/#run_as
    """
    port, is_other = free_port(), user != getpass.getuser()
    orders = {
        "appDir": str(app),
        "port": str(port),
        "sharedSecret": SECRET,
        "reconnect": True,
        "disableProtocols": [],
        "gaTrackingId": None,
        "workerId": "",
        "mode": "shiny-python",
        "logFilePath": "",
        "sanitizeErrors": True,
        "bookmarkStateDir": None,
    }
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [str(app / ".venv/bin/python"), str(app.parent / ADAPTER.name)],
            cwd=app,
            env={
                "SHELL": "/bin/bash",
                "HOME": str(home),
                "USER": user,
                "PATH": os.environ["PATH"],
                "MAIL": f"/var/mail/{user}",
            },
            user=user if is_other else None,
            group=pwd.getpwnam(user).pw_gid if is_other else None,
            extra_groups=[] if is_other else None,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(orders))
            process.stdin.close()
            url = f"http://127.0.0.1:{port}/"
            wait_until_it_answers(process, url, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)
