"""Sessions with an FTP host that stay logged in for some seconds, because a login can be slow."""

from __future__ import annotations

import ftplib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from storage.ftp_session import hang_up

KEEP_SECONDS = 15.0

# What ftplib raises when a session cannot be used any more; ValueError is for garbled replies.
SESSION_ERRORS: tuple[type[Exception], ...] = (*ftplib.all_errors, ValueError, OverflowError)

Result = TypeVar("Result")


class FTPPool:
    """Lends sessions to threads, as many as there are threads that ask at the same time.

    Hosts may take seconds of CPU time for a login, so there is one login at a time, and threads
    that wait for it take the first session that becomes free instead. If the login fails, they all
    fail.
    """

    def __init__(self, open_session: Callable[[], ftplib.FTP]) -> None:
        self._open_session = open_session
        self._changed = threading.Condition()
        self._free: dict[ftplib.FTP, threading.Timer] = {}
        self._login: Future[None] | None = None
        self._closed = False

    def run(self, task: Callable[[ftplib.FTP], Result]) -> Result:
        """Call `task` with a session. If a kept one fails, call it once more with another."""
        for is_last in (False, True):
            session, is_new = self._borrow()
            try:
                result = task(session)
            except BaseException as failure:
                # The session may be anywhere in the protocol by now.
                hang_up(session)
                # Hosts end idle sessions, and the folder may have been removed.
                if is_new or is_last or not isinstance(failure, SESSION_ERRORS):
                    raise
                self._drop_free()
            else:
                self._give_back(session)
                return result
        raise AssertionError("the last call returns or raises")

    def close(self) -> None:
        """End the free sessions at once, and each lent one when it comes back."""
        with self._changed:
            self._closed = True
        self._drop_free()

    def _borrow(self) -> tuple[ftplib.FTP, bool]:
        """Return a session, and whether it is new."""
        with self._changed:
            while not self._free and self._login is not None:
                login = self._login
                while not self._free and not login.done():
                    self._changed.wait()
                if not self._free and (failure := login.exception()):
                    raise failure
            if self._free:
                session, timer = self._free.popitem()
                timer.cancel()
                return session, False
            self._login = login = Future()
        try:
            return self._open_session(), True
        except BaseException as failure:
            login.set_exception(failure)
            raise
        finally:
            with self._changed:
                if not login.done():
                    login.set_result(None)
                self._login = None
                self._changed.notify_all()

    def _give_back(self, session: ftplib.FTP) -> None:
        with self._changed:
            if not self._closed:
                timer = threading.Timer(KEEP_SECONDS, self._drop, [session])
                timer.daemon = True
                timer.start()
                self._free[session] = timer
                self._changed.notify()
                return
        hang_up(session)

    def _drop_free(self) -> None:
        with self._changed:
            free = list(self._free)
        for session in free:
            self._drop(session)

    def _drop(self, session: ftplib.FTP) -> None:
        """End a session unless it has been lent in the meantime."""
        with self._changed:
            timer = self._free.pop(session, None)
        if timer is not None:
            timer.cancel()
            hang_up(session)
