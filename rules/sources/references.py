"""`${NAME}` in sources.toml: a variable or a setting, so that no secret is in the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from rules.sources.source import SourceError

REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class References:
    """The values of environment variables and settings by name; never shown."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __repr__(self) -> str:
        return "References(***)"

    def fill_in(self, source: str, text: str, *, in_url: bool = False) -> str:
        """Replace each `${NAME}` in a text of a source by its value.

        Within a URL, a value that is only a part of it is percent-encoded, so that a password may
        hold any character. Raises `SourceError` for a name without a value.
        """
        whole = REFERENCE.fullmatch(text.strip())

        def value_of(found: re.Match[str]) -> str:
            value = self._values.get(found[1], "").strip()
            if not value:
                raise SourceError(
                    source,
                    f"{source} needs the environment variable {found[1]}, which isn't set: set it "
                    "for every process that checks rules.",
                )
            return quote(value, safe="") if in_url and not whole else value

        return REFERENCE.sub(value_of, text)

    def secrets(self, *texts: str) -> list[str]:
        """Return every value that the texts refer to, to keep them out of a sentence."""
        names = {name for text in texts for name in REFERENCE.findall(text)}
        values = [self._values.get(name, "").strip() for name in names]
        return [form for value in values if value for form in {value, quote(value, safe="")}]
