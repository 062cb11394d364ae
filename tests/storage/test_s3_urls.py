"""The URLs that documents in S3 get: regional, plain, and right for every kind of bucket."""

import re
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from botocore import handlers
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws
from starlette.responses import Response

from tests.support.s3_server import (
    XML,
    RecordingS3,
    s3_error,
    s3_storage,
)
from tests.support.servers import serve


async def test_url_of_a_bucket_in_another_region_carries_that_region(monkeypatch):
    hosts = []

    def answer_at_amazon(request, **_):
        hosts.append(urlsplit(request.url).hostname)
        reply = s3_error(301, "PermanentRedirect") if len(hosts) == 1 else Response()
        headers = HTTPHeaders()
        headers["x-amz-bucket-region"] = "eu-north-1"
        raw = SimpleNamespace(stream=lambda **_: iter([bytes(reply.body)]))
        return AWSResponse(request.url, reply.status_code, headers, raw)

    # botocore's own hook for answering without a network, which moto uses too.
    hook = ("before-send.s3", answer_at_amazon)
    monkeypatch.setattr(handlers, "BUILTIN_HANDLERS", [*handlers.BUILTIN_HANDLERS, hook])
    instructions = await s3_storage(None).publish("ann", XML)

    right = "twilio-xml.s3.eu-north-1.amazonaws.com"
    assert hosts == ["twilio-xml.s3.us-east-1.amazonaws.com", right]
    assert str(instructions.url).startswith(f"https://{right}/twiml/ann-")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bucket", "region", "start"),
    [
        ("twilio-xml", "us-east-1", "https://twilio-xml.s3.us-east-1.amazonaws.com/twiml/ann-"),
        ("twilio-xml", "eu-west-1", "https://twilio-xml.s3.eu-west-1.amazonaws.com/twiml/ann-"),
        ("xml.acme.io", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/xml.acme.io/twiml/ann-"),
        ("Old_Bucket", "us-east-1", "https://s3.us-east-1.amazonaws.com/Old_Bucket/twiml/ann-"),
        ("xml", "cn-north-1", "https://xml.s3.cn-north-1.amazonaws.com.cn/twiml/ann-"),
    ],
)
async def test_urls_at_amazon_carry_the_region(bucket, region, start, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    with mock_aws():
        storage = s3_storage(None, bucket, region=region)
        if bucket != "Old_Bucket":
            await storage.create_bucket()
        else:
            # S3 allows such a name only for old buckets, but moto accepts it.
            with storage._connection.client() as client:
                client.create_bucket(Bucket=bucket)
        instructions = await storage.publish("ann", XML)

    assert re.fullmatch(re.escape(start) + r"[0-9a-f]{32}\.xml", str(instructions.url))


async def test_region_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    with mock_aws():
        storage = s3_storage(None, region=None)
        await storage.create_bucket()
        instructions = await storage.publish("ann", XML)

    assert str(instructions.url).startswith("https://twilio-xml.s3.ap-south-1.amazonaws.com/")


async def test_endpoint_comes_from_boto3s_own_variable(monkeypatch):
    s3 = RecordingS3()
    with serve(s3) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        storage = s3_storage(None)
        instructions = await storage.publish("ann", XML)
        await storage.close()

    assert s3.requests[0].url.path.startswith("/twilio-xml/twiml/ann-")
    assert str(instructions.url).startswith(f"{url}/twilio-xml/twiml/ann-")


@pytest.mark.parametrize("base", ["https://cdn.example.com/x", "https://cdn.example.com/x/"])
async def test_public_base_url_wins(base):
    s3 = RecordingS3()
    with serve(s3) as url:
        storage = s3_storage(url, prefix="/calls", public_base_url=base)
        instructions = await storage.publish("ann", XML)
        await storage.close()

    key = s3.requests[0].url.path.removeprefix("/twilio-xml/")
    assert key.startswith("calls/ann-")
    assert instructions.url == f"https://cdn.example.com/x/{key}"
