"""What docs/sources.md tells people to write and to type, and the limits that it names."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from rules.sources import local_files, postgresql_query, s3, sources, sqlite_query, uploads, web
from rules.sources.sources_file import KEYS, read_sources
from tests.support.project_folder import REPOSITORY, build_project_folder

PAGE = (REPOSITORY / "docs/sources.md").read_text(encoding="utf-8")
TOML = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("toml", TOML)
def test_what_it_shows_can_be_read(tmp_path: Path, toml: str):
    (tmp_path / "sources.toml").write_text(toml, encoding="utf-8")
    assert read_sources(tmp_path / "sources.toml")


def test_every_key_is_there():
    assert len(TOML) == 2
    assert [key for key in KEYS if not re.search(rf"\b{key}\b", PAGE)] == []


def test_the_example_can_be_told_to_grow(tmp_path: Path):
    folder = build_project_folder(tmp_path, {})
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    command, *_ = re.findall(r"^\.venv/bin/python (-m examples\.tastings .*)$", PAGE, re.MULTILINE)
    said = folder.python(*shlex.split(command))

    assert said.returncode == 0
    assert "over its limit" in said.stdout
    assert list((tmp_path / "data" / "example").iterdir())


def test_limits():
    assert local_files.MOST_FILES == 10_000
    assert (web.MOST_BYTES, s3.MOST_BYTES) == (2_000_000_000, 4_000_000_000)
    assert (sqlite_query.MOST_BYTES, postgresql_query.MOST_BYTES) == (2_000_000_000,) * 2
    assert sqlite_query.MOST_ROWS == 5_000_000
    assert uploads.MOST_BYTES == 200_000_000
    assert (postgresql_query.MOST_SECONDS, local_files.SETTLED_SECONDS) == (60, 10)
    assert sources.REUSE_SECONDS == 2
