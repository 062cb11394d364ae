"""Several people at the shell: `call` and `text` with names and groups, and `broadcast`."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from alerts.phone_numbers import Regions
from database.database import Database
from database.tables import metadata
from people.contact import Contact
from people.contacts import Contacts
from people.groups import Groups
from simulator import SIMULATOR_FROM_NUMBER
from simulator.app import create_app
from tests.support.desks import ANYBODY, database_in, quiet_now
from tests.support.environment import ACCOUNT, ACCOUNT_SID, TOKEN
from tests.support.project_folder import ProjectFolder, build_project_folder
from tests.support.servers import serve

pytestmark = pytest.mark.slow

BEN, CLARA, BUSY = "+14125550123", "+14125550147", "+14125550101"
PEOPLE = (
    Contact("", "Ben Adeyemi", (BUSY, BEN), groups=("Cellar",)),
    Contact("", "Clara Novak", (CLARA,), groups=("Cellar",)),
    Contact("", "Joe Hill", ("+14125550150",)),
    Contact("", "Joe Hill", ("+14125550151",)),
)
LOTS = """\
\ufeffName;Phone;Lot number
Ben Adeyemi;(412) 555-0123;7
Clara Novak;'+14125550147;8
Ben Adeyemi;412-555-0123;7
"""


@pytest.fixture(scope="module")
def customer(tmp_path_factory):
    """The project folder of a user with an account, at a Twilio that is fast, and contacts."""
    app = create_app(account_sid=ACCOUNT_SID, auth_token=TOKEN, speed=50)
    with serve(app) as url:
        values = {
            "TWILIO_BASE_URL": url,
            "TWILIO_FROM_NUMBER": SIMULATOR_FROM_NUMBER,
            "TWILIO_CALLS_PER_SECOND": "100",
            "TWILIO_TEXTS_PER_SECOND": "100",
            "MAX_RECIPIENTS": "3",
        }
        made = build_project_folder(tmp_path_factory.mktemp("customer"), ACCOUNT | values, TOKEN)
        (made.folder / "data").mkdir()
        asyncio.run(save_people(database_in(made.folder / "data")))
        (made.folder / "lots.csv").write_text(LOTS, encoding="utf-8")
        yield made


async def save_people(url: SecretStr) -> None:
    database = Database(url.get_secret_value(), metadata)
    await database.open()
    try:
        contacts = Contacts(database, Regions())
        for each in PEOPLE:
            await contacts.save(each)
        await Groups(database).add("Nobody yet")
    finally:
        await database.close()


def objects(ended) -> list[dict[str, object]]:
    """The JSON objects that were printed, one a line."""
    assert ended.stderr == ""
    return [json.loads(line) for line in ended.stdout.splitlines()]


def in_file(customer: ProjectFolder, content: str) -> str:
    path: Path = customer.folder / "other.csv"
    path.write_text(content, encoding="utf-8")
    return "other.csv"


def test_several_numbers(customer):
    ended = customer.alerts("text", ANYBODY, "412-555-0147", "Tank 3 is off.", "--id", "tank")
    assert (ended.returncode, ended.stderr) == (0, "")
    first, *steps, last = ended.stdout.splitlines()
    assert first == "Broadcast tank to 2 people: Tank 3 is off."
    assert {re.sub(r" +[\d.]+ s +", "", line)[:15] for line in steps} == {
        "+1 412-555-0199",
        "Clara Novak    ",
    }
    assert re.fullmatch(r"Broadcast tank: \d of 2 reached \(.*\)\.", last)
    again = customer.alerts("text", ANYBODY, CLARA, "Tank 3 is off.", "--id", "tank")
    assert again.returncode == 0
    assert (
        again.stderr == "Broadcast tank was sent before: people who are in it aren't told again.\n"
    )


def test_one_id_for_one_person_and_for_several(customer):
    sent = customer.alerts("text", ANYBODY, CLARA, "Tank 5 is off.", "--id", "tank-5", "--yes")
    assert sent.returncode == 0
    again = customer.alerts("text", CLARA, "Tank 5 is off.", "--id", "tank-5", "--yes")
    assert "people who are in it aren't told again" in again.stderr
    one = customer.alerts("text", CLARA, "Tank 6 is off.", "--id", "tank-6")
    assert one.returncode == 0
    refused = customer.alerts("text", ANYBODY, CLARA, "Tank 6", "--id", "tank-6", "--yes")
    assert refused.returncode == 2
    assert "An alert to one recipient has the id tank-6" in refused.stderr
    listed = customer.alerts("list", "--json").stdout
    assert listed.count("tank-5-") == 2
    assert listed.count("tank-6") == 1


@pytest.mark.parametrize("numbers", [(CLARA,), (CLARA, BEN)])
def test_yes_sends_beyond_the_hour(customer, numbers: tuple[str, ...]):
    words = ("text", *numbers, f"Tank {len(numbers)} is empty.")
    refused = customer.alerts(*words, ALERTS_PER_PERSON_PER_HOUR="1")
    assert refused.returncode == 2
    assert refused.stderr.endswith("Or add --yes if that is right.\n")
    assert customer.alerts(*words, "--yes", ALERTS_PER_PERSON_PER_HOUR="1").returncode == 0


def test_waiting_for_a_group(customer):
    words = "Hello {{ name }}, hold back batch 7."
    ended = customer.alerts("call", "cellar", words, "--wait", "--repeat", "1", "--title", "Batch")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Ben Adeyemi              unanswered" in ended.stdout
    assert "Clara Novak              completed" in ended.stdout
    assert ended.stdout.splitlines()[-1].endswith(": 2 of 2 reached (2 reached).")


def test_waiting_for_a_person_who_is_not_reached(customer):
    ended = customer.alerts("call", BUSY, CLARA, "Call the lab.", "--repeat", "1", "--wait")
    assert ended.returncode == 1
    assert re.fullmatch(r"Not reached: Ben Adeyemi: .*busy.*\n", ended.stderr)
    assert ended.stdout.splitlines()[-1].endswith("1 of 2 reached (1 reached, 1 not reached).")


def test_one_name_is_one_alert(customer):
    [told] = objects(customer.alerts("text", "Clara", "Hello {{ name }}", "--json"))
    assert (told["to"], told["status"]) == (CLARA, "placed")


def test_json_is_one_object_a_line(customer):
    found = objects(customer.alerts("text", "Clara", ANYBODY, "Good morning", "--json", "--wait"))
    assert [each["to"] for each in found] == [CLARA, ANYBODY]
    assert {each["status"] for each in found} == {"delivered"}


@pytest.mark.parametrize(
    ("recipients", "sentence"),
    [
        (["Joe Hill", "Clara"], "Joe Hill: 2 people are called Joe Hill"),
        (["Nobody yet"], "The group Nobody yet is empty."),
        (["Nobody yet", BEN], "Nobody yet: The group Nobody yet is empty."),
        ([ANYBODY, "412"], "412: "),
        (["Zoe", ANYBODY], "Zoe: Nobody called Zoe."),
    ],
)
def test_who_cannot_be_meant(customer, recipients, sentence):
    ended = customer.alerts("text", *recipients, "Not to be sent")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(sentence)
    assert ended.stderr.count("\n") == 1


def test_too_many_people(customer):
    four = [f"+141255501{place}" for place in (60, 61, 62, 63)]
    refused = customer.alerts("text", *four, "To four", "--json")
    assert refused.returncode == 2
    assert "4 people, and MAX_RECIPIENTS is 3" in json.loads(refused.stdout)["error"]["message"]
    assert len(objects(customer.alerts("text", *four, "To four", "--json", "--yes"))) == 4


def test_the_same_words_again(customer):
    two = ("+14125550170", "+14125550171")
    assert customer.alerts("text", *two, "Once only").returncode == 0
    refused = customer.alerts("text", *two, "Once only")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "These words were sent to +1 412-555-0170 and +1 412-555-0171 less than a minute ago. "
        "Add --yes to send them again.\n"
    )
    assert customer.alerts("text", *two, "Once only", "--yes").returncode == 0


def test_from_a_file(customer):
    words = "{{ name }}: lot {{ lot_number }} is off"
    options = ("--to", "phone", words, "--text", "--id", "lots", "--wait")
    dry = customer.alerts("broadcast", "lots.csv", *options, "--dry-run")
    assert dry.returncode == 0
    assert dry.stdout.splitlines() == [
        "Row 2: Ben Adeyemi, +1 412-555-0123: Ben Adeyemi: lot 7 is off",
        "Row 3: Clara Novak, +1 412-555-0147: Clara Novak: lot 8 is off",
        "Nothing was sent. 2 people would be texted.",
    ]
    assert dry.stderr.splitlines() == [
        "In the message, Lot number is {{ lot_number }}.",
        "The same number and words come before row 4: they are told once.",
    ]
    ended = customer.alerts("broadcast", "lots.csv", *options)
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[0] == "Broadcast lots to 2 people: …: lot … is off"
    assert ended.stdout.splitlines()[-1] == "Broadcast lots: 2 of 2 reached (2 reached)."
    told = customer.alerts("status", "lots")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines()[1].split() == ["Ben", "Adeyemi", "delivered", "Delivered"]
    again = customer.alerts("broadcast", "lots.csv", *options, "--json")
    assert [json.loads(line)["to"] for line in again.stdout.splitlines()] == [BEN, CLARA]


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (
            LOTS,
            ["--to", "Fax"],
            "No column is called “Fax”. This file has: Name, Phone, Lot number.",
        ),
        (
            "Phone,Lot\n4.12556E+09,7\n",
            ["--to", "Phone"],
            "Row 2 (4.12556E+09): A spreadsheet has rounded",
        ),
        ("Phone,Lot\n,7\n", ["--to", "Phone"], "Row 2: There is no number."),
        (
            "Phone,Lot\n412 555 01,7\n412 555 0199,8\n412 555,3\n",
            ["--to", "Phone"],
            "Row 2 (412 555 01): Too few digits for a phone number (United States). The same "
            "column is wrong in row 4 too.",
        ),
        (
            "Phone,Lot\n412 555 0199,8\n412 555 0198,\n",
            ["--to", "Phone"],
            "Row 3: {{ Lot }} is empty here. {{ Lot | default('…') }} needs no value.",
        ),
        ("Name,Phone\n", ["--to", "Phone"], "This file has no rows below its first one."),
        ("", ["--to", "Phone"], "This file is empty."),
        ("Phone\n" + "412 555 0199\n" * 1001, ["--to", "Phone"], "This file has 1,001 rows"),
    ],
)
def test_files_that_cannot_be_used(customer, content, options, sentence):
    file = in_file(customer, content)
    ended = customer.alerts("broadcast", file, "Lot {{ Lot }} is off", *options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(sentence)
    assert ended.stderr.count("\n") == 1


def test_a_file_that_is_not_there(customer):
    ended = customer.alerts("broadcast", "none.csv", "Hello", "--to", "Phone")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "none.csv can't be read: No such file or directory.\n"


def test_canceling_a_broadcast(customer):
    hours = quiet_now(ANYBODY)
    sent = customer.alerts(
        "call", ANYBODY, CLARA, "Good night", "--quiet-hours", hours, "--id", "n"
    )
    assert sent.returncode == 0
    assert sent.stdout.splitlines()[-1] == "Broadcast n: 0 of 2 reached (2 waiting)."
    ended = customer.alerts("cancel", "n", "--json")
    assert ended.returncode == 0
    assert {each["status"] for each in objects(ended)} == {"canceled"}
