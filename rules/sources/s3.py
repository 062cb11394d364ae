"""Sources on S3: one object, all objects under a prefix, or those that match a pattern.

Only objects whose ETag is new are fetched. Credentials, region and endpoint are boto3's own, from
the environment, a profile or a role.
https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rules.sources.kept_files import KeptFiles
from rules.sources.references import References
from rules.sources.source import WILDCARDS, Fetched, Source, SourceError, format_of
from storage.base import StorageError
from storage.s3_client import S3Connection
from storage.s3_errors import answer_of, as_storage_errors

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

READ_SECONDS = 30
MOST_SECONDS = 300
MOST_BYTES = 4_000_000_000
MOST_OBJECTS = 10_000
AT_ONCE = 8
BLOCK_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class _Object:
    key: str
    etag: str
    size: int
    changed_at: datetime


class S3:
    """Fetches objects with one client, which any number of threads may use at once."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._connection = S3Connection(connections=AT_ONCE * 2, read_seconds=READ_SECONDS)

    def fetch(self, source: Source, kept_files: KeptFiles) -> Fetched:
        """Fetch what is new, and return all objects' files. Raises `SourceError`."""
        place = self._references.fill_in(source.name, source.places[0])
        bucket, _, key = place.removeprefix("s3://").partition("/")
        with _explained(source, bucket, key), self._connection.client() as client:
            try:
                objects = _objects(client, source, bucket, key)
            except KeyError:
                raise SourceError(
                    source.name,
                    f"{source.name} can't be fetched: what answers for S3 bucket {bucket} isn't "
                    "S3. Check AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL.",
                ) from None
            kept = kept_files.current()
            known = kept.about.get("etags", {}) if kept and kept.about.get("from") == place else {}
            files = dict(kept.files) if kept else {}
            new = [each for each in objects if known.get(each.key) != each.etag]
            fetched = _download_all(client, source, bucket, new, kept_files)
        paths = {each.key: fetched.get(each.key) or files[each.key] for each in objects}
        etags = {each.key: each.etag for each in objects}
        fingerprint = hashlib.sha256(repr(sorted(etags.items())).encode()).hexdigest()[:32]
        if kept is None or fetched or kept.files.keys() != paths.keys():
            kept_files.publish(paths, fingerprint, {"from": place, "etags": etags})
        newest_at = max(each.changed_at for each in objects)
        names = tuple(PurePosixPath(key).name for key in paths)
        return Fetched(tuple(paths.values()), fingerprint, newest_at, is_ours=True, names=names)

    def close(self) -> None:
        """Close every connection."""
        self._connection.close()


def _objects(client: S3Client, source: Source, bucket: str, key: str) -> list[_Object]:
    """Return the objects that a key, a prefix or a pattern names, sorted by key."""
    is_pattern = any(each in key for each in WILDCARDS)
    if not is_pattern and not key.endswith("/"):
        head = client.head_object(Bucket=bucket, Key=key)
        return [_Object(key, head["ETag"], head["ContentLength"], head["LastModified"])]
    prefix = re.split(r"[*?\[]", key, maxsplit=1)[0]
    try:
        matches = _pattern(key) if is_pattern else re.compile(".*", re.DOTALL)
    except re.error:
        raise SourceError(
            source.name,
            f"{source.name} has a pattern that can't be read: {key}. In brackets, write a range "
            "from its first character to its last, such as [a-z].",
        ) from None
    found: list[_Object] = []
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", []):
            name = each["Key"]
            is_ours = matches.fullmatch(name) and (is_pattern or format_of(name) == source.format)
            if is_ours and not name.endswith("/"):
                found.append(_Object(name, each["ETag"], each["Size"], each["LastModified"]))
        if len(found) > MOST_OBJECTS:
            raise SourceError(
                source.name, f"{source.name} has more than {MOST_OBJECTS:,} objects: name fewer."
            )
    if not found:
        raise SourceError(
            source.name,
            f"{source.name} has no data: S3 bucket {bucket} holds no object like {key}.",
        )
    return sorted(found, key=lambda each: each.key)


def _pattern(key: str) -> re.Pattern[str]:
    """Return a regular expression for a shell pattern: * and ? stay within a folder, ** doesn't."""
    parts = re.split(r"(\*\*/?|\*|\?|\[[!^]?+\]?+[^\]]*\])", key)
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(
            words.get(part) or (_one_of(part[1:-1]) if at % 2 else re.escape(part))
            for at, part in enumerate(parts)  # each second part is one that isn't plain text
        ),
        re.DOTALL,
    )


def _one_of(characters: str) -> str:
    """Return a regular expression for what a shell has in brackets: "a-z"; "!a-z" for others."""
    others = characters[0] in "!^"
    escaped = re.sub(r"[\\^\[\]]", r"\\\g<0>", characters[1:] if others else characters)
    return f"[^/{escaped}]" if others else f"[{escaped}]"


def _download_all(
    client: S3Client, source: Source, bucket: str, objects: list[_Object], kept_files: KeptFiles
) -> dict[str, Path]:
    """Download objects side by side and return their files by key."""
    if sum(each.size for each in objects) > MOST_BYTES:
        raise SourceError(
            source.name,
            f"{source.name} can't be fetched: it is larger than {MOST_BYTES // 1_000_000_000} GB.",
        )
    until = time.monotonic() + MOST_SECONDS

    def download(each: _Object) -> Path:
        ending = PurePosixPath(each.key).suffix
        ending = f".{source.format}" + (ending if ending == ".gz" else "")
        with kept_files.writing(ending) as path:
            # Fetch only the version that was listed.
            answer = client.get_object(Bucket=bucket, Key=each.key, IfMatch=each.etag)
            with path.open("wb") as file:
                for block in answer["Body"].iter_chunks(BLOCK_BYTES):
                    file.write(block)
                    if time.monotonic() > until:
                        raise TimeoutError
            return path

    if len(objects) == 1:
        return {objects[0].key: download(objects[0])}
    paths: dict[str, Path] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="s3") as pool:
        running = {each.key: pool.submit(download, each) for each in objects}
        try:
            for key, each in running.items():
                paths[key] = each.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return paths


@contextmanager
def _explained(source: Source, bucket: str, key: str) -> Iterator[None]:
    """Turn boto3's errors into one sentence that names the bucket."""
    told: SourceError | None = None
    try:
        with as_storage_errors(bucket):
            try:
                yield
            except SourceError as error:
                told = error
            except Exception as error:
                told = _about_object(source, bucket, key, error)
                if told is None:
                    raise
    except StorageError as error:
        told = SourceError(source.name, f"{source.name} can't be fetched: {error}")
    if told is not None:
        raise told from None


def _about_object(source: Source, bucket: str, key: str, error: Exception) -> SourceError | None:
    """Return what S3 says about one object, None if the error is about something else."""
    if not hasattr(error, "operation_name"):
        return None
    status, code = answer_of(error)  # type: ignore[arg-type]
    if status == 404 and code != "NoSuchBucket":
        problem = f"has no object {key}. Check the address, and whether it was removed"
    elif status == 412:
        problem = "got a new version meanwhile. The next check fetches that"
    else:
        return None
    return SourceError(
        source.name, f"{source.name} can't be fetched: S3 bucket {bucket} {problem}."
    )
