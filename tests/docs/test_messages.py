"""What docs/messages.md says about numbers, words and voices."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from alerts import UnusableInput
from alerts.message.compose import notes, write_message
from alerts.phone_numbers import Regions, read_number
from cli.main import parser
from cli.send import request_in
from tests.support.desks import TEXT, simulated_desk

PAGE = (Path(__file__).resolve().parents[2] / "docs/messages.md").read_text(encoding="utf-8")
REGIONS = Regions("US", ("US", "GB"))
ROWS = dict(re.findall(r"^\| (`.*?) \| (.*?) \|$", PAGE, re.MULTILINE))
COMMANDS = re.findall(r"^\.venv/bin/python -m alerts (call .*)$", PAGE, re.MULTILINE)


def examples(cell: str) -> list[str]:
    return [each for each in re.findall("`(.*?)`", cell) if "…" not in each]


@pytest.mark.parametrize("row", ROWS)
def test_numbers(row: str) -> None:
    assert len(ROWS) == 4
    for number in examples(row):
        if ROWS[row].startswith("refused"):
            with pytest.raises(UnusableInput):
                read_number(number, REGIONS)
        elif "FLOWERS" in number:
            region = "GB" if number.startswith("0") else "US"
            assert read_number(number, Regions(region, (region,))).warning == ""
        else:
            assert "Twilio decides" in read_number(number, REGIONS).warning


def test_extensions() -> None:
    [said] = re.findall(r"\*\*Extensions\*\* are for calls: (.*?)\. Twilio", PAGE)
    first, *others = examples(said)
    number = read_number(first, REGIONS)
    for other in others:
        assert read_number(f"412 857 4309 {other}", REGIONS) == number


def test_braces_that_are_text() -> None:
    [said] = re.findall(r"All other braces are text: (.*?) are sent", PAGE, re.DOTALL)
    assert len(examples(said)) == 4
    for message in examples(said):
        assert write_message(replace(TEXT, message=message)) == message


@pytest.mark.parametrize("command", COMMANDS)
async def test_voices(command: str, tmp_path: Path) -> None:
    request = request_in(parser().parse_args(shlex.split(command)))
    async with simulated_desk(tmp_path) as desk:
        desk.check(request)
        assert len(notes(request, desk.services.regions)) == (request.voice.startswith("Google"))
