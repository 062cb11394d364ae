"""The boto3 client for S3, made when it is first needed and shared by all uploads."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

from storage.s3_errors import may_be_mended

if TYPE_CHECKING:
    import boto3
    from types_boto3_s3 import S3Client

# Where nothing names a region.
REGION = "us-east-1"
UNUSED = "unused"
CONNECT_SECONDS = 5
MAX_ATTEMPTS = 2


@dataclass(eq=False)
class S3Connection:
    """How to reach S3. boto3 decides what is None: environment, profile, instance role.

    With `are_objects_public`, addresses of objects carry no signature.
    See https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html
    """

    _: KW_ONLY
    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    connections: int
    read_seconds: float
    are_objects_public: bool = False

    def __post_init__(self) -> None:
        self._session: boto3.Session | None = None
        self._client: S3Client | None = None
        self._making = threading.Lock()

    def warm_up(self) -> None:
        """Load boto3 and its description of S3, so that `client` takes 15 ms and not 200.

        It asks neither the network nor a program for credentials.
        """
        with self._making:
            self._boto3().client(
                "s3", REGION, aws_access_key_id=UNUSED, aws_secret_access_key=UNUSED
            )

    @contextmanager
    def client(self) -> Iterator[S3Client]:
        """Lend the client. Any number of threads may use it at once.

        After a failure that may be due to credentials or settings, they are read again for the next
        client, because by then they may be there, renewed or corrected.
        """
        client = None
        try:
            with self._making:
                client = self._client = self._client or self._make_client()
            yield client
        except Exception as error:
            with self._making:
                # Of many uploads that fail together, only the first makes a difference.
                if self._client is client and may_be_mended(error):
                    self._client = self._session = None
            raise

    def close(self) -> None:
        """Close every connection."""
        with self._making:
            if self._client is not None:
                self._client.close()

    def _boto3(self) -> boto3.Session:
        if self._session is None:
            # Importing boto3 takes 100 ms, which the start of an app should not wait for.
            import boto3  # noqa: PLC0415

            self._session = boto3.Session(
                profile_name=self.profile,
                aws_access_key_id=self.access_key_id,
                aws_secret_access_key=self.secret_access_key,
                aws_session_token=self.session_token,
            )
        return self._session

    def _make_client(self) -> S3Client:
        from botocore.config import Config  # noqa: PLC0415
        from botocore.handlers import disable_signing  # noqa: PLC0415

        session = self._boto3()
        # boto3 reads only AWS_DEFAULT_REGION; Lambda, containers and other SDKs set AWS_REGION.
        region = self.region or os.environ.get("AWS_REGION") or session.region_name
        logging.getLogger("botocore.credentials").addFilter(_remove_traceback)
        client = session.client(
            "s3",
            region_name=region or REGION,
            endpoint_url=self.endpoint_url,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=self.read_seconds,
                retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
                max_pool_connections=self.connections,
                s3={"us_east_1_regional_endpoint": "regional"},
                # Otherwise boto3 uploads in signed chunks, which not every S3 service understands.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        if self.are_objects_public:
            # Twilio's parameters would break the signature of a presigned URL.
            client.meta.events.register("choose-signer.s3.GetObject", disable_signing)
        client.meta.events.register_first("before-endpoint-resolution.s3", _use_regional_url)
        client.meta.events.register_last("before-call.s3", _remove_expect_header)
        client.meta.events.register("before-call.s3.PutBucketPolicy", _add_md5)
        client.meta.events.register("before-call.s3.PutBucketLifecycleConfiguration", _add_md5)
        return client


def _use_regional_url(context: dict[str, Any], **_: object) -> None:
    context["use_global_endpoint"] = False


def _remove_expect_header(params: dict[str, Any], **_: object) -> None:
    # "Expect: 100-continue" costs a round trip and only pays off for large bodies.
    params["headers"].pop("Expect", None)


def _add_md5(params: dict[str, Any], **_: object) -> None:
    # boto3 sends newer checksums instead, and Ceph and others refuse these requests without this.
    digest = hashlib.md5(params["body"], usedforsecurity=False).digest()
    params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


def _remove_traceback(record: logging.LogRecord) -> bool:
    # It would show what a credential program printed. The StorageError says what went wrong.
    record.exc_info = record.exc_text = None
    return True
