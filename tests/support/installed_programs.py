"""Programs that tests need and that not every machine has."""

from __future__ import annotations

import os
import shutil

import pytest


def installed_program(name: str, package: str = "") -> str:
    """Where a program is; without it skip the test, unless REQUIRE_PROGRAMS is set."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None and not os.environ.get("REQUIRE_PROGRAMS"):
        pytest.skip(f"{name} is not installed (apt-get install {package or name})")
    assert path is not None, f"{name} is not installed"
    return path
