"""Setting up buckets at services that aren't AWS: what they lack is said, and the rest is done."""

import json

import pytest
from starlette.responses import Response

from storage import StorageError
from tests.support.s3_server import OtherS3, empty_moto, s3_client, s3_error, s3_storage
from tests.support.servers import serve

pytestmark = pytest.mark.slow

BLOCK, POLICY, RULES = "publicAccessBlock", "policy", "lifecycle"
NOT_IMPLEMENTED = s3_error(501, "NotImplemented")
NOT_ALLOWED = s3_error(405, "MethodNotAllowed")
# What a service answers that ignores a setting it doesn't know.
LISTING = Response(
    "<ListBucketResult><Name>twilio-xml</Name></ListBucketResult>", media_type="application/xml"
)
CREATED_BEFORE = s3_error(409, "BucketAlreadyOwnedByYou")
PAGE = Response("<html><br>Not implemented</html>", 501, media_type="text/html")

READABLE = "Let anyone who knows a document's URL under twiml/ read it."
NO_POLICIES = "This service has no bucket policies"
EXPIRE = "Documents under twiml/ expire after 7 days."
NO_EXPIRY = "This service does not expire documents"


@pytest.mark.parametrize(
    ("answers", "readable", "expire"),
    [
        pytest.param({}, READABLE, EXPIRE, id="AWS"),
        pytest.param({BLOCK: NOT_IMPLEMENTED}, READABLE, EXPIRE, id="MinIO"),
        pytest.param({BLOCK: NOT_ALLOWED}, READABLE, EXPIRE, id="405"),
        pytest.param({BLOCK: s3_error(404, "NoSuchKey")}, READABLE, EXPIRE, id="404"),
        pytest.param({BLOCK: LISTING}, READABLE, EXPIRE, id="old Ceph"),
        pytest.param({BLOCK: PAGE}, READABLE, EXPIRE, id="a page of a proxy"),
        pytest.param(
            {BLOCK: NOT_IMPLEMENTED, POLICY: NOT_IMPLEMENTED}, NO_POLICIES, EXPIRE, id="R2"
        ),
        pytest.param(
            {BLOCK: NOT_IMPLEMENTED, "PUT policy": NOT_IMPLEMENTED, RULES: NOT_IMPLEMENTED},
            NO_POLICIES,
            NO_EXPIRY,
            id="old SeaweedFS",
        ),
        pytest.param(
            {BLOCK: NOT_ALLOWED, POLICY: NOT_ALLOWED, RULES: NOT_ALLOWED},
            NO_POLICIES,
            NO_EXPIRY,
            id="405 to all",
        ),
        pytest.param(
            {
                BLOCK: LISTING,
                "GET policy": LISTING,
                "PUT policy": CREATED_BEFORE,
                "GET lifecycle": LISTING,
                "PUT lifecycle": CREATED_BEFORE,
            },
            NO_POLICIES,
            NO_EXPIRY,
            id="settings ignored",
        ),
        pytest.param({"GET policy": Response("")}, READABLE, EXPIRE, id="empty policy"),
        pytest.param({"GET policy": Response("null")}, READABLE, EXPIRE, id="null policy"),
        pytest.param({"GET policy": Response("{}")}, READABLE, EXPIRE, id="policy of nothing"),
        pytest.param({"GET policy": Response("[1]")}, NO_POLICIES, EXPIRE, id="a list"),
        pytest.param(
            {"GET policy": Response('{"Statement": ["x"]}')},
            NO_POLICIES,
            EXPIRE,
            id="no statements",
        ),
        pytest.param({"GET policy": Response("public")}, NO_POLICIES, EXPIRE, id="a word"),
        pytest.param(
            {"PUT lifecycle": s3_error(400, "InvalidRequest")},
            READABLE,
            NO_EXPIRY,
            id="no rules",
        ),
    ],
)
async def test_what_a_service_lacks(answers, readable, expire):
    moto = empty_moto()
    with serve(OtherS3(moto, answers)) as url:
        done = await s3_storage(url).create_bucket()

    assert done[0] == "Created the bucket twilio-xml in us-east-1."
    assert done[2].startswith(readable)
    assert done[3].startswith(expire)
    assert ("S3_PUBLIC_BASE_URL" in done[2]) == (readable is NO_POLICIES)
    client = s3_client(moto)
    if readable is READABLE:
        policy = json.loads(client.get_bucket_policy(Bucket="twilio-xml")["Policy"])
        assert policy["Version"] == "2012-10-17"
        assert len(policy["Statement"]) == 1
    if expire is EXPIRE:
        assert client.get_bucket_lifecycle_configuration(Bucket="twilio-xml")["Rules"]


class WithoutVersions(OtherS3):
    """Refuses rules that speak of versions of objects, as services without versions do."""

    async def _answer_of_moto(self, request):
        if b"NoncurrentVersionExpiration" in await request.body():
            return s3_error(400, "MalformedXML")
        return await super()._answer_of_moto(request)


async def test_service_without_versions_of_objects_still_expires_documents():
    moto = empty_moto()
    with serve(WithoutVersions(moto, {})) as url:
        done = await s3_storage(url).create_bucket()
    assert done[3] == EXPIRE
    [rule] = s3_client(moto).get_bucket_lifecycle_configuration(Bucket="twilio-xml")["Rules"]
    assert rule["Expiration"] == {"Days": 7}


@pytest.mark.parametrize(
    ("answers", "said", "done", "not_done"),
    [
        ({BLOCK: s3_error(403, "AccessDenied")}, "GetPublicAccessBlock", "Created", "No block"),
        (
            {"PUT policy": s3_error(400, "MalformedPolicy")},
            "PutBucketPolicy",
            "No block",
            "Let any",
        ),
        ({RULES: s3_error(403, "AccessDenied")}, "BucketLifecycle", READABLE, "expire after"),
    ],
)
async def test_failing_step_says_what_was_done_before_it(answers, said, done, not_done):
    with (
        serve(OtherS3(empty_moto(), answers)) as url,
        pytest.raises(StorageError) as caught,
    ):
        await s3_storage(url).create_bucket()
    message = caught.value.message
    assert said in message
    assert message.index(said) < message.index("Done before that: Created the bucket twilio-xml")
    assert done in message
    assert not_done not in message


async def test_settings_of_a_bucket_carry_the_checksum_that_ceph_asks_for():
    other = OtherS3(empty_moto(), {})
    with serve(other) as url:
        await s3_storage(url).create_bucket()
    settings = [
        request for request in other.requests if request.method == "PUT" and request.query_params
    ]
    assert len(settings) == 2
    assert all("content-md5" in request.headers for request in settings)


@pytest.mark.parametrize(
    ("endpoint", "refused"),
    [
        ("https://twilio-xml.s3.eu-west-1.amazonaws.com", True),
        ("https://twilio-xml.fra1.digitaloceanspaces.com/", True),
        ("http://twilio-xml.s3.localhost:9000", True),
        ("http://127.0.0.1:9/twilio-xml", True),
        ("http://127.0.0.1:9/s3/twilio-xml/", True),
        ("http://127.0.0.1:9/s3", False),
        ("http://127.0.0.1:9/my-twilio-xml", False),
        ("http://twilio-xml.invalid:9", False),
    ],
)
async def test_endpoint_that_contains_the_bucket(endpoint, refused):
    with pytest.raises(StorageError) as caught:
        await s3_storage(endpoint).publish("ann", "<Response/>")
    assert ("contains the bucket" in caught.value.message) == refused
    assert ("AWS_ENDPOINT_URL_S3" in caught.value.hint) == refused
