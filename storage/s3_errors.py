"""S3's and boto3's errors in plain words: what happened to the bucket, and what to check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage.base import StorageError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_KEYS = "Check the access key ID and the secret access key."
_SESSION = "Renew the session: sign in again, or fetch new temporary credentials."
_CLOCK = "Set this machine's clock: S3 accepts a difference of up to 15 minutes."
_PERMISSION = (
    "Check that these credentials may do this, that the bucket is yours, and that the account "
    "itself does not block public access."
)

# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_ANSWERS: dict[str, tuple[str, str]] = {
    "NoSuchBucket": ("does not exist", "Check its name, or create it."),
    "AccessDenied": ("refused access", _PERMISSION),
    "403": ("refused access", _PERMISSION),
    "AllAccessDisabled": ("is disabled", "Ask the owner of the AWS account."),
    "AccountProblem": ("is blocked by a problem with the account", "Ask the account's owner."),
    "InvalidAccessKeyId": ("does not know the access key ID", _KEYS),
    "SignatureDoesNotMatch": ("did not accept the secret access key", _KEYS),
    "ExpiredToken": ("did not accept the session: it has expired", _SESSION),
    "InvalidToken": ("did not accept the session token", _SESSION),
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

_NOT_REACHED: dict[str, tuple[str, str]] = {
    "NoCredentialsError": (
        "cannot be used: no AWS credentials were found",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile or role.",
    ),
    "PartialCredentialsError": ("cannot be used: half of the AWS credentials is missing", _KEYS),
    "ProfileNotFound": (
        "cannot be used: the AWS profile was not found",
        "Check the profile's name against ~/.aws/config.",
    ),
    "InvalidRegionError": ("cannot be used: the region's name is malformed", "Check the region."),
    "UnauthorizedSSOTokenError": ("did not accept the session: it has expired", _SESSION),
    "SSOTokenLoadError": ("cannot be used: there is no AWS SSO session", _SESSION),
    "EndpointConnectionError": (
        "could not be reached: nothing answers at its address",
        "Check the network, the region and the endpoint's URL.",
    ),
    "ProxyConnectionError": ("could not be reached through the proxy", "Check HTTPS_PROXY."),
    "SSLError": (
        "could not be reached safely: its TLS certificate was not accepted",
        "Check the endpoint's URL, and AWS_CA_BUNDLE if the certificate is your own.",
    ),
}

_TIMED_OUT = (
    "did not answer in time",
    "Check the network, the region and the endpoint's URL, then try again.",
)


@contextmanager
def as_storage_errors(bucket: str) -> Iterator[None]:
    """Turn the errors of boto3 inside the block into a StorageError that names the bucket."""
    try:
        yield
    except TimeoutError:
        raise _storage_error(bucket, _TIMED_OUT) from None
    except Exception as error:
        # Imported here because it takes 100 ms; if the error is boto3's, it is already imported.
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        if isinstance(error, ClientError):
            raise _storage_error(bucket, _answer(error)) from None
        if isinstance(error, BotoCoreError | ValueError):
            raise _storage_error(bucket, _not_reached(error)) from None
        raise


def _storage_error(bucket: str, explanation: tuple[str, str]) -> StorageError:
    happened, hint = explanation
    return StorageError("S3", f"S3 bucket {bucket} {happened}.", hint)


def _answer(error: ClientError) -> tuple[str, str]:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    known = _ANSWERS.get(code) or _ANSWERS.get(str(status))
    if known is None:
        return (
            f"answered {error.operation_name} with {code or 'an error'} (HTTP {status})",
            "Try again; if it happens again, look the code up in Amazon's list of S3 error codes.",
        )
    happened, hint = known
    return f"{happened} ({code}, on {error.operation_name})", hint


def _not_reached(error: BotoCoreError | ValueError) -> tuple[str, str]:
    # Newer botocore errors are subclasses of these, so use the nearest base class that is known.
    for kind in type(error).__mro__:
        if kind.__name__ in _NOT_REACHED:
            return _NOT_REACHED[kind.__name__]
    if "Timeout" in type(error).__name__:
        return _TIMED_OUT
    return (
        f"could not be used ({type(error).__name__})",
        "Check the AWS settings: credentials, region and endpoint.",
    )
