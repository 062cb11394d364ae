"""What docs/setup.md says about lines, tunnels and options, against the program."""

from __future__ import annotations

import re
from pathlib import Path

from cli.doctor import WORDS
from cli.main import parser
from doctor.first_steps import LINES
from doctor.public_addresses import TUNNELS

PAGE = (Path(__file__).resolve().parents[2] / "docs/setup.md").read_text(encoding="utf-8")


def test_every_verdict_is_explained():
    rows = re.findall(r"^\| [^|]+ \| `([^`]+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert {verdict: word for word, verdict in rows} == WORDS


def test_tunnels_are_those_that_the_page_offers():
    table = PAGE[PAGE.index("| tunnel |") :]
    commands = re.findall(r"^\| \w+ \| `([^`]+)` \|", table, re.MULTILINE)
    assert commands == [each.text.splitlines()[0] for each in TUNNELS]


def test_the_lines_for_env_are_those_that_the_page_offers():
    assert LINES.text.splitlines() == re.findall(r"^ +(TWILIO_\w+=.*)$", PAGE, re.MULTILINE)


def test_options_exist():
    for options in re.findall(r"alerts doctor( --[a-z-]+)?", PAGE):
        assert parser().parse_args(["doctor", *options.split()]).run
    for option in ("--create-bucket", "--set-webhook"):
        assert f"`{option}`" in PAGE
