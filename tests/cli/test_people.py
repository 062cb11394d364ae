"""`python -m alerts people`, as a shell sees it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.support.project_folder import ProjectFolder, build_project_folder

FILE = (
    "full_name;mobile;site;lang\n"
    "Nora Lindqvist;412 555 0171;Brewhouse 2;en\n"
    "Ivo Brandt;412 555 014;;\n"
    "Paul Achebe;'4125550176;Brewhouse 2;\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    made = build_project_folder(tmp_path, {})
    (tmp_path / "people.csv").write_text(FILE, encoding="utf-8-sig")
    return made


@pytest.mark.slow
def test_imported_listed_and_exported(folder: ProjectFolder):
    looked = folder.alerts("people", "import", "people.csv", "--dry-run")
    assert looked.returncode == 1
    assert looked.stdout.splitlines()[-1].startswith("Would be: 2 added, 0 changed")
    assert folder.alerts("people", "list").stdout == "There are no people yet.\n"
    ended = folder.alerts("people", "import", "people.csv", "--group", "Night shift")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.splitlines() == [
        "Row 3, Ivo Brandt: 412 555 014 Too few digits for a phone number (United States).",
        "2 added, 0 changed, 0 as they were, 1 left out: see above.",
    ]
    listed = folder.alerts("people", "list", "nora").stdout
    assert " ".join(listed.split()) == "Nora Lindqvist +1 412-555-0171 Brewhouse 2, Night shift"
    both = folder.alerts("people", "list", "--group", "night shift", "--json").stdout
    assert [json.loads(line)["name"] for line in both.splitlines()] == [
        "Nora Lindqvist", "Paul Achebe",
    ]  # fmt: skip
    assert folder.alerts("people", "list", "zed").stdout == "No one was found.\n"
    assert folder.alerts("people", "export", "out.csv").stdout == "Wrote 2 people to out.csv.\n"
    assert folder.alerts("people", "export", "out.csv").returncode == 2
    again = folder.alerts("people", "import", "out.csv", "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == {
        "dry_run": False, "added": 0, "changed": 0, "unchanged": 2, "without_number": 0,
        "left_out": [],
    }  # fmt: skip
    piped = folder.alerts("people", "export").stdout
    assert next(csv.reader(piped.splitlines()))[0] == "Name"


@pytest.mark.slow
def test_columns_by_hand(folder: ProjectFolder):
    ended = folder.alerts(
        "people", "import", "people.csv", "--map", "name=site", "--map", "number=mobile", "--json"
    )
    said = json.loads(ended.stdout)
    assert (said["added"], [each["row"] for each in said["left_out"]]) == (2, [3])
    assert said["left_out"][0]["field"] == "number_1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["import", "none.csv"], "none.csv can't be read: No such file or directory."),
        (["import", "people.csv", "--map", "name=x"], "no column “x”. There are: full_name"),
        (["import", "people.csv", "--map", "group=mobile"], "No column has phone numbers."),
        (["export", "no/folder.csv"], "can't be written: No such file"),
    ],
)
def test_unusable_input_is_one_sentence(folder: ProjectFolder, arguments: list[str], said: str):
    ended = folder.alerts("people", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
