"""Sources on S3, from moto's server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rules.sources import s3
from tests.rules.sources.conftest import Lab
from tests.support.broken_server import broken, response
from tests.support.s3_server import SECRET, empty_moto, s3_client
from tests.support.servers import free_port

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> S3Client:
    """A client for the bucket `lab`, where boto3's environment says that S3 is."""
    url = empty_moto()
    for name, value in {
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("rules.sources.sources.REUSE_SECONDS", 0)
    client = s3_client(url)
    client.create_bucket(Bucket="lab")
    return client


def put(client: S3Client, key: str, text: str) -> None:
    client.put_object(Bucket="lab", Key=key, Body=text.encode())


async def test_one_object(lab: Lab, bucket: S3Client):
    put(bucket, "line checks/today.csv", "batch,ppb\n1407,148\n")
    lab.open('[lab]\nurl = "s3://lab/line checks/today.csv"')
    first = await lab.snapshot()
    assert await lab.rows() == [(1407, 148)]
    assert first.newest_at is not None

    lab.open()
    assert (await lab.snapshot()).table.files == first.table.files
    put(bucket, "line checks/today.csv", "batch,ppb\n1408,31\n")
    second = await lab.snapshot()
    assert second.fingerprint != first.fingerprint
    assert await lab.rows() == [(1408, 31)]


@pytest.mark.parametrize("place", ["exports/", "exports/**/*.csv", "exports/**"])
async def test_many_objects_of_which_only_new_ones_are_fetched(
    lab: Lab, bucket: S3Client, place: str
):
    for each in range(12):
        put(bucket, f"exports/2026/{each:02}.csv", f"batch,ppb\n{each},{each}\n")
    put(bucket, "others/1.csv", "weight\n7\n")
    bucket.put_object(Bucket="lab", Key="exports/", Body=b"")
    lab.open(f'[lab]\nurl = "s3://lab/{place}"\nformat = "csv"')
    first = await lab.snapshot()
    assert len(first.table.files) == 12
    assert len(await lab.rows()) == 12

    put(bucket, "exports/2026/12.csv", "batch,ppb\n12,12\n")
    bucket.delete_object(Bucket="lab", Key="exports/2026/00.csv")
    second = await lab.snapshot()
    assert len(set(second.table.files) - set(first.table.files)) == 1
    assert sorted(await lab.rows()) == [(each, each) for each in range(1, 13)]


async def test_an_object_that_is_replaced_while_it_is_fetched(
    lab: Lab, bucket: S3Client, monkeypatch: pytest.MonkeyPatch
):
    put(bucket, "a.csv", "batch\n1\n")
    looked_up = s3._objects

    def replaced_afterwards(*arguments: Any) -> list[Any]:
        found = looked_up(*arguments)
        put(bucket, "a.csv", "batch\n2\n")
        return found

    lab.open('[lab]\nurl = "s3://lab/a.csv"')
    with monkeypatch.context() as patched:
        patched.setattr(s3, "_objects", replaced_afterwards)
        assert "S3 bucket lab got a new version meanwhile. The next check" in await lab.problem()
    assert await lab.rows() == [(2,)]


async def test_a_pattern_stays_within_its_folder(lab: Lab, bucket: S3Client):
    put(bucket, "exports/a1.csv", "batch\n1\n")
    put(bucket, "exports/b1.csv", "batch\n2\n")
    put(bucket, "exports/deep/a1.csv", "batch\n3\n")
    lab.open('[lab]\nurl = "s3://lab/exports/a?.csv"')

    assert await lab.rows() == [(1,)]


@pytest.mark.parametrize(
    "name", ["[!_]*.csv", "[^_]*.csv", "[!_.]?.csv", "[a-c]*.csv", "[!]_]1.csv"]
)
async def test_brackets_in_a_pattern_are_those_of_a_shell(lab: Lab, bucket: S3Client, name: str):
    put(bucket, "exports/a1.csv", "batch\n1\n")
    put(bucket, "exports/_a.csv", "batch\n2\n")
    put(bucket, "exports/_1.csv", "batch\n3\n")
    lab.open(f'[lab]\nurl = "s3://lab/exports/{name}"')

    assert await lab.rows() == [(1,)]


@pytest.mark.parametrize("key", ["a.csv", "exports/"])
async def test_what_answers_is_no_s3(
    lab: Lab, bucket: S3Client, monkeypatch: pytest.MonkeyPatch, key: str
):
    listed = "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>"
    async with broken("read", response("200 OK", listed)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.address)
        lab.open(f'[lab]\nurl = "s3://lab/{key}"\nformat = "csv"')
        assert "what answers for S3 bucket lab isn't S3" in await lab.problem()


async def test_a_range_that_ends_before_it_begins_is_told(lab: Lab, bucket: S3Client):
    put(bucket, "exports/a1.csv", "batch\n1\n")
    lab.open('[lab]\nurl = "s3://lab/exports/[z-a]*.csv"')

    assert "lab has a pattern that can't be read: exports/[z-a]*.csv." in await lab.problem()


async def test_a_file_is_named_in_sentences_as_in_the_bucket(lab: Lab, bucket: S3Client):
    put(bucket, "exports/monday.csv", "batch,ppb\n1407\n")
    lab.open('[lab]\nurl = "s3://lab/exports/monday.csv"')

    assert "line 2 of monday.csv has 1 field, its first line 2" in await lab.problem()


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("s3://lab/none.csv", "S3 bucket lab has no object none.csv. Check the address"),
        ("s3://nowhere/exports/*.csv", "S3 bucket nowhere does not exist"),
        ("s3://lab/exports/*.csv", "S3 bucket lab holds no object like exports/*.csv"),
    ],
)
async def test_what_is_not_there(lab: Lab, bucket: S3Client, place: str, sentence: str):
    lab.open(f'[lab]\nurl = "{place}"')

    said = await lab.problem()
    assert sentence in said
    assert SECRET not in said


async def test_no_credentials(lab: Lab, bucket: S3Client, monkeypatch: pytest.MonkeyPatch):
    put(bucket, "a.csv", "batch\n1\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    credentials = lab.folder / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    lab.open('[lab]\nurl = "s3://lab/a.csv"')

    assert "no AWS credentials were found" in await lab.problem()

    # Once they are there, the app needn't be restarted.
    credentials.write_text(
        f"[default]\naws_access_key_id=AKIATEST\naws_secret_access_key={SECRET}\n"
    )
    assert await lab.rows() == [(1,)]


async def test_a_server_that_is_not_there(
    lab: Lab, bucket: S3Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{free_port()}")
    lab.open('[lab]\nurl = "s3://lab/a.csv"')

    assert "could not be reached: nothing answers at its address" in await lab.problem()
