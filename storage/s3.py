"""Documents in an S3 bucket, at AWS or any service that is compatible with S3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from storage.addresses import public_address
from storage.base import Instructions, StorageError, document_bytes, name_in_url, unguessable_name
from storage.s3_bucket import expiry_days, prepare_bucket
from storage.s3_client import S3Connection
from storage.s3_errors import as_storage_errors
from storage.upload_threads import UploadThreads

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

UPLOADS_AT_ONCE = 50
READ_SECONDS = 6.0
UPLOAD_DEADLINE_SECONDS = 15.0
# Setting up a bucket takes about eight requests.
SETUP_DEADLINE_SECONDS = 90.0


class S3Storage:
    """Uploads each document to `bucket` under `prefix`, where anyone with its URL can read it.

    Twilio adds parameters to the query string, which breaks the signature of a presigned URL. So
    the prefix has to be publicly readable: `create_bucket` arranges that, and makes documents
    expire after `expire_days`. `public_base_url` is the address of the bucket's root if it is not
    S3's own, for example a CDN's. boto3's own configuration decides whatever is not passed here.
    See https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """

    def __init__(
        self,
        bucket: str,
        *,
        prefix: str = "twiml/",
        public_base_url: str | None = None,
        expire_days: int = 7,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
    ) -> None:
        self._bucket = _checked_bucket(bucket)
        self._prefix = _checked_prefix(prefix)
        self._public_base_url = public_base_url and public_address(
            "S3", "public address of the S3 bucket", public_base_url
        )
        self._expire_days = _checked_expire_days(expire_days)
        _check_keys(access_key_id, secret_access_key)
        self._connection = S3Connection(
            endpoint_url=endpoint_url,
            region=region,
            profile=profile,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            session_token=session_token,
            connections=UPLOADS_AT_ONCE,
            read_seconds=READ_SECONDS,
            are_objects_public=True,
        )
        self._threads = UploadThreads(UPLOADS_AT_ONCE, UPLOAD_DEADLINE_SECONDS)

    @property
    def label(self) -> str:
        return f"S3 bucket {self._bucket}"

    async def warm_up(self) -> None:
        """Load boto3 now, so that the first upload needn't wait 0.2 s for it.

        If that fails, the first upload tries again, and says what is wrong.
        """
        with suppress(StorageError), as_storage_errors(self._bucket):
            await self._threads.run(self._connection.warm_up)

    async def publish(self, name: str, xml: str) -> Instructions:
        """Upload `xml` in one PUT. The URL contains the region and needs no signature."""
        document = document_bytes("S3", xml)
        key = f"{self._prefix}{unguessable_name(name)}.xml"
        with as_storage_errors(self._bucket):
            return Instructions(url=await self._threads.run(partial(self._put, key, document)))

    async def delete(self, instructions: Instructions) -> None:
        """Remove the object. One that is already gone is not an error."""
        name = name_in_url(instructions.url or "")
        if name is not None:
            with as_storage_errors(self._bucket):
                await self._threads.run(partial(self._remove, f"{self._prefix}{name}.xml"))

    async def create_bucket(self) -> list[str]:
        """Create the bucket if it is missing, and make its prefix public and its documents expire.

        It can be repeated safely: the bucket's other policy statements and lifecycle rules stay.
        Return what was done, one sentence for each step. If a step fails, the StorageError says
        what was done before it.
        """
        if not self._prefix:
            raise StorageError(
                "S3",
                f"S3 bucket {self._bucket} cannot be set up without a prefix: "
                "everything in it would become public and then expire.",
                "Set a prefix, such as twiml/.",
            )
        done: list[str] = []
        setup = UploadThreads(1, SETUP_DEADLINE_SECONDS)
        try:
            with as_storage_errors(self._bucket):
                await setup.run(partial(self._prepare, done))
        except StorageError as problem:
            if not done:
                raise
            message = f"{problem.message} Done before that: {' '.join(done)}"
            raise StorageError("S3", message, problem.hint) from None
        finally:
            setup.close()
        return done

    async def expires_after_days(self) -> int | None:
        """Return after how many days the bucket deletes documents by itself; None if never."""
        with as_storage_errors(self._bucket):
            return await self._threads.run(self._expiry_days)

    async def close(self) -> None:
        """Accept no more documents, and let running uploads finish."""
        self._threads.close()

    def _put(self, key: str, document: bytes) -> str:
        with self._client() as client:
            client.put_object(Bucket=self._bucket, Key=key, Body=document, ContentType="text/xml")
            return self._url(client, key)

    def _url(self, client: S3Client, key: str) -> str:
        if self._public_base_url:
            return f"{self._public_base_url}/{key}"
        # Not signed after all (see s3_client.py): simply the address that the upload went to.
        return client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}
        )

    def _remove(self, key: str) -> None:
        with self._client() as client:
            client.delete_object(Bucket=self._bucket, Key=key)

    def _prepare(self, done: list[str]) -> None:
        with self._client() as client:
            prepare_bucket(client, self._bucket, self._prefix, self._expire_days, done)

    def _expiry_days(self) -> int | None:
        with self._client() as client:
            return expiry_days(client, self._bucket, self._prefix)

    @contextmanager
    def _client(self) -> Iterator[S3Client]:
        with self._connection.client() as client:
            _check_endpoint(client.meta.endpoint_url, self._bucket)
            yield client


def _checked_bucket(bucket: str) -> str:
    """Return `bucket`. Raise StorageError if no bucket can have this name."""
    # Old buckets in us-east-1 may have capitals and underscores in their names.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", bucket):
        raise StorageError(
            "S3",
            f"{bucket!r} cannot be the name of an S3 bucket.",
            "Use 3 to 63 lower-case letters, digits and hyphens.",
        )
    return bucket


def _checked_prefix(prefix: str) -> str:
    """Return the prefix with one slash at its end. Raise StorageError for special characters."""
    folders = [folder for folder in prefix.split("/") if folder]
    # A * or ? would make the bucket's policy cover more, and HTTP clients resolve "." and "..".
    if not all(re.fullmatch(r"(?!\.+$)[A-Za-z0-9._-]+", folder) for folder in folders):
        raise StorageError(
            "S3",
            f"{prefix!r} is not a usable prefix in S3.",
            "Use letters, digits, dots, hyphens, underscores and slashes, such as twiml/.",
        )
    return "".join(f"{folder}/" for folder in folders)


def _checked_expire_days(days: int) -> int:
    """Return the number of days. Raise StorageError if it is below S3's minimum of one."""
    if days < 1:
        raise StorageError(
            "S3",
            f"Documents in S3 cannot expire after {days} days.",
            "Set 1 or more days.",
        )
    return days


def _check_keys(access_key_id: str | None, secret_access_key: str | None) -> None:
    """Raise StorageError if only one of them is set."""
    if bool(access_key_id) != bool(secret_access_key):
        raise StorageError(
            "S3",
            "Half of the AWS credentials is missing.",
            "Set both the access key ID and the secret access key, or neither.",
        )


def _check_endpoint(endpoint_url: str, bucket: str) -> None:
    """Raise StorageError if the endpoint contains the bucket, which boto3 adds by itself.

    Documents would otherwise go to a folder that is named like the bucket, or nowhere.
    """
    parts = urlsplit(endpoint_url)
    host = parts.hostname or ""
    rest = host.removeprefix(f"{bucket.lower()}.")
    # storage.example.com may be the whole address of a service, and have a bucket "storage".
    in_host = rest != host and (rest.count(".") > 1 or rest.startswith("s3"))
    if in_host or parts.path.rstrip("/").endswith(f"/{bucket}"):
        raise StorageError(
            "S3",
            f"S3 bucket {bucket} cannot be used: the address of its service contains the bucket.",
            "Set AWS_ENDPOINT_URL_S3 (or AWS_ENDPOINT_URL) to the address without the bucket.",
        )
