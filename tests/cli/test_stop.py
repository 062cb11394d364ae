"""`python -m alerts stop` and `resume`, as a shell sees them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.project_folder import build_project_folder

BEN = "(412) 555-0121"


@pytest.mark.slow
def test_stop_and_resume(tmp_path: Path):
    shell = build_project_folder(tmp_path, {})
    # Quiet hours last all day, so it waits.
    assert shell.alerts("text", BEN, "Hello", "--quiet-hours", "00:00-23:59").returncode == 0
    stopped = shell.alerts("stop", "--reason", "Wrong list")
    assert stopped.returncode == 0
    assert re.search(
        r"^\S+ stopped everything at \d\d:\d\d \S+ \(Wrong list\)\. 1 alert was canceled\.\n"
        r"Rules tell nobody\. `python -m alerts resume` lifts it\.\n$",
        stopped.stdout,
    )
    again = json.loads(shell.alerts("stop", "--json").stdout)
    assert again["canceled"] == 0
    assert again["reason"] == "Wrong list"
    refused = shell.alerts("text", BEN, "Hello again")
    assert refused.returncode == 2
    assert "Nothing is sent until an administrator lifts that." in refused.stderr
    lifted = shell.alerts("resume")
    assert lifted.stdout == "Lifted: alerts can be sent again. What was canceled stays so.\n"
    assert shell.alerts("resume", "--json").stdout == '{"stopped": false, "was_stopped": false}\n'
    assert shell.alerts("text", BEN, "Hello again").returncode == 0
