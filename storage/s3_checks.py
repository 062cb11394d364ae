"""What an S3 storage can be set up with."""

from __future__ import annotations

import re

from storage.errors import StorageError


def checked_bucket(bucket: str) -> str:
    """The bucket's name; StorageError if it cannot be one."""
    # Old buckets of us-east-1 may hold capitals and underscores.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", bucket):
        raise StorageError(
            "S3",
            f"{bucket!r} cannot be the name of an S3 bucket.",
            "Use 3 to 63 lower-case letters, digits and hyphens.",
        )
    return bucket


def checked_prefix(prefix: str) -> str:
    """The prefix with one slash at its end, or nothing; StorageError if it is not plain."""
    folders = [folder for folder in prefix.split("/") if folder]
    # A * or ? would widen the bucket's policy, and HTTP clients resolve dots away.
    if not all(re.fullmatch(r"(?!\.+$)[A-Za-z0-9._-]+", folder) for folder in folders):
        raise StorageError(
            "S3",
            f"{prefix!r} cannot be the prefix of documents in S3.",
            "Use letters, digits, dots, hyphens, underscores and slashes, such as twiml/.",
        )
    return "".join(f"{folder}/" for folder in folders)


def checked_expire_days(days: int) -> int:
    """The number of days; StorageError if it is below one, the least that S3 can do."""
    if days < 1:
        raise StorageError(
            "S3",
            f"Documents in S3 cannot expire after {days} days.",
            "Set 1 or more days.",
        )
    return days


def check_keys(access_key_id: str | None, secret_access_key: str | None) -> None:
    """StorageError if one of the two is given without the other."""
    if bool(access_key_id) != bool(secret_access_key):
        raise StorageError(
            "S3",
            "Half of the AWS credentials is missing.",
            "Set both the access key ID and the secret access key, or neither.",
        )
