"""The stylesheets and scripts of the pages, which Shiny serves from `www/`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from htmltools import HTMLDependency, TagList

WWW = Path(__file__).parent / "www"
COMMON_STYLESHEETS = ["tokens.css", "parts.css", "fields.css", "timeline.css"]


def assets(name: str, stylesheets: Sequence[str], scripts: Sequence[str] = ()) -> TagList:
    """Return what a page needs to bring along: what all pages share, and these files of `www/`.

    Every page brings its own, so that it looks the same inside another Shiny app.
    """
    return TagList(
        _dependency("callboard-common", COMMON_STYLESHEETS, ["common.js", "files.js"]),
        _dependency(f"callboard-{name}", stylesheets, scripts),
    )


def listening() -> HTMLDependency:
    """Return the script behind every Listen button, which a page may hold only once."""
    return _dependency("callboard-listen", [], ["listen.js"])


def signed_in(*, tokens: bool) -> HTMLDependency:
    """Return the scripts of pages that people sign in to.

    With `tokens` each session begins with a token, because it carries no cookie.
    """
    scripts = ["signed_in.js", *(["session_token.js"] if tokens else [])]
    return _dependency("callboard-signed-in", [], scripts)


def _dependency(name: str, stylesheets: Sequence[str], scripts: Sequence[str]) -> HTMLDependency:
    return HTMLDependency(
        name,
        version=_fingerprint([*stylesheets, *scripts]),
        source={"subdir": str(WWW)},
        stylesheet=[{"href": file} for file in stylesheets],
        # Plain scripts share one namespace; modules keep their names to themselves.
        script=[{"src": file, "type": "module"} for file in scripts],
    )


def _fingerprint(files: Sequence[str]) -> str:
    """Return a version made from the files' contents, so that browsers never keep an old one."""
    contents = b"".join((WWW / file).read_bytes() for file in files)
    return f"1.{int(hashlib.sha256(contents).hexdigest()[:7], 16)}"
