"""One boto3 client for all uploads, made when the first of them needs it."""

from __future__ import annotations

import os
import threading
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CONNECT_SECONDS = 5
READ_SECONDS = 6
ATTEMPTS = 2


@dataclass(eq=False)
class S3Connection:
    """How to reach S3. What is None is left to boto3: environment, profile, instance role.

    See https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html
    """

    _: KW_ONLY
    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    connections: int = 10

    def __post_init__(self) -> None:
        self._client: S3Client | None = None
        self._making = threading.Lock()

    def client(self) -> S3Client:
        """The client, which any number of threads may use at once."""
        with self._making:
            if self._client is None:
                self._client = self._make_client()
            return self._client

    def _make_client(self) -> S3Client:
        # Importing boto3 takes 100 ms, which the start of an app should not.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.handlers import disable_signing  # noqa: PLC0415

        session = boto3.Session(
            profile_name=self.profile,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            aws_session_token=self.session_token,
        )
        # boto3 reads AWS_DEFAULT_REGION only; Lambda, containers and the other SDKs say AWS_REGION.
        region = self.region or os.environ.get("AWS_REGION") or session.region_name
        client = session.client(
            "s3",
            region_name=region or "us-east-1",
            endpoint_url=self.endpoint_url,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                max_pool_connections=self.connections,
                s3={"us_east_1_regional_endpoint": "regional"},
                # Otherwise uploads go out in signed chunks, which not all that speaks S3 reads.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        # "Presigned" URLs come out plain and regional: Twilio's parameters would break a signature.
        client.meta.events.register("choose-signer.s3.GetObject", disable_signing)
        client.meta.events.register_first("before-endpoint-resolution.s3", _stay_regional)
        client.meta.events.register_last("before-call.s3", _send_at_once)
        return client


def _stay_regional(context: dict[str, Any], **_: object) -> None:
    context["use_global_endpoint"] = False


def _send_at_once(params: dict[str, Any], **_: object) -> None:
    # Asking first (100-continue) costs a round trip and is meant for large bodies.
    params["headers"].pop("Expect", None)
