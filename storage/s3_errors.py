"""S3's and boto3's errors in plain words: what happened to the bucket, and what to check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage.base import StorageError
from storage.boto_errors import (
    CHECK_KEYS,
    RENEW_SESSION,
    TIMED_OUT,
    Explanation,
    credentials_trouble,
    raised_by_boto,
    request_trouble,
)

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_CLOCK = "Set this machine's clock: S3 accepts a difference of up to 15 minutes."
_PERMISSION = (
    "Check that these credentials may do this, that the bucket is yours, and that the account "
    "itself does not block public access."
)

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_ANSWERS: dict[str, Explanation] = {
    "NoSuchBucket": ("does not exist", "Check its name, or create it."),
    "AccessDenied": ("refused access", _PERMISSION),
    "403": ("refused access", _PERMISSION),
    "AllAccessDisabled": ("is disabled", "Ask the owner of the AWS account."),
    "AccountProblem": ("is blocked by a problem with the account", "Ask the account's owner."),
    "InvalidAccessKeyId": ("does not know the access key ID", CHECK_KEYS),
    "SignatureDoesNotMatch": ("did not accept the secret access key", CHECK_KEYS),
    "ExpiredToken": ("did not accept the session: it has expired", RENEW_SESSION),
    "InvalidToken": ("did not accept the session token", RENEW_SESSION),
    "RequestTimeTooSkewed": ("did not accept this machine's time", _CLOCK),
    "PermanentRedirect": ("is in another region", "Set the bucket's own region."),
    "301": ("is in another region", "Set the bucket's own region."),
    "AuthorizationHeaderMalformed": ("is in another region", "Set the bucket's own region."),
    "IllegalLocationConstraintException": ("is in another region", "Set the right region."),
    "InvalidLocationConstraint": ("cannot be created in this region", "Check the region's name."),
    "BucketAlreadyExists": (
        "belongs to another AWS account",
        "Choose another bucket name.",
    ),
    "TooManyBuckets": ("is one too many for the account", "Delete a bucket, or ask AWS for more."),
    "SlowDown": ("is getting too many requests", "Wait a minute and try again."),
}


@contextmanager
def as_storage_errors(bucket: str) -> Iterator[None]:
    """Turn the errors of boto3 inside the block into a StorageError that names the bucket."""
    try:
        yield
    except TimeoutError:
        raise _storage_error(bucket, TIMED_OUT) from None
    except Exception as error:
        if not raised_by_boto(error):
            raise
        # boto3 is imported already if the error is its own; otherwise that takes 100 ms.
        from botocore.exceptions import ClientError  # noqa: PLC0415

        if isinstance(error, ClientError):
            words = credentials_trouble(error) or _refusal(error)
        else:
            words = credentials_trouble(error) or request_trouble(error)
        raise _storage_error(bucket, words) from None


def may_be_mended(error: Exception) -> bool:
    """Return whether other credentials or settings may help: the next client may find them."""
    if not raised_by_boto(error):
        return False
    from botocore.exceptions import (  # noqa: PLC0415
        ClientError,
        ConnectionClosedError,
        IncompleteReadError,
        ReadTimeoutError,
        ResponseStreamingError,
    )

    if isinstance(error, ClientError):
        status, _ = answer_of(error)
        return status in {301, 307, 400, 401, 403}
    # S3 was reached, and didn't answer or broke off.
    broken_off = (ConnectionClosedError, IncompleteReadError, ResponseStreamingError)
    return not isinstance(error, (ReadTimeoutError, *broken_off))


def _storage_error(bucket: str, words: Explanation) -> StorageError:
    happened, hint = words
    return StorageError("S3", f"S3 bucket {bucket} {happened}.", hint)


def answer_of(error: ClientError) -> tuple[int, str]:
    """Return the HTTP status and the error code of S3's answer."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status, error.response.get("Error", {}).get("Code", "")


def _refusal(error: ClientError) -> Explanation:
    status, code = answer_of(error)
    known = _ANSWERS.get(code) or _ANSWERS.get(str(status))
    if known is None:
        return (
            f"answered {error.operation_name} with {code or 'an error'} (HTTP {status})",
            "Try again; if it happens again, look the code up in Amazon's list of S3 error codes.",
        )
    happened, hint = known
    return f"{happened} ({code or f'HTTP {status}'}, on {error.operation_name})", hint
