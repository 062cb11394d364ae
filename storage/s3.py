"""Documents in an S3 bucket, or in anything that speaks S3."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from storage.addresses import public_address
from storage.base import Instructions
from storage.documents import document_bytes
from storage.errors import StorageError
from storage.names import name_in_url, unguessable_name
from storage.s3_bucket import prepare_bucket
from storage.s3_checks import check_keys, checked_bucket, checked_expire_days, checked_prefix
from storage.s3_client import S3Connection
from storage.s3_errors import explained
from storage.workers import Workers

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

UPLOADS_AT_ONCE = 50
DEADLINE_SECONDS = 15.0
# Creating a bucket is some eight requests.
SETUP_DEADLINE_SECONDS = 90.0


class S3Storage:
    """Puts each document into `bucket` under `prefix`, where anyone with its URL can read it.

    Twilio adds parameters to the query string, which breaks a presigned URL, so the prefix has to
    be publicly readable: `create_bucket` sees to that and lets documents expire after
    `expire_days`. `public_base_url` is where the bucket's root appears if that is elsewhere, such
    as behind a CDN. Everything else is left to boto3's own configuration unless it is given here.
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
        self._bucket = checked_bucket(bucket)
        self._prefix = checked_prefix(prefix)
        self._public_base_url = public_base_url and public_address(
            "S3", "public address of the S3 bucket", public_base_url
        )
        self._expire_days = checked_expire_days(expire_days)
        check_keys(access_key_id, secret_access_key)
        self._connection = S3Connection(
            endpoint_url=endpoint_url,
            region=region,
            profile=profile,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            session_token=session_token,
            connections=UPLOADS_AT_ONCE,
        )
        self._workers = Workers(UPLOADS_AT_ONCE, DEADLINE_SECONDS)

    @property
    def label(self) -> str:
        return f"S3 bucket {self._bucket}"

    async def publish(self, name: str, xml: str) -> Instructions:
        """Upload `xml` in one PUT; the URL is plain, carries the region and needs no signature."""
        document = document_bytes("S3", xml)
        key = f"{self._prefix}{unguessable_name(name)}.xml"
        with explained(self._bucket):
            return Instructions(url=await self._workers.run(partial(self._put, key, document)))

    async def delete(self, instructions: Instructions) -> None:
        """Remove the object; one that is gone already is no error."""
        name = name_in_url(instructions.url or "")
        if name is not None:
            with explained(self._bucket):
                await self._workers.run(partial(self._remove, f"{self._prefix}{name}.xml"))

    async def create_bucket(self) -> list[str]:
        """Create the bucket if need be, make the prefix readable, and let it expire.

        Safe to repeat: other statements of the bucket's policy and other lifecycle rules stay.
        Returns what was done, a sentence for each step.
        """
        if not self._prefix:
            raise StorageError(
                "S3",
                f"S3 bucket {self._bucket} cannot be set up without a prefix: "
                "all that it holds would become public and then expire.",
                "Set a prefix, such as twiml/.",
            )
        setup = Workers(1, SETUP_DEADLINE_SECONDS)
        try:
            with explained(self._bucket):
                return await setup.run(self._prepare)
        finally:
            setup.close()

    async def close(self) -> None:
        """Take no more documents. Uploads under way end in their own time."""
        self._workers.close()

    def _put(self, key: str, document: bytes) -> str:
        client = self._connection.client()
        client.put_object(Bucket=self._bucket, Key=key, Body=document, ContentType="text/xml")
        return self._url(client, key)

    def _url(self, client: S3Client, key: str) -> str:
        if self._public_base_url:
            return f"{self._public_base_url}/{key}"
        # Unsigned (see s3_client.py): the very address that the upload went to.
        return client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}
        )

    def _remove(self, key: str) -> None:
        self._connection.client().delete_object(Bucket=self._bucket, Key=key)

    def _prepare(self) -> list[str]:
        client = self._connection.client()
        return prepare_bucket(client, self._bucket, self._prefix, self._expire_days)
