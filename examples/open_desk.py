"""How each example starts: find the packages beside this folder, and open a desk from .env."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from alerts import Desk
from settings import Settings, SettingsError


def open_desk() -> Desk:
    """Return a desk, or end the program with the sentence that names a mistake in the settings."""
    try:
        return Desk.from_settings(Settings())
    except SettingsError as problem:
        sys.exit(str(problem))
