"""Setting up a bucket, so that Twilio can read its prefix and documents there expire.

New AWS buckets block public policies, so that block is lifted before the policy is set.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.literals import BucketLocationConstraintType
    from types_boto3_s3.type_defs import LifecycleRuleUnionTypeDef

# Waits between tries to set the policy, until S3 has noticed that the block is lifted.
POLICY_RETRY_SECONDS = (1, 2, 4)


def prepare_bucket(client: S3Client, bucket: str, prefix: str, expire_days: int) -> list[str]:
    """Do the steps that are still needed. Return a sentence for each; raise botocore's errors."""
    return [
        _create(client, bucket),
        _allow_public_policies(client, bucket),
        _make_prefix_readable(client, bucket, prefix),
        _expire_prefix(client, bucket, prefix, expire_days),
    ]


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
        block = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
            raise
        return "No block on public bucket policies was in the way."
    if not block.get("BlockPublicPolicy") and not block.get("RestrictPublicBuckets"):
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
    policy = _policy(client, bucket)
    if any(_lets_anyone_read(statement, resource) for statement in policy["Statement"]):
        return f"Anyone who knows a document's URL under {prefix} can read it already."
    policy["Statement"].append(
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    )
    _put_policy(client, bucket, json.dumps(policy))
    return f"Let anyone who knows a document's URL under {prefix} read it."


def _policy(client: S3Client, bucket: str) -> dict[str, Any]:
    try:
        policy: dict[str, Any] = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return {"Version": "2012-10-17", "Statement": []}
    # IAM allows a single statement without a list around it.
    if isinstance(policy["Statement"], dict):
        policy["Statement"] = [policy["Statement"]]
    return policy


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
    rule: LifecycleRuleUnionTypeDef = {
        "ID": f"expire {prefix}",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": days},
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
    }
    # Putting a configuration replaces all of it, so put the other rules back.
    kept: list[LifecycleRuleUnionTypeDef] = []
    settings: dict[str, Any] = {}
    try:
        found = client.get_bucket_lifecycle_configuration(Bucket=bucket)
        kept += [other for other in found["Rules"] if other.get("ID") != rule["ID"]]
        if size := found.get("TransitionDefaultMinimumObjectSize"):
            settings["TransitionDefaultMinimumObjectSize"] = size
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": [*kept, rule]}, **settings
    )
    return f"Documents under {prefix} expire after {days} days."
