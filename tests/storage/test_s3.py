"""Publishing to S3: what is sent and stored, which URL it gets, and which arguments are refused."""

import asyncio
import re

import pytest

from storage import Instructions, S3Storage, StorageError
from tests.support.s3_server import (
    SECRET,
    XML,
    RecordingS3,
    empty_moto,
    fetched,
    s3_client,
    s3_error,
    s3_storage,
)
from tests.support.servers import serve


@pytest.fixture
def moto_url():
    return empty_moto()


async def test_published_document_is_read_by_plain_get_with_twilios_parameters(moto_url):
    storage = s3_storage(moto_url)
    await storage.create_bucket()

    instructions = await storage.publish("2026-11-23 09:42 Ann", XML)

    assert instructions.url is not None
    assert re.fullmatch(
        moto_url + r"/twilio-xml/twiml/2026-11-23-09-42-ann-[0-9a-f]{32}\.xml", instructions.url
    )
    answer = await fetched(instructions.url, CallSid="CA1", From="+15550001111")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml"
    assert answer.content.decode() == XML


async def test_same_name_twice_never_overwrites(moto_url):
    storage = s3_storage(moto_url)
    await storage.create_bucket()

    both = await asyncio.gather(storage.publish("ann", "<A/>"), storage.publish("ann", "<B/>"))

    assert [(await fetched(each.url)).text for each in both] == ["<A/>", "<B/>"]


async def test_deleted_document_is_gone_and_deleting_again_is_fine(moto_url):
    storage = s3_storage(moto_url)
    await storage.create_bucket()
    instructions = await storage.publish("ann", XML)
    kept = await storage.publish("bob", XML)

    await storage.delete(instructions)
    await storage.delete(instructions)
    await storage.delete(Instructions(url="https://elsewhere.example/other.xml"))

    keys = [
        item["Key"] for item in s3_client(moto_url).list_objects(Bucket="twilio-xml")["Contents"]
    ]
    assert [str(kept.url).endswith(key) for key in keys] == [True]


async def test_warm_publish_is_exactly_one_put():
    s3 = RecordingS3()
    with serve(s3) as url:
        storage = s3_storage(url)
        await storage.publish("first", XML)
        s3.requests.clear()
        s3.bodies.clear()
        await storage.publish("second", XML)
        await storage.close()

    assert [request.method for request in s3.requests] == ["PUT"]
    headers = s3.requests[0].headers
    assert headers["content-type"] == "text/xml"
    assert "expect" not in headers
    assert "content-encoding" not in headers
    assert "x-amz-acl" not in headers
    assert s3.bodies == [XML.encode()]


async def test_warming_up_sends_nothing_and_changes_no_key():
    s3 = RecordingS3()
    with serve(s3) as url:
        storage = s3_storage(url)
        await storage.warm_up()
        assert not s3.requests
        await storage.publish("ann", XML)
        await storage.close()

    assert "Credential=AKIATEST/" in s3.requests[0].headers["authorization"]


async def test_fifty_at_once_all_arrive():
    s3 = RecordingS3()
    with serve(s3) as url:
        storage = s3_storage(url)
        published = await asyncio.gather(*(storage.publish("ann", XML) for _ in range(50)))
        await storage.close()

    assert len(s3.requests) == 50
    assert len({each.url for each in published}) == 50


async def test_bucket_in_another_region_is_found_and_remembered():
    redirect = s3_error(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")
    s3 = RecordingS3(redirect)
    with serve(s3) as url:
        storage = s3_storage(url)
        await storage.publish("ann", XML)
        await storage.publish("ann", XML)
        await storage.close()

    regions = [request.headers["authorization"].split("/")[2] for request in s3.requests]
    assert regions == ["us-east-1", "eu-west-1", "eu-west-1"]


@pytest.mark.parametrize("prefix", ["a/../b", "*", "a?", "${aws:username}/", "ä", "a b", "."])
def test_prefix_that_would_widen_the_policy_is_refused(prefix):
    with pytest.raises(StorageError, match="prefix"):
        S3Storage("twilio-xml", prefix=prefix)


@pytest.mark.parametrize("bucket", ["", "ab", "a/b", "a b", "arn:aws:s3:::x", "x" * 64])
def test_unusable_bucket_name_is_refused(bucket):
    with pytest.raises(StorageError, match="name of an S3 bucket"):
        S3Storage(bucket)


def test_half_of_the_credentials_is_refused():
    with pytest.raises(StorageError, match="Half of the AWS credentials"):
        S3Storage("twilio-xml", access_key_id="AKIATEST")
    with pytest.raises(StorageError, match="Half of the AWS credentials"):
        S3Storage("twilio-xml", secret_access_key=SECRET)


def test_expiry_below_a_day_is_refused():
    with pytest.raises(StorageError, match="after 0 days"):
        S3Storage("twilio-xml", expire_days=0)


async def test_document_beyond_64_kb_is_refused_before_any_upload():
    storage = s3_storage("http://127.0.0.1:9")
    with pytest.raises(StorageError, match="65,537 bytes long"):
        await storage.publish("ann", "x" * 65_537)


def test_label_names_the_bucket_and_nothing_shows_the_secret():
    storage = s3_storage(None)
    assert storage.label == "S3 bucket twilio-xml"
    assert SECRET not in repr(storage) + repr(storage._connection)
