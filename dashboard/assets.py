"""The stylesheets and scripts that come along with a page, served by Shiny from `www/`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from htmltools import HTMLDependency, TagList

WWW = Path(__file__).parent / "www"


def page_assets() -> TagList:
    """What every Callboard module needs, also inside somebody else's app."""
    return TagList(
        _tokens(),
        _dependency(
            "callboard",
            stylesheets=["send.css", "reaching.css", "story.css"],
            scripts=["listen.js", "preview.js", "writing.js"],
        ),
    )


def phone_assets() -> TagList:
    """The simulator's handset."""
    return TagList(_tokens(), _dependency("callboard-phone", ["phone.css"], ["phone.js"]))


def shell_assets() -> TagList:
    """The navbar and the page around the modules."""
    return TagList(_tokens(), _dependency("callboard-shell", ["shell.css"], []))


def _tokens() -> HTMLDependency:
    return _dependency("callboard-tokens", ["tokens.css"], [])


def _dependency(name: str, stylesheets: list[str], scripts: list[str]) -> HTMLDependency:
    return HTMLDependency(
        name,
        version=_fingerprint([*stylesheets, *scripts]),
        source={"subdir": str(WWW)},
        stylesheet=[{"href": file} for file in stylesheets],
        # Modules, because the names in plain scripts are shared by all of them.
        script=[{"src": file, "type": "module"} for file in scripts],
    )


def _fingerprint(files: list[str]) -> str:
    """A version made of the files' contents, so that browsers never keep an old one."""
    contents = b"".join((WWW / file).read_bytes() for file in files)
    return f"1.{int(hashlib.sha256(contents).hexdigest()[:7], 16)}"
