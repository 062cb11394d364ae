"""What a person does with the telephone at the other end of one call."""

from __future__ import annotations

import asyncio
from collections import deque

KEYS = frozenset("0123456789*#")


class OtherEnd:
    """One call's telephone, as the call sees it: picked up, its keys pressed, hung up.

    A handset acts on it, or else the directory's character. `patience` is how many simulated
    seconds a handset may leave the call ringing, once `taken_over` is set.
    """

    def __init__(self) -> None:
        self.taken_over = asyncio.Event()
        self.patience = 0.0
        self.decided = asyncio.Event()
        self.picks_up = False
        self.hung_up = asyncio.Event()
        self.key_pressed = asyncio.Event()
        self._keys: deque[str] = deque()

    def take_over(self, patience: float) -> None:
        """A handset decides from now on."""
        self.patience = patience
        self.taken_over.set()

    def let_go(self) -> None:
        """Nobody was at the handset; the character decides."""
        self.taken_over.clear()

    def decide(self, *, picks_up: bool) -> None:
        """Answer or decline; the first decision counts."""
        if not self.decided.is_set():
            self.picks_up = picks_up
            self.decided.set()

    def press(self, keys: str) -> None:
        """Press keys one after the other. Whatever is no telephone key is passed over."""
        pressed = [key for key in keys if key in KEYS]
        if pressed:
            self._keys.extend(pressed)
            self.key_pressed.set()

    def take_key(self) -> str | None:
        """The oldest key not taken yet, or None."""
        key = self._keys.popleft() if self._keys else None
        if not self._keys:
            self.key_pressed.clear()
        return key

    def forget_keys(self) -> None:
        """Keys count only while somebody listens for them."""
        self._keys.clear()
        self.key_pressed.clear()
