"""What the person who is called does with the telephone, during one call."""

from __future__ import annotations

import asyncio
from collections import deque

KEYS = frozenset("0123456789*#")


class Callee:
    """The telephone at the other end of one call: picked up, its keys pressed, hung up.

    The directory's character operates it, or a handset while `on_handset` is set. The handset may
    leave the call ringing for `patience` simulated seconds.
    """

    def __init__(self) -> None:
        self.on_handset = asyncio.Event()
        self.patience = 0.0
        self.decided = asyncio.Event()
        self.picks_up = False
        self.hung_up = asyncio.Event()
        self.key_pressed = asyncio.Event()
        self._keys: deque[str] = deque()

    def attach_handset(self, patience: float) -> None:
        """Let a handset decide from now on."""
        self.patience = patience
        self.on_handset.set()

    def detach_handset(self) -> None:
        """Let the character decide, because nobody used the handset."""
        self.on_handset.clear()

    def decide(self, *, picks_up: bool) -> None:
        """Answer or decline; the first decision counts."""
        if not self.decided.is_set():
            self.picks_up = picks_up
            self.decided.set()

    def press(self, keys: str) -> None:
        """Press keys one after the other. Characters that are on no telephone are skipped."""
        pressed = [key for key in keys if key in KEYS]
        if pressed:
            self._keys.extend(pressed)
            self.key_pressed.set()

    def take_key(self) -> str | None:
        """Return the oldest key that wasn't taken yet, or None."""
        key = self._keys.popleft() if self._keys else None
        if not self._keys:
            self.key_pressed.clear()
        return key

    def clear_keys(self) -> None:
        """Drop the keys pressed so far: they count only while a verb waits for them."""
        self._keys.clear()
        self.key_pressed.clear()
