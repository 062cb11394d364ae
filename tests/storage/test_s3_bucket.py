"""Setting up a bucket: policy, public access block and lifecycle, also more than once."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from storage import StorageError, s3_bucket
from tests.support.s3_server import RecordingS3, empty_moto, s3_client, s3_error, s3_storage
from tests.support.servers import serve

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import PublicAccessBlockConfigurationTypeDef

NEW_AT_AWS: "PublicAccessBlockConfigurationTypeDef" = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
READ = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::twilio-xml/twiml/*",
}


@pytest.fixture
def moto_url():
    return empty_moto()


def policy_of(client, bucket="twilio-xml"):
    return json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])


def rules_of(client, bucket="twilio-xml"):
    return client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]


@pytest.mark.parametrize(
    ("region", "constraint"), [("us-east-1", None), ("eu-central-1", "eu-central-1")]
)
async def test_new_bucket_is_made_in_its_region(moto_url, region, constraint):
    done = await s3_storage(moto_url, region=region, expire_days=3).create_bucket()

    client = s3_client(moto_url, region)
    assert client.get_bucket_location(Bucket="twilio-xml").get("LocationConstraint") == constraint
    assert policy_of(client)["Statement"] == [READ]
    [rule] = rules_of(client)
    assert rule["Filter"] == {"Prefix": "twiml/"}
    assert rule["Expiration"] == {"Days": 3}
    assert done[0] == f"Created the bucket twilio-xml in {region}."
    assert done[-1] == "Documents under twiml/ expire after 3 days."


async def test_existing_block_policy_and_rules_are_kept_but_for_what_is_in_the_way(moto_url):
    client = s3_client(moto_url)
    client.create_bucket(Bucket="twilio-xml")
    client.put_public_access_block(Bucket="twilio-xml", PublicAccessBlockConfiguration=NEW_AT_AWS)
    theirs = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::twilio-xml/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    # A single statement without a list around it is valid.
    client.put_bucket_policy(
        Bucket="twilio-xml", Policy=json.dumps({"Version": "2012-10-17", "Statement": theirs})
    )
    client.put_bucket_lifecycle_configuration(
        Bucket="twilio-xml",
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "logs",
                    "Status": "Enabled",
                    "Filter": {"Prefix": "logs/"},
                    "Expiration": {"Days": 90},
                }
            ]
        },
    )

    await s3_storage(moto_url).create_bucket()

    block = client.get_public_access_block(Bucket="twilio-xml")["PublicAccessBlockConfiguration"]
    assert block == {**NEW_AT_AWS, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
    assert policy_of(client)["Statement"] == [theirs, READ]
    assert {rule["ID"]: rule["Expiration"]["Days"] for rule in rules_of(client)} == {
        "logs": 90,
        "expire twiml/": 7,
    }


async def test_repeating_changes_nothing_but_what_was_asked_for(moto_url):
    await s3_storage(moto_url).create_bucket()
    done = await s3_storage(moto_url, expire_days=2).create_bucket()
    await s3_storage(moto_url, prefix="other").create_bucket()

    client = s3_client(moto_url)
    other = {**READ, "Resource": "arn:aws:s3:::twilio-xml/other/*"}
    assert policy_of(client)["Statement"] == [READ, other]
    assert {rule["ID"]: rule["Expiration"]["Days"] for rule in rules_of(client)} == {
        "expire twiml/": 2,
        "expire other/": 7,
    }
    assert done[0] == "The bucket twilio-xml exists."


async def test_reading_that_is_tied_to_a_condition_is_not_enough(moto_url):
    client = s3_client(moto_url)
    client.create_bucket(Bucket="twilio-xml")
    from_the_office = {**READ, "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}
    policy = {"Version": "2012-10-17", "Statement": [from_the_office]}
    client.put_bucket_policy(Bucket="twilio-xml", Policy=json.dumps(policy))

    await s3_storage(moto_url).create_bucket()

    assert policy_of(client)["Statement"] == [from_the_office, READ]


async def test_whole_bucket_is_never_made_public(moto_url):
    with pytest.raises(StorageError, match="without a prefix"):
        await s3_storage(moto_url, prefix="/").create_bucket()


async def test_bucket_of_another_account_is_an_error():
    answers = s3_error(404, ""), s3_error(409, "BucketAlreadyExists")
    with (
        serve(RecordingS3(*answers)) as url,
        pytest.raises(StorageError, match="belongs to another AWS account"),
    ):
        await s3_storage(url).create_bucket()


async def test_policy_is_tried_again_while_the_lifted_block_settles(moto_url, monkeypatch):
    monkeypatch.setattr(s3_bucket, "POLICY_RETRY_SECONDS", (0, 0))
    no = [s3_error(403, "AccessDenied"), s3_error(409, "OperationAborted")]
    s3 = RecordingS3(*no)
    with serve(s3) as url:
        s3_bucket._put_policy(s3_client(url), "twilio-xml", "{}")
    assert [request.method for request in s3.requests] == ["PUT"] * 3


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        ([], None),
        ([{"Filter": {"Prefix": "twiml/"}, "Expiration": {"Days": 3}}], 3),
        ([{"Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}], 30),
        ([{"Filter": {"Prefix": "other/"}, "Expiration": {"Days": 3}}], None),
        ([{"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 3}}], None),
        (
            [{"Filter": {"Prefix": "twiml/"}, "Expiration": {"Days": 3}, "Status": "Disabled"}],
            None,
        ),
        (
            [
                {"Filter": {"Prefix": "twiml/"}, "Expiration": {"Days": 9}},
                {"Filter": {"Prefix": "tw"}, "Expiration": {"Days": 2}},
            ],
            2,
        ),
    ],
)
@pytest.mark.slow
async def test_after_how_many_days_documents_expire(moto_url, rules, days):
    client = s3_client(moto_url)
    client.create_bucket(Bucket="twilio-xml")
    if rules:
        named: Any = [{"ID": str(n), "Status": "Enabled", **each} for n, each in enumerate(rules)]
        client.put_bucket_lifecycle_configuration(
            Bucket="twilio-xml", LifecycleConfiguration={"Rules": named}
        )
    storage = s3_storage(moto_url)
    try:
        assert await storage.expires_after_days() == days
    finally:
        await storage.close()
