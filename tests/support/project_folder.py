"""The app in a folder of its own: nothing of the developer's `.env` and data is near."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support import ready_python
from tests.support.environment import write_env

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = (
    "access", "alerts", "cli", "dashboard", "database", "doctor", "monitoring", "people",
    "rules", "settings", "simulator", "storage", "twilio_client", "twiml",
)  # fmt: skip
FILES = ("app.py", "callbacks_app.py", "sources.toml", "webhooks.py")


@dataclass(frozen=True)
class ProjectFolder:
    """Runs programs beside a `.env` of its own; `secrets` may be in none of their output."""

    folder: Path
    secrets: tuple[str, ...] = ()

    def python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python here, with this environment and hardly anything else."""
        ended = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self._all_of(environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return self._checked(ended)

    def alerts(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m alerts`, in a process that needn't load it first."""
        ended = ready_python.run("alerts", arguments, self.folder, self._all_of(environment), 60)
        return self._checked(ended)

    def _all_of(self, environment: dict[str, str]) -> dict[str, str]:
        inherited = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.folder)}
        return inherited | environment

    def _checked(self, ended: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
        said = ended.stdout + ended.stderr
        assert "Traceback" not in said, said
        assert "Task was destroyed" not in said, said
        assert [secret for secret in self.secrets if secret in said] == []
        return ended


def build_project_folder(folder: Path, values: dict[str, str], *secrets: str) -> ProjectFolder:
    """A project in `folder` with `values` in its `.env`."""
    for name in (*ROOMS, *FILES):
        (folder / name).symlink_to(REPOSITORY / name)
    write_env(folder, values)
    return ProjectFolder(folder, secrets)
