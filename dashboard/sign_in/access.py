"""Who may use an app's pages, according to its settings and to what hosts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from htmltools import TagList
from shiny import App

from access.actor import on_connect
from access.roles import Roles
from access.sign_in import SignIn
from access.users import users_from
from alerts import Desk
from dashboard.assets import signed_in
from dashboard.hosting import under_shiny_server
from dashboard.sign_in.gate import Gate
from dashboard.sign_in.identity import Anonymous, BehindProxy, ByCookie, Identify, OnConnect
from dashboard.sign_in.page import SignInPage
from settings import Settings


@dataclass(frozen=True)
class Access:
    """Who may use an app's pages. `mount` lets in no one else.

    `sign_in` is set if people sign in on a page of this app.
    """

    identify: Identify
    page: SignInPage
    sign_in: SignIn | None = None

    @classmethod
    def from_settings(cls, settings: Settings, desk: Desk) -> Self:
        """Return the access that the settings ask for; sign-ins are kept in the desk's database."""
        roles = Roles.from_settings(settings)
        page = SignInPage(live=not settings.simulated, ask=next(iter(settings.admins or ()), ""))
        everybody = settings.simulated or settings.allow_anonymous
        if on_connect():
            return cls(OnConnect(roles, everybody), page)
        if settings.identity_header:
            proxies = settings.trusted_proxies
            return cls(BehindProxy(settings.identity_header, proxies, roles), page)
        users = users_from(settings)
        if users is None:
            return cls(Anonymous(everybody), page)
        idle = timedelta(hours=settings.sign_in_idle_hours)
        sign_in = SignIn(users, roles, idle, desk.database)
        return cls(ByCookie(sign_in), page, sign_in)

    @property
    def names_visitors(self) -> bool:
        """Whether each visitor has a name of their own."""
        return not isinstance(self.identify, Anonymous)

    def head(self) -> TagList:
        """Return the scripts that a page with a sign-in needs; nothing if others sign people in."""
        scripts = signed_in(tokens=under_shiny_server()) if self.sign_in else None
        return TagList(scripts)

    def guard(self, app: App) -> None:
        """Let only people into an app who may use it."""
        app.starlette_app.add_middleware(
            Gate, identify=self.identify, page=self.page, sign_in=self.sign_in
        )
