"""What can be wrong with a source: its data can't be had or don't fit, or sources.toml is wrong."""

from __future__ import annotations

from settings import SettingsError


class SourceError(Exception):
    """The data of a source can't be used now; a check that needs them changes nothing.

    `name` is the source's, `str()` one sentence for people: what is wrong and what to do. It holds
    no password, token or address with one.
    """

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


class SourcesFileError(SettingsError):
    """sources.toml is wrong. The text is one sentence with the file, line, source and key."""
