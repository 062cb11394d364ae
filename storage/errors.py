"""The one error of this package."""

from __future__ import annotations


class StorageError(Exception):
    """A document could not be published, read or removed, or a storage is set up wrongly.

    `service` is "S3", "FTP", "this app" or "the request"; `message` is one sentence that says which
    bucket or host and what happened; `hint` says what to check. None of them holds a secret.
    """

    def __init__(self, service: str, message: str, hint: str) -> None:
        super().__init__(f"{message} {hint}")
        self.service = service
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[StorageError], tuple[str, str, str]]:
        return type(self), (self.service, self.message, self.hint)
