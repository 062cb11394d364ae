"""`python -m alerts rules`, as a shell and a CI job see it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator import SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.environment import ACCOUNT, ACCOUNT_SID, TOKEN
from tests.support.project_folder import ProjectFolder, build_project_folder
from tests.support.servers import serve

pytestmark = pytest.mark.slow

SOURCES = '[tastings]\nfile = "tastings.csv"\n'
DATA = (
    "batch,beer,diacetyl_ppb,limit_ppb,phone\n"
    "1407,Pale ale,148,100,+14125550121\n"
    "1408,Brown ale,80,100,+14125550122\n"
)
RULES = """
[[rule]]
name = "Diacetyl above limit"
sql = '''
SELECT batch, beer, diacetyl_ppb, phone
FROM tastings
WHERE diacetyl_ppb > limit_ppb'''
key = ["batch"]
message = "Batch {{ batch }} of your {{ beer }} is at {{ diacetyl_ppb }} ppb."
to_column = "phone"
channel = "text"
check = "every minute"
"""


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    made = build_project_folder(tmp_path, {"SOURCES_FILE": str(tmp_path / "our_sources.toml")})
    (tmp_path / "our_sources.toml").write_text(SOURCES)
    (tmp_path / "tastings.csv").write_text(DATA)
    (tmp_path / "rules.toml").write_text(RULES)
    return made


def append(folder: ProjectFolder, line: str) -> None:
    with (folder.folder / "tastings.csv").open("a") as file:
        file.write(f"{line}\n")


def test_from_a_file_to_a_text(folder: ProjectFolder) -> None:
    assert "There is no rule yet" in folder.alerts("rules", "list").stdout
    looked = folder.alerts("rules", "check", "rules.toml")
    assert (looked.returncode, looked.stdout) == (0, "Diacetyl above limit: fine, 1 bad now.\n")
    assert folder.alerts("rules", "load", "rules.toml").stdout == (
        "1 new, 0 changed, 0 as they were.\n"
    )
    listed = json.loads(folder.alerts("rules", "list", "--json").stdout)
    assert (listed["state"], listed["health"], listed["check"]) == (
        "draft",
        "draft",
        "every minute",
    )
    dry = folder.alerts("rules", "run", "diacetyl above limit", "--dry-run")
    assert dry.stdout.splitlines() == [
        "1407: +1 412-555-0121: Batch 1407 of your Pale ale is at 148 ppb.",
        "1 row is bad. The rule is off; nothing was sent.",
    ]
    assert folder.alerts("list").stdout == ""
    on = folder.alerts("rules", "on", "Diacetyl above limit")
    assert on.stdout.splitlines()[-1] == (
        "Diacetyl above limit is on. 1 row is bad already; nobody is told of that."
    )
    assert folder.alerts("list").stdout == ""
    append(folder, "1409,Porter,210,100,+14125550103")
    ran = folder.alerts("rules", "run", "Diacetyl above limit", "--json")
    report = json.loads(ran.stdout)
    assert (ran.returncode, report["bad"], report["fired"]) == (0, 2, ["1409"])
    [sent] = folder.alerts("list", "--json").stdout.splitlines()
    alert = json.loads(sent)
    assert (alert["to"], alert["id"]) == ("+14125550103", report["alerts"][0])
    again = folder.alerts("rules", "run", "Diacetyl above limit", "--json")
    assert json.loads(again.stdout)["fired"] == []
    assert len(folder.alerts("list", "--json").stdout.splitlines()) == 1
    assert folder.alerts("rules", "off", "Diacetyl above limit").returncode == 0
    assert json.loads(folder.alerts("rules", "list", "--json").stdout)["state"] == "off"


def test_all_of_what_is_bad_already_can_be_told(folder: ProjectFolder) -> None:
    folder.alerts("rules", "load", "rules.toml")
    on = folder.alerts("rules", "on", "Diacetyl above limit", "--tell", "all", "--json")
    assert json.loads(on.stdout) == {
        "name": "Diacetyl above limit",
        "state": "on",
        "message": "Diacetyl above limit is on. 1 row is bad already; 1 person will hear of it.",
    }
    assert len(folder.alerts("list", "--json").stdout.splitlines()) == 1
    twice = folder.alerts("rules", "on", "Diacetyl above limit", "--tell", "all")
    assert (twice.returncode, twice.stderr) == (2, "Diacetyl above limit is on already.\n")


def test_exported_and_loaded_elsewhere_is_the_same(folder: ProjectFolder, tmp_path: Path) -> None:
    folder.alerts("rules", "load", "rules.toml")
    assert folder.alerts("rules", "export", "out.toml").stdout == "1 rule is in out.toml.\n"
    assert folder.alerts("rules", "export", "out.toml").returncode == 2
    assert folder.alerts("rules", "export").stdout == (tmp_path / "out.toml").read_text()
    assert folder.alerts("audit").stdout.count("Exported the rule Diacetyl above limit") == 2
    again = folder.alerts("rules", "load", "out.toml")
    assert again.stdout == "0 new, 0 changed, 1 as they were.\n"
    text = (tmp_path / "out.toml").read_text().replace("every minute", "weekdays at 07:00")
    (tmp_path / "out.toml").write_text(text)
    changed = folder.alerts("rules", "load", "out.toml", "--on", "--json")
    said = json.loads(changed.stdout.splitlines()[0])
    assert (said["load"], said["revision"]) == ("changed", 2)
    listed = json.loads(folder.alerts("rules", "list", "--json").stdout)
    assert (listed["state"], listed["check"]) == ("on", "weekdays at 07:00")
    assert folder.alerts("list").stdout == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("diacetyl_ppb > limit", "diacetyl_pbb > limit"), "Line 3: "),
        (("FROM tastings", "FROM tasting"), "Line 2: There is no source called tasting."),
        (('key = ["batch"]', 'key = ["lot"]'), "The key column, lot, isn't in the query."),
        (('to_column = "phone"', ""), "Say whom to tell"),
        (("{{ beer }}", "{{ brew }}"), "The query has no column for {{ brew }}."),
    ],
)
def test_a_rule_that_cannot_be_checked_fails_a_ci_job(
    folder: ProjectFolder, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    (tmp_path / "rules.toml").write_text(RULES.replace(*change))
    ended = folder.alerts("rules", "check", "rules.toml")
    assert ended.returncode == 1
    assert said in ended.stdout


@pytest.mark.parametrize(
    ("bad", "exit_status"), [("made > '2025-01-15'", 0), ("made > DATE '2025-01-15'", 1)]
)
def test_a_column_that_is_read_as_text_is_told(
    folder: ProjectFolder, tmp_path: Path, bad: str, exit_status: int
) -> None:
    made = ("made", "01/02/2025", "03/02/2025")
    lines = [f"{line},{each}\n" for line, each in zip(DATA.splitlines(), made, strict=True)]
    (tmp_path / "tastings.csv").write_text("".join(lines))
    (tmp_path / "rules.toml").write_text(RULES.replace("diacetyl_ppb > limit_ppb", bad))
    ended = folder.alerts("rules", "check", "rules.toml")
    assert ended.returncode == exit_status
    assert "made is read as text: in 01/02/2025 the day or the month may come" in ended.stdout


def test_a_rule_that_cannot_be_checked_stays_off(folder: ProjectFolder, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(RULES.replace("FROM tastings", "FROM tasting"))
    ended = folder.alerts("rules", "check", "rules.toml", "--json")
    said = json.loads(ended.stdout)
    assert (ended.returncode, said["ok"], said["bad"]) == (1, False, None)
    assert "Do you mean tastings?" in said["message"]
    folder.alerts("rules", "load", "rules.toml")
    on = folder.alerts("rules", "on", "Diacetyl above limit")
    assert on.returncode == 2
    assert on.stderr.startswith("Diacetyl above limit stays off. Line 2: ")
    dry = folder.alerts("rules", "run", "Diacetyl above limit", "--dry-run")
    assert (dry.returncode, dry.stdout) == (1, "")


def test_people_who_are_unknown_here_are_only_noted(folder: ProjectFolder, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(f'{RULES}owner = "Ines Duarte"\n')
    ended = folder.alerts("rules", "check", "rules.toml")
    assert ended.returncode == 0
    assert ended.stdout.startswith("Diacetyl above limit: fine, 1 bad now. Nobody called Ines")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["on", "Taint"], "There is no rule called Taint. There is none yet."),
        (["run", "Taint"], "There is no rule called Taint."),
        (["check", "none.toml"], "none.toml can't be read: No such file or directory."),
        (["load", "tastings.csv"], "tastings.csv isn't TOML"),
        (["load", "wrong.toml"], "wrong.toml, rule a: mesage isn't known here."),
        (["export", "no/folder.toml"], "can't be written: No such file"),
    ],
)
def test_unusable_input_is_one_sentence(
    folder: ProjectFolder, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "wrong.toml").write_text("[[rule]]\nname = 'a'\nmesage = 'x'\n")
    ended = folder.alerts("rules", *arguments)
    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_wrong_sources_file_is_one_sentence(folder: ProjectFolder, tmp_path: Path) -> None:
    (tmp_path / "our_sources.toml").write_text("[tastings]\nfil = 'x'\n")
    ended = folder.alerts("rules", "list")
    assert ended.returncode == 2
    assert "our_sources.toml" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_worker_checks_rules(tmp_path: Path) -> None:
    app = create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN, speed=50)
    with serve(app) as url:
        values = {
            "TWILIO_BASE_URL": url,
            "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER,
            "SOURCES_FILE": str(tmp_path / "our_sources.toml"),
        }
        customer = build_project_folder(tmp_path, ACCOUNT | values, TOKEN)
        (tmp_path / "our_sources.toml").write_text(SOURCES)
        (tmp_path / "tastings.csv").write_text(DATA)
        (tmp_path / "rules.toml").write_text(RULES.replace("every minute", "every second"))
        assert customer.alerts("rules", "load", "rules.toml", "--on").returncode == 0
        command = [sys.executable, "-m", "alerts", "worker"]
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as worker:
            try:
                assert worker.stdout is not None
                assert worker.stdout.readline().startswith("Delivering.")
                append(customer, "1409,Porter,210,100,+14125550103")
                deadline = time.monotonic() + 60
                while not (sent := customer.alerts("list", "--json").stdout):
                    assert time.monotonic() < deadline
            finally:
                worker.send_signal(signal.SIGTERM)
        assert worker.returncode == 0
    assert json.loads(sent)["to"] == "+14125550103"
