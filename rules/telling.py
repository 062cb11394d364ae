"""Bad rows become alerts: one for each recipient and check, however many rows it is about.

Words from the data are only ever filled in as variables, never read as a template. If a row's
recipients can't be told, for instance because the number can't be read, the rule's owner is told
with the reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from alerts.alert import AlertRequest
from alerts.errors import UnusableInput
from alerts.log_lines import on_one_line
from people.broadcasts import variable_names
from people.recipients import Recipient
from rules.audience import Address, Audience
from rules.episodes import Episode
from rules.keys import Case, Value, shown
from rules.mutes import Mute, is_muted
from rules.rule import Rule, alert_request

log = logging.getLogger(__name__)

# Kinds in episode_alerts. "problem" and "flapping" go to the owner in place of the recipients.
Kind = Literal["firing", "reminder", "recovery", "problem", "flapping"]
# Returns a request as it will be saved, or raises `UnusableInput`: see `Desk.composed`.
Compose = Callable[[AlertRequest], AlertRequest]

# Up to this many are named in a list; of more, only a few.
MOST_LISTED = 5
LISTED_OF_MORE = 2
# Five reasons, each with its key, fit into one text.
MOST_REASON_CHARACTERS = 200
FOR_MANY = "{{ rule }}: {{ count }} at once, {{ list }}."


@dataclass(frozen=True, slots=True)
class Item:
    """An episode to tell people about, its case, and the cells of its row.

    `told` are the recipients, as in `PhoneNumber.dialed`, who have been told of it already, and
    `is_with_owner` is whether the owner was told in place of those who can't be.
    """

    episode: Episode
    case: Case
    cells: Mapping[str, Value]
    told: Collection[str] = ()
    is_with_owner: bool = False

    @property
    def id(self) -> tuple[str, int]:
        """The key's hash and the number of its episode."""
        return self.case.key_hash, self.episode.number


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert that is to be saved, and the episodes that it tells of: key's hash and number."""

    request: AlertRequest
    kind: Kind
    episodes: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """The alerts for some episodes, and the keys about which a mute keeps someone untold."""

    notices: tuple[Notice, ...] = ()
    muted: frozenset[str] = frozenset()
    # Why some recipients can't be told, if there is no owner who could hear of it.
    unheard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeWriter:
    """Writes the alerts of one check of a rule, the `check`th, made at `moment`."""

    rule: Rule
    check: int
    moment: datetime
    audience: Audience
    compose: Compose
    mutes: Sequence[Mute] = field(default_factory=tuple)

    def tell(self, items: Sequence[Item], kind: Literal["firing", "reminder"]) -> Told:
        """Return one alert for each recipient of the items, and one for the owner if need be."""
        whose: dict[str, tuple[Recipient, list[Item]]] = {}
        muted: set[str] = set()
        for_owner: list[tuple[Item, str]] = []
        for item in items:
            address = self.audience.of.get(item.case.key_hash, Address())
            for each in address.recipients:
                if each.to in item.told:
                    continue
                if is_muted(
                    self.mutes, self.moment, key_hash=item.case.key_hash, recipient=each.to
                ):
                    muted.add(item.case.key_hash)
                    continue
                whose.setdefault(each.to, (each, []))[1].append(item)
            if kind == "firing" and not item.is_with_owner:
                for_owner += [(item, each) for each in address.problems]
        notices: list[Notice] = []
        for recipient, some in whose.values():
            try:
                notices.append(self._notice(recipient, some, kind))
            except UnusableInput as problem:
                if kind == "firing":
                    for_owner += [
                        (each, f"{recipient.label}: {problem}")
                        for each in some
                        if not each.is_with_owner
                    ]
        told = self.to_owner(
            self._untellable(for_owner), "problem", [each for each, _ in for_owner]
        )
        unheard = tuple(why for _, why in for_owner) if for_owner and not told else ()
        return Told((*notices, *told), frozenset(muted), unheard)

    def request_for(self, recipient: Recipient, items: Sequence[Item]) -> AlertRequest:
        """Return the request that tells a recipient of some items, its variables unfilled."""
        rule = self.rule
        base = replace(alert_request(rule), then_to=self.audience.then_to)
        ours = {
            "rule": rule.name,
            "count": f"{len(items):,}",
            "list": list_of([each.case.words for each in items]),
        }
        if len(items) == 1:
            message, variables = rule.message, {**ours, **_variables(items)}
        else:
            message = rule.message_for_many.strip() or FOR_MANY
            variables = {**_variables(items), **ours}
        used = f"{message} {rule.voicemail}"
        variables = {name: value for name, value in variables.items() if name in used}
        return recipient.addressed(replace(base, message=message, variables=variables))

    def over(self, items: Sequence[Item]) -> list[Notice]:
        """Return the alerts that tell those in `told` that something is no longer listed."""
        whose: dict[str, list[Item]] = {}
        for item in items:
            for number in item.told:
                if not is_muted(
                    self.mutes, self.moment, key_hash=item.case.key_hash, recipient=number
                ):
                    whose.setdefault(number, []).append(item)
        notices = []
        for number, some in whose.items():
            listed = list_of([each.case.words for each in some])
            are = "is" if len(some) == 1 else "are"
            words = f"{self.rule.name}: {listed} {are} no longer listed."
            request = replace(self._plain(words), to=number)
            try:
                notices.append(self._named(request, some, number, "recovery"))
            except UnusableInput as problem:
                # The rule may have changed by now, such as from calls to texts.
                log.warning(
                    "%s", on_one_line(f"{listed} is over, but {number} can't be told: {problem}")
                )
        return notices

    def flapping(self, items: Sequence[Item]) -> Told:
        """Return the alerts that tell the owner that keys come and go too often."""
        if not items:
            return Told()
        listed = list_of([each.case.words for each in items])
        words = (
            f"{self.rule.name}: {listed} came and went more than three times in a day, so nobody "
            "else is told of it until it is quieter. A longer wait before it fires or is over "
            "would help."
        )
        notices = self.to_owner(words, "flapping", items)
        return Told(tuple(notices), unheard=() if notices else (words,))

    def to_owner(self, words: str, kind: Kind, items: Sequence[Item]) -> list[Notice]:
        """Return an alert with these words for each owner of the rule; none without `items`."""
        if not items:
            return []
        found: list[Notice] = []
        for owner in self.audience.owner:
            try:
                found.append(
                    self._named(owner.addressed(self._plain(words)), items, owner.to, kind)
                )
            except UnusableInput as problem:
                log.warning(
                    "%s",
                    on_one_line(f"The owner of the rule {self.rule.name} can't be told: {problem}"),
                )
        return found

    def health(self, words: str, what: str) -> list[Notice]:
        """Return an alert about the rule itself for each of its owners; `what` goes into its id."""
        found: list[Notice] = []
        for owner in self.audience.owner:
            alert_id = f"rule:{self.rule.id}:check-{self.check}:{owner.to}:{what}"
            request = replace(owner.addressed(self._plain(words)), id=alert_id)
            try:
                found.append(Notice(self.compose(request), "problem"))
            except UnusableInput as problem:
                log.warning(
                    "%s",
                    on_one_line(f"The owner of the rule {self.rule.name} can't be told: {problem}"),
                )
        return found

    def _notice(self, recipient: Recipient, items: Sequence[Item], kind: Kind) -> Notice:
        request = self.request_for(recipient, items)
        try:
            return self._named(request, items, recipient.to, kind)
        except UnusableInput:
            if len(items) == 1 or not self.rule.message_for_many:
                raise
        # If the words for many can't be filled in, people must be told all the same.
        plain = replace(self.rule, message_for_many="")
        request = replace(self, rule=plain).request_for(recipient, items)
        return self._named(request, items, recipient.to, kind)

    def _named(
        self, request: AlertRequest, items: Sequence[Item], recipient: str, kind: Kind
    ) -> Notice:
        """Return the alert with an id that no other has, so that it is sent exactly once."""
        what: str = kind
        if kind == "reminder":
            what = f"reminder-{max(each.episode.reminders for each in items) + 1}"
        about = f"check-{self.check}"
        if len(items) == 1:
            about = f"{items[0].case.key_hash}:{items[0].episode.number}"
        alert_id = f"rule:{self.rule.id}:{about}:{recipient}:{what}"
        composed = self.compose(replace(request, id=alert_id))
        return Notice(composed, kind, tuple(dict.fromkeys(each.id for each in items)))

    def _plain(self, words: str) -> AlertRequest:
        """Return a request with words of our own, which asks for no key press or reply."""
        rule = self.rule
        return AlertRequest(
            rule.channel,
            "",
            words,
            user=rule.name,
            time_zone=rule.time_zone,
            tries=rule.tries,
            minutes_between_tries=rule.minutes_between_tries,
            quiet_hours=rule.quiet_hours,
            urgent=rule.urgent,
            template=False,
        )

    def _untellable(self, items: Iterable[tuple[Item, str]]) -> str:
        """Say which cases can't be told to their recipients, and why."""
        whys: dict[str, dict[str, None]] = {}
        for each, why in items:
            whys.setdefault(each.case.words, {})[" ".join(why.split()).rstrip(".")] = None
        reasons = [f"{words} ({_short('; '.join(some))})" for words, some in whys.items()]
        return f"{self.rule.name}: it isn't clear whom to tell about {list_of(reasons)}."


def recipient_of(alert_id: str) -> str:
    """Return the recipient in the id of a rule's alert, as in `PhoneNumber.dialed`."""
    return alert_id.rsplit(":", 2)[-2]


def list_of(words: Sequence[str]) -> str:
    """Return "1407", "1407 and 1408" or "1407, 1408 and 12 more"."""
    if len(words) > MOST_LISTED:
        named = ", ".join(words[:LISTED_OF_MORE])
        return f"{named} and {len(words) - LISTED_OF_MORE:,} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _variables(items: Sequence[Item]) -> dict[str, str]:
    """Return the rows' cells by variable; several rows' values become a short list."""
    columns = list(items[0].cells)
    names = dict(zip(columns, variable_names(columns), strict=True))
    found: dict[str, str] = {}
    for column, name in names.items():
        cells = dict.fromkeys(shown(each.cells.get(column)) for each in items)
        if texts := [each for each in cells if each]:
            found[name] = list_of(texts)
    return found


def _short(why: str) -> str:
    if len(why) <= MOST_REASON_CHARACTERS:
        return why
    return f"{why[: MOST_REASON_CHARACTERS - 1]}…"
