"""The page's address: which alerts are shown, which one is open, and the links to other views."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from access.audit_entry import Kind as AuditKind
from alerts.filters import Filters, Kind, with_text
from alerts.phone_numbers import Regions
from alerts.time_zones import begin_of, midnight
from dashboard.activity.parts import CHANNELS, RANGES

if TYPE_CHECKING:
    from access.audit import AuditFilters

# `q` is what is typed into the search box, `n` how many rows come before this page.
FILTERS = ("q", "when", "from", "to", "channel", "by", "status", "broadcast", "rule", "about")
PLACES = ("before", "after", "n")
OPEN = "open"
# Which of the page's lists is shown: the alerts (also if it is missing), or what people did.
LIST, DONE = "list", "done"
MOST_CHARACTERS = 200
DEFAULT_WHEN = "7"
KINDS = {each.value.replace(" ", "-"): each for each in Kind}
ABOUT = {each.value.lower().replace(" ", "-"): each for each in AuditKind}
ENTRY_ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an address that the page knows; a missing part filters nothing."""

    parts: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.parts.get(name, "")

    @property
    def when(self) -> str:
        """Which of RANGES is chosen."""
        return self["when"] if self["when"] in RANGES else DEFAULT_WHEN

    @property
    def before(self) -> int | None:
        """The position that the page's rows are older than."""
        return _position(self["before"])

    @property
    def after(self) -> int | None:
        """The position that the page's rows are newer than."""
        return None if self["before"] else _position(self["after"])

    @property
    def shows_what_was_done(self) -> bool:
        """Whether it asks for the list of what people did."""
        return self[LIST] == DONE

    def entry(self, name: str) -> str:
        """Return the id of an entry in the part `before` or `after`, "" if there is none."""
        return self[name] if ENTRY_ID.fullmatch(self[name]) else ""

    @property
    def rows_before(self) -> int:
        """How many rows come before the page, as far as the links know."""
        return _position(self["n"]) or 0

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the usual time range is asked for."""
        chosen = {name: self[name] for name in FILTERS if self[name]}
        return any(name != "when" or self.when != DEFAULT_WHEN for name in chosen)

    def link(self, **changes: str | int) -> str:
        """Return a link to the view with other parts; "" takes one out.

        A change of filters leads to the first page.
        """
        kept = dict(self.parts)
        if set(changes) & set(FILTERS):
            kept = {name: value for name, value in kept.items() if name not in PLACES}
        kept |= {name: str(value) for name, value in changes.items()}
        return "?" + urlencode({"page": "activity"} | {k: v for k, v in kept.items() if v})

    def list_link(self, name: str) -> str:
        """Return a link to one of the page's lists, from the same time on."""
        others = (*PLACES, OPEN, *(each for each in FILTERS if each not in {"when", "from", "to"}))
        return self.link(**dict.fromkeys(others, "") | {LIST: name})

    def page_link(self, **place: int | str) -> str:
        """Return a link to another page of the list."""
        return self.link(**dict.fromkeys(PLACES, "") | place)

    def cleared(self) -> str:
        """Return a link to the view without filters."""
        return self.link(**dict.fromkeys(FILTERS, ""))

    def filters(self, regions: Regions, zone: str) -> Filters:
        """Return what to look for; days are those of the time zone."""
        since, until = self._range(zone)
        filters = Filters(
            since=since,
            until=until,
            kind=KINDS.get(self["status"]),
            channel=CHANNELS.get(self["channel"], ("", None))[1],
            sender=self["by"] or None,
            broadcast=self["broadcast"],
            rule=self["rule"],
        )
        return with_text(filters, self["q"], regions)

    def audit_filters(self, zone: str) -> AuditFilters:
        """Return which entries of the audit trail to look for; days are those of the time zone."""
        from access.audit import AuditFilters  # noqa: PLC0415 - needs SQLAlchemy

        since, until = self._range(zone)
        return AuditFilters(self["by"], ABOUT.get(self["about"]), self["q"], since, until)

    def _range(self, zone: str) -> tuple[datetime | None, datetime | None]:
        if self.when == "all" or (self["broadcast"] and not self["when"]):
            return None, None
        today = midnight(datetime.now(UTC), zone)
        if self.when == "custom":
            first, last = _day(self["from"], zone), _day(self["to"], zone, days_later=1)
            return first, last
        days = {"today": 0, "7": 6, "30": 29}[self.when]
        return midnight(today - timedelta(days=days, hours=-12), zone), None


def read_address(query: str) -> Address:
    """Read the query of an address; what the page doesn't know is left out."""
    known = {*FILTERS, *PLACES, OPEN, LIST}
    try:
        given = parse_qs(query.removeprefix("?"), max_num_fields=100)
    except ValueError:
        return Address({})
    parts = {
        name: values[0].replace("\0", "")[:MOST_CHARACTERS]
        for name, values in given.items()
        if name in known
    }
    return Address({name: value for name, value in parts.items() if value.strip()})


def _day(text: str, zone: str, days_later: int = 0) -> datetime | None:
    try:
        day = date.fromisoformat(text) + timedelta(days=days_later)
        if not 1970 < day.year < 9999:
            return None
    except (ValueError, OverflowError):
        return None
    return begin_of(day, zone)


def _position(text: str) -> int | None:
    if not (text.isascii() and text.isdecimal()):
        return None
    return min(int(text), (1 << 63) - 1)
