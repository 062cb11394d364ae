"""`python -m alerts list`, as a shell sees it."""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts import AlertRequest, UnusableInput
from alerts.filters import Filters, Kind
from alerts.phone_numbers import Regions
from cli.list import filters_in, line
from cli.main import parser
from cli.newest_first import moment_in
from tests.support.alerts_by_hand import NUMBER, saved
from tests.support.project_folder import ProjectFolder, build_project_folder

BEN, CLARA = "(412) 555-0121", "(412) 555-0122"
NEW_YORK = "America/New_York"


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """The project folder of a user without an account, who has sent three alerts."""
    folder = build_project_folder(tmp_path_factory.mktemp("simulation"), {})
    for arguments in (
        ("text", CLARA, "Lot 212 passed the panel.", "--wait"),
        ("call", BEN, "Batch 1407 shows signs of diacetyl.", "--id", "batch-1407"),
        ("text", BEN, "Call us back.", "--quiet-hours", "00:00-23:59"),
    ):
        assert folder.alerts(*arguments).returncode == 0
    return folder


def listed(folder: ProjectFolder, *options: str) -> list[dict[str, Any]]:
    ended = folder.alerts("list", "--json", *options)
    assert (ended.returncode, ended.stderr) == (0, "")
    return [json.loads(each) for each in ended.stdout.splitlines()]


@pytest.mark.slow
def test_an_id_that_nobody_wrote_down_is_found_again(simulation: ProjectFolder):
    ended = simulation.alerts("list", "--text", "diacetyl")
    assert ended.returncode == 0
    [line] = ended.stdout.splitlines()
    assert line.startswith("batch-1407 ")
    assert "+1 412-555-0121: Batch 1407 shows signs of diacetyl." in line
    assert f"{datetime.now(UTC):%Y}-" in line


def test_newest_first_one_object_a_line(simulation: ProjectFolder):
    found = listed(simulation)
    assert [each["to"] for each in found] == ["+14125550121", "+14125550121", "+14125550122"]
    status = json.loads(simulation.alerts("status", found[2]["id"], "--json").stdout)
    assert found[2] == status
    assert len(listed(simulation, "--limit", "1")) == 1


@pytest.mark.slow
def test_each_option_filters(simulation: ProjectFolder):
    assert [each["id"] for each in listed(simulation, "--channel", "call")] == ["batch-1407"]
    assert len(listed(simulation, "--to", BEN, "--since", "today")) == 2
    assert [each["channel"] for each in listed(simulation, "--status", "waiting")] == ["text"]
    [delivered] = listed(simulation, "--status", "reached")
    assert [each["id"] for each in listed(simulation, "--text", delivered["sid"])] == [
        delivered["id"]
    ]


def test_nothing_found(simulation: ProjectFolder):
    ended = simulation.alerts("list", "--to", "Nobody Else")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == "No alert matches.\n"
    assert listed(simulation, "--by", "nobody") == []


def test_a_wrong_time_is_one_sentence(simulation: ProjectFolder):
    ended = simulation.alerts("list", "--since", "yesterweek")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Give --since as 2026-11-20, ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-11-20", "2026-11-20T05:00:00+00:00"),
        ("2026-11-20 09:30", "2026-11-20T14:30:00+00:00"),
        ("2026-11-20T09:30:00+01:00", "2026-11-20T08:30:00+00:00"),
    ],
)
def test_times_are_in_the_time_zone(text: str, iso: str):
    assert moment_in(text, NEW_YORK).astimezone(UTC).isoformat() == iso


def test_times_ago():
    for text, ago in {"30m": timedelta(minutes=30), "2w": timedelta(weeks=2)}.items():
        assert abs(datetime.now(UTC) - ago - moment_in(text, "")) < timedelta(seconds=5)
    today = moment_in("today", NEW_YORK)
    assert (today.hour, today.minute) == (0, 0)
    assert timedelta(0) <= datetime.now(UTC) - today <= timedelta(hours=25)


@pytest.mark.parametrize("text", ["999999w", "1500-01-01", "9999-12-31", "7", "-7d", "today!"])
def test_other_times_are_refused(text: str):
    with pytest.raises(UnusableInput, match="Give --since"):
        moment_in(text, NEW_YORK)


def asked(*options: str) -> Filters:
    chosen: Namespace = parser().parse_args(["list", *options])
    return filters_in(chosen, Regions(), NEW_YORK)


def test_what_the_options_ask_for():
    assert asked("--to", "412 555 0121").number == "+14125550121"
    assert asked("--to", "Ben Adeyemi").person == "Ben Adeyemi"
    assert asked("--status", "not-reached").kind is Kind.NOT_REACHED
    assert asked("--text", "412 555 0121", "--to", "Ben").person == "Ben"
    assert asked("--by", "maya").sender == "maya"
    with pytest.raises(UnusableInput, match="phone number or a name"):
        asked("--to", "!!")


def test_a_line_has_the_words_that_were_said():
    """What was written may have variables, and those of a rule's alert are its row's."""
    request = AlertRequest("call", NUMBER, "Batch {{ batch }} is off.", variables={"batch": "1407"})
    assert line(saved(request), "UTC").endswith(": Batch 1407 is off.")
