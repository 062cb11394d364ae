"""Setting up a bucket, so that Twilio can read its prefix and documents there expire.

New AWS buckets block public policies, so that block is lifted before the policy is set. Services
other than AWS may know no such block, and some have no policies or no rules for expiry either.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from storage.s3_errors import answer_of

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from types_boto3_s3 import S3Client
    from types_boto3_s3.literals import BucketLocationConstraintType
    from types_boto3_s3.type_defs import LifecycleRuleTypeDef, LifecycleRuleUnionTypeDef

# Waits between tries to set the policy, until S3 has noticed that the block is lifted.
POLICY_RETRY_SECONDS = (1, 2, 4)

# How services say that they don't have an operation, besides the HTTP statuses for it. A service
# that ignores unknown parameters takes a new setting of a bucket for a request to create the
# bucket.
_NOT_OFFERED = (
    "NotImplemented",
    "MethodNotAllowed",
    "UnsupportedOperation",
    "NotSupported",
    "BucketAlreadyOwnedByYou",
    "BucketAlreadyExists",
)
_NO_POLICIES = (
    "This service has no bucket policies: make {prefix} readable for everyone with the service's "
    "own tools, and set public_base_url (S3_PUBLIC_BASE_URL) to the address where it can be read."
)
_NO_LIFECYCLE = (
    "This service does not expire documents: delete those under {prefix} that are older than "
    "{days} days yourself."
)


class _NotAPolicyError(Exception):
    """The service answers a request for the bucket's policy with something else."""


def prepare_bucket(
    client: S3Client, bucket: str, prefix: str, expire_days: int, done: list[str]
) -> None:
    """Do the steps that are still needed, and add a sentence to `done` after each.

    A service other than AWS may not have one of them: then the sentence says so. Raise boto3's
    errors.
    """
    done.append(_create(client, bucket))
    done.append(_allow_public_policies(client, bucket))
    done.append(_make_prefix_readable(client, bucket, prefix))
    done.append(_expire_prefix(client, bucket, prefix, expire_days))


def _create(client: S3Client, bucket: str) -> str:
    # Check first: in us-east-1, creating your own bucket again succeeds and resets its ACLs.
    if _exists(client, bucket):
        return f"The bucket {bucket} exists."
    region = client.meta.region_name
    try:
        if region == "us-east-1":
            client.create_bucket(Bucket=bucket)
        else:
            location: BucketLocationConstraintType = region  # type: ignore[assignment]
            client.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": location}
            )
    except client.exceptions.BucketAlreadyOwnedByYou:
        return f"The bucket {bucket} exists."
    return f"Created the bucket {bucket} in {region}."


def _exists(client: S3Client, bucket: str) -> bool:
    try:
        client.head_bucket(Bucket=bucket)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
            return False
        raise
    return True


def _allow_public_policies(client: S3Client, bucket: str) -> str:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"""
    try:
        found = client.get_public_access_block(Bucket=bucket)
    except client.exceptions.ClientError as error:
        if not (_is_not_set(error) or _is_not_offered(error)):
            raise
        found = None
    # A service that ignores unknown parameters answers with a list of the bucket's objects.
    block = found.get("PublicAccessBlockConfiguration") if found else None
    if not block or not (block.get("BlockPublicPolicy") or block.get("RestrictPublicBuckets")):
        return "No block on public bucket policies was in the way."
    # Keep the block on public ACLs: only the bucket policy has to get through.
    client.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            **block,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )
    return "Lifted the block on public bucket policies; public ACLs stay as they were."


def _make_prefix_readable(client: S3Client, bucket: str, prefix: str) -> str:
    resource = f"arn:{client.meta.partition}:s3:::{bucket}/{prefix}*"
    try:
        policy = _policy(client, bucket)
        if any(_lets_anyone_read(statement, resource) for statement in policy["Statement"]):
            return f"Anyone who knows a document's URL under {prefix} can read it already."
        policy["Statement"].append(
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
        )
        _put_policy(client, bucket, json.dumps(policy))
    except client.exceptions.ClientError as error:
        if not _is_not_offered(error):
            raise
        return _NO_POLICIES.format(prefix=prefix)
    except _NotAPolicyError:
        return _NO_POLICIES.format(prefix=prefix)
    return f"Let anyone who knows a document's URL under {prefix} read it."


def _policy(client: S3Client, bucket: str) -> dict[str, Any]:
    """Return the bucket's policy with a list of statements; raise _NotAPolicyError."""
    try:
        text = client.get_bucket_policy(Bucket=bucket)["Policy"]
    except client.exceptions.ClientError as error:
        if not _is_not_set(error):
            raise
        text = ""
    except KeyError:
        text = ""
    try:
        # Some services answer with nothing or with `null` if there is no policy.
        policy = json.loads(text.strip() or "null") or {}
        # IAM allows a single statement without a list around it.
        statements = policy.get("Statement") or []
        statements = [statements] if isinstance(statements, dict) else list(statements)
    except (ValueError, TypeError, AttributeError):
        raise _NotAPolicyError from None
    if not all(isinstance(statement, dict) for statement in statements):
        raise _NotAPolicyError
    return {"Version": "2012-10-17", **policy, "Statement": statements}


