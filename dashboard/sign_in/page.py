"""The sign-in page, and the page that says why no one may use the app: HTML without scripts."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from htmltools import HTML, Tag, TagChild, TagList, tags

from access.sign_in import Refused
from dashboard.assets import WWW

# The addresses of these files are below that of the page: sign-in/tokens.css.
ASSETS = ("tokens.css", "shell.css", "sign_in.css", "sign_in.js")


@dataclass(frozen=True, slots=True)
class SignInPage:
    """What the page says: whether calls are real, and whom to ask ("" if that isn't known)."""

    live: bool
    ask: str = ""

    def html(
        self, *, name: str = "", back: str = "", stays: bool = False, refused: Refused | None = None
    ) -> str:
        """Return the page. After a refused try, it says why and keeps the name."""
        wrong_name = refused is not None and refused.field == "name"
        wrong_password = refused is not None and refused.field == "password"
        on_password = bool(name) and not wrong_name
        form = tags.form(
            tags.h1("Sign in", id="heading"),
            tags.input(type="hidden", name="next", value=back) if back else None,
            tags.div(
                tags.label("Name", for_="name"),
                tags.input(
                    id="name",
                    name="name",
                    value=name,
                    autocomplete="username",
                    autocapitalize="none",
                    spellcheck="false",
                    **_if(not on_password, autofocus=""),
                    **_if(wrong_name, aria_invalid="true", aria_describedby="problem"),
                ),
                class_="field",
            ),
            tags.div(
                tags.label("Password", for_="password"),
                tags.div(
                    tags.input(
                        id="password",
                        name="password",
                        type="password",
                        autocomplete="current-password",
                        **_if(on_password, autofocus=""),
                        **_if(wrong_password, aria_invalid="true", aria_describedby="problem"),
                    ),
                    class_="password",
                ),
                class_="field",
            ),
            tags.label(
                tags.input(
                    type="checkbox", name="stay", value="yes", **_if(stays, checked="checked")
                ),
                tags.span("Stay signed in on this computer"),
                class_="check",
            ),
            tags.p(
                TagList(tags.span("✕ ", aria_hidden="true"), refused.sentence) if refused else None,
                id="problem",
                class_="problem",
                role="alert",
            ),
            tags.button("Sign in", type="submit", class_="ink"),
            method="post",
            action="sign-in",
            aria_labelledby="heading",
            class_="card",
        )
        ask = tags.p(f"No way in? Ask {self.ask}, who runs this Callboard.", class_="below")
        return _document(
            "Sign in · Callboard",
            form,
            tags.p(_badge(live=self.live), class_="below"),
            ask if self.ask else None,
            assets="sign-in/",
        )


def denied_html(heading: str, sentences: tuple[str, ...], assets: str) -> str:
    """Return a page that says why no one may use the app; `assets` is the folder of its files."""
    content = tags.div(tags.h1(heading), *map(tags.p, sentences), class_="card")
    return _document(f"{heading} · Callboard", content, assets=assets)


def version_of_assets() -> str:
    """Return a version made from the files' contents, so that browsers never keep an old one."""
    contents = b"".join((WWW / file).read_bytes() for file in ASSETS)
    return hashlib.sha256(contents).hexdigest()[:8]


def _document(title: str, *content: TagChild, assets: str) -> str:
    icon = (WWW / "favicon.svg").read_text(encoding="utf-8")
    data = base64.b64encode(icon.encode()).decode()
    version = version_of_assets()
    head = tags.head(
        tags.meta(charset="utf-8"),
        tags.meta(name="viewport", content="width=device-width, initial-scale=1"),
        tags.meta(name="robots", content="noindex"),
        tags.title(title),
        tags.link(rel="icon", href=f"data:image/svg+xml;base64,{data}"),
        *(
            tags.link(rel="stylesheet", href=f"{assets}{file}?{version}")
            for file in ASSETS
            if file.endswith(".css")
        ),
        # Loaded in the head, so that a dark page doesn't start out light.
        tags.script(src=f"{assets}sign_in.js?{version}"),
    )
    brand = tags.span(tags.span(HTML(icon), aria_hidden="true"), "Callboard", class_="brand")
    body = tags.body(tags.main(tags.div(brand, *content), class_="sign-in"))
    return f"<!doctype html>\n{tags.html(head, body, lang='en')}"


def _badge(*, live: bool) -> Tag:
    if live:
        return tags.span("Live: real calls", class_="badge-live")
    return tags.span("Simulation: no real calls", class_="simulation")


def _if(condition: bool, **attributes: str) -> dict[str, str]:
    return attributes if condition else {}
