"""docs/embedding.md, followed in an empty folder."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.running_app import LEFT_OUT, PROJECT, bare_environment

PAGE = (PROJECT / "docs/embedding.md").read_text("utf-8")


@pytest.mark.slow
def test_what_is_copied_is_enough(tmp_path: Path) -> None:
    [copying] = re.findall(r"^cp -R (.*?) \.\./your-app/$", PAGE, re.MULTILINE | re.DOTALL)
    for name in copying.replace("\\\n", "").split():
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, tmp_path / name, ignore=LEFT_OUT)
        else:
            shutil.copy(PROJECT / name, tmp_path)
    [app] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "app.py").write_text(app)
    # What isn't needed before a visitor looks or sends is imported later.
    later = (
        "import dashboard.send.from_file, people.importing, alerts.runtime, rules.desk, webhooks"
    )
    ended = subprocess.run(
        [sys.executable, "-c", f"import app; {later}; print(app.__file__, webhooks.__file__)"],
        cwd=tmp_path,
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split() == [str(tmp_path / "app.py"), str(tmp_path / "webhooks.py")]
