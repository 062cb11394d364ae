"""A person who can be called or texted, and what a typed name may mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contact:
    """A person who can be called or texted.

    `numbers` are in the order in which they are tried, each as in `PhoneNumber.dialed`. `language`
    and `time_zone` are "" if they weren't entered. `groups` are the names of the person's groups.
    """

    id: str
    name: str
    numbers: tuple[str, ...]
    language: str = ""
    time_zone: str = ""
    notes: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """What a typed name may mean: a group and its members, or the contacts of that name.

    Without contacts, no one has that name. With several but no `group`, it could be any of them.
    """

    contacts: tuple[Contact, ...] = ()
    group: str = ""
    # If no one has the name: people with names like it, the most similar first.
    similar: tuple[Contact, ...] = ()
