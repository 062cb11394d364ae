"""Every setting of Callboard, read once from the environment and from `.env` beside app.py.

A real environment variable wins over `.env`; a blank one counts as absent, and white space at both
ends is dropped. If a setting is wrong, one `SettingsError` says which it is and what to do.
"""

from settings.environment import SettingsError
from settings.settings import Settings, StorageKind
from settings.values import FEWEST_PASSWORD_CHARACTERS, HERE

__all__ = ["FEWEST_PASSWORD_CHARACTERS", "HERE", "Settings", "SettingsError", "StorageKind"]
