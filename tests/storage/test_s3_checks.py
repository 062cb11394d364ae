"""What an S3 storage refuses to be set up with, and what it shows of itself."""

import pytest

from storage import S3Storage, StorageError
from tests.support.s3_server import (
    SECRET,
    s3_storage,
)


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