def _lets_anyone_read(statement: dict[str, Any], resource: str) -> bool:
    return (
        statement.get("Effect") == "Allow"
        and statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        and statement.get("Action") in ("s3:GetObject", ["s3:GetObject"])
        and statement.get("Resource") in (resource, [resource])
        and "Condition" not in statement
    )


def _put_policy(client: S3Client, bucket: str, policy: str) -> None:
    for seconds in (*POLICY_RETRY_SECONDS, None):
        try:
            client.put_bucket_policy(Bucket=bucket, Policy=policy)
        except client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            # It takes a moment until all of S3 knows that the block is lifted.
            if seconds is None or code not in ("AccessDenied", "OperationAborted"):
                raise
            time.sleep(seconds)
        else:
            return


def _expire_prefix(client: S3Client, bucket: str, prefix: str, days: int) -> str:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html"""
    rule: LifecycleRuleTypeDef = {
        "ID": f"expire {prefix}",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": days},
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
    }
    try:
        kept, settings = _other_rules(client, bucket, rule["ID"])
        try:
            _put_rules(client, bucket, [*kept, rule], settings)
        except client.exceptions.ClientError as error:
            if answer_of(error)[0] != HTTPStatus.BAD_REQUEST:
                raise
            # Services without versions of objects don't know what a noncurrent version is.
            del rule["NoncurrentVersionExpiration"]
            _put_rules(client, bucket, [*kept, rule], settings)
    except client.exceptions.ClientError as error:
        if not (_is_not_offered(error) or answer_of(error)[0] == HTTPStatus.BAD_REQUEST):
            raise
        return _NO_LIFECYCLE.format(prefix=prefix, days=days)
    return f"Documents under {prefix} expire after {days} days."


def expiry_days(client: S3Client, bucket: str, prefix: str) -> int | None:
    """Return after how many days documents under `prefix` expire; None if never.

    Raise boto3's errors, also where the service has no rules for that.
    """
    try:
        found = client.get_bucket_lifecycle_configuration(Bucket=bucket)
    except client.exceptions.ClientError as error:
        if not _is_not_set(error):
            raise
        return None
    days = [
        rule.get("Expiration", {}).get("Days")
        for rule in found.get("Rules", [])
        if rule.get("Status") == "Enabled" and prefix.startswith(_prefix_of(rule))
    ]
    return min((each for each in days if each), default=None)


def _prefix_of(rule: Mapping[str, Any]) -> str:
    """Return a rule's prefix; one that is never ours if the rule has other conditions."""
    chosen = rule.get("Filter", {})
    if chosen.keys() - {"Prefix"}:
        return "\0"
    return str(chosen.get("Prefix", rule.get("Prefix", "")))


def _put_rules(
    client: S3Client, bucket: str, rules: list[LifecycleRuleUnionTypeDef], settings: dict[str, Any]
) -> None:
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": rules}, **settings
    )


def _other_rules(
    client: S3Client, bucket: str, ours: str
) -> tuple[list[LifecycleRuleUnionTypeDef], dict[str, Any]]:
    """Return what to put back, because putting a configuration replaces all of it."""
    try:
        found = client.get_bucket_lifecycle_configuration(Bucket=bucket)
    except client.exceptions.ClientError as error:
        if not _is_not_set(error):
            raise
        return [], {}
    kept: list[LifecycleRuleUnionTypeDef] = [
        rule for rule in found.get("Rules", []) if rule.get("ID") != ours
    ]
    size = found.get("TransitionDefaultMinimumObjectSize")
    return kept, {"TransitionDefaultMinimumObjectSize": size} if size else {}


def _is_not_offered(error: ClientError) -> bool:
    """Return whether the service doesn't have the operation, as MinIO, R2 and Garage say it."""
    status, code = answer_of(error)
    no_such_method = (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED)
    return status in no_such_method or code in _NOT_OFFERED


def _is_not_set(error: ClientError) -> bool:
    """Return whether the bucket is there, but has no such setting."""
    status, code = answer_of(error)
    return status == HTTPStatus.NOT_FOUND and code != "NoSuchBucket"
