"""Commands run as root leave no files that the app, which runs as another user, can't write."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.support.project_folder import build_project_folder

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root could leave such files")


@pytest.fixture
def simulation(tmp_path):
    return build_project_folder(tmp_path, {})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "theirs"),
    [
        (("status", "x"), "data/callboard.sqlite"),
        (("text", "412 555 0199", "Hi"), "data"),
        (("doctor",), "."),
    ],
)
def test_a_history_of_another_user(simulation, command, theirs):
    place = simulation.folder / theirs
    place.parent.mkdir(exist_ok=True)
    if place.suffix:
        place.touch()
    else:
        place.mkdir(exist_ok=True)
    shutil.chown(place, "nobody")
    before = sorted((simulation.folder / "data").rglob("*"))
    ended = simulation.alerts(*command)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"{place.resolve()} belongs to the user nobody, and ")
    assert "sudo -u nobody" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert sorted((simulation.folder / "data").rglob("*")) == before


@pytest.mark.slow
def test_a_user_without_a_name(simulation):
    os.chown(simulation.folder, 54321, 54321)
    ended = simulation.alerts("doctor")
    assert "belongs to user 54321" in ended.stderr
    assert "sudo -u '#54321'" in ended.stderr


def test_a_history_of_root(simulation):
    assert simulation.alerts("doctor").returncode == 0


def test_the_history_is_elsewhere(simulation, tmp_path_factory):
    shutil.chown(simulation.folder, "nobody")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert simulation.alerts("doctor", DATA_DIR=str(elsewhere)).returncode == 0
    assert (elsewhere / "callboard.sqlite").exists()
