"""`python -m alerts audit`: who did what, as a shell sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from access.actor import process_user
from tests.support.project_folder import ProjectFolder, build_project_folder


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """The project folder of a user without an account, who has sent a text and imported people."""
    folder = build_project_folder(tmp_path_factory.mktemp("simulation"), {})
    people = Path(tmp_path_factory.mktemp("files")) / "people.csv"
    people.write_text("name,number\nKaito Mori,808 555 0173\n")
    for arguments in (
        ("text", "(412) 555-0122", "Lot 212 passed the panel."),
        ("people", "import", str(people)),
    ):
        ended = folder.alerts(*arguments)
        assert ended.returncode == 0, ended.stderr
    return folder


@pytest.mark.slow
def test_who_did_what_newest_first(simulation: ProjectFolder) -> None:
    ended = simulation.alerts("audit")
    assert (ended.returncode, ended.stderr) == (0, "")
    imported, sent = ended.stdout.splitlines()
    assert f"{process_user():<20} shell  Imported 1 person (Added: 1 · changed: 0)" in imported
    assert "Sent an alert to +14125550122" in sent
    shown = simulation.alerts("audit", "--json", "--limit", "1", "--since", "1h").stdout
    [entry] = [json.loads(each) for each in shown.splitlines()]
    assert (entry["by"], entry["where"], entry["action"]) == (process_user(), "shell", "imported")
    assert entry["details"] == {"added": 1, "changed": 0}
    assert simulation.alerts("audit", "--by", "Nobody").stdout == ""
    assert simulation.alerts("audit", "--text", "212555").stdout == ""


def test_unusable_options(simulation: ProjectFolder) -> None:
    ended = simulation.alerts("audit", "--since", "soon")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Give --since as" in ended.stderr
    assert simulation.alerts("audit", "--limit", "0").returncode == 2
