"""What the examples begin with: the packages beside this folder, and a desk as .env says."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from alerts import Desk
from settings import Settings, SettingsError


def open_desk() -> Desk:
    """A desk; a mistake in the settings ends the program with the sentence that names it."""
    try:
        return Desk.from_settings(Settings())
    except SettingsError as problem:
        sys.exit(str(problem))
