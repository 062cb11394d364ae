"""Sources on the web: fetched by http or https, and only if they have changed.

https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/Conditional_requests
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from rules.sources.kept_files import Kept, KeptFiles
from rules.sources.references import References
from rules.sources.source import Fetched, Source, SourceError

CONNECT_SECONDS = 10
READ_SECONDS = 30
MOST_SECONDS = 120
MOST_BYTES = 2_000_000_000
MOST_REDIRECTS = 5
REDIRECTS = {301, 302, 303, 307, 308}
FILE = "data"
# What to do about a refused request, by its HTTP status.
ADVICE = {
    401: "check the user name, password or token",
    403: "check the token, and that it may read this",
    404: "check the address",
    410: "check the address",
    429: "it is asked too often; this passes",
}


class UnusableProxy(Exception):
    """The environment names a proxy that requests can't go through."""


class Web:
    """Fetches over connections that stay open. Any number of threads may use it at once."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._client: httpx.Client | None = None
        self._making = threading.Lock()

    def fetch(self, source: Source, kept_files: KeptFiles) -> Fetched:
        """Fetch the newest version, unless the kept one still is. Raises `SourceError`."""
        fill_in = self._references.fill_in
        address = fill_in(source.name, source.places[0], in_url=True)
        headers = {name: fill_in(source.name, value) for name, value in source.headers.items()}
        asked = hashlib.sha256(repr((address, sorted(headers.items()))).encode()).hexdigest()
        kept = kept_files.current()
        if kept and kept.about.get("asked") != asked:
            kept = None
        with (
            _explained(source, address),
            _answer(self._open(), source, address, headers, kept) as answer,
        ):
            if answer.status_code == 304 and kept:
                return _fetched(source, kept)
            _check(source, answer)
            return _fetched(source, self._keep(source, kept_files, answer, asked))

    def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            self._client.close()

    def _open(self) -> httpx.Client:
        with self._making:
            if self._client is None:
                timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
                # Keep no cookies: those of one source's server aren't for another source.
                jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
                try:
                    self._client = httpx.Client(timeout=timeout, cookies=jar)
                except (ImportError, ValueError, httpx.InvalidURL):
                    raise UnusableProxy from None
                logging.getLogger("httpx").addFilter(_without_secrets)
            return self._client

    def _keep(
        self, source: Source, kept_files: KeptFiles, answer: httpx.Response, asked: str
    ) -> Kept:
        before = kept_files.current()
        about = {
            "asked": asked,
            "etag": answer.headers.get("etag", ""),
            "last_modified": answer.headers.get("last-modified", ""),
        }
        with kept_files.writing(_ending(source)) as path:
            digest = _download(source, answer, path)
            if before and before.fingerprint == digest:
                path.unlink()
                return kept_files.publish(before.files, digest, about)
            return kept_files.publish({FILE: path}, digest, about)


def _ending(source: Source) -> str:
    path = source.places[0].partition("?")[0]
    return f".{source.format}" + (".gz" if path.endswith(".gz") else "")


def _fetched(source: Source, kept: Kept) -> Fetched:
    newest_at = _time(kept.about.get("last_modified", "")) or kept.changed_at
    return Fetched(
        tuple(kept.files.values()),
        kept.fingerprint,
        newest_at,
        is_ours=True,
        names=(source.described,),
    )


def _time(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone()
    except (ValueError, OverflowError):
        return None


@contextmanager
def _answer(
    client: httpx.Client, source: Source, address: str, headers: dict[str, str], kept: Kept | None
) -> Iterator[httpx.Response]:
    """Yield the answer, whose body isn't read yet, after following redirects."""
    conditions = {}
    if kept and kept.about.get("etag"):
        conditions["If-None-Match"] = kept.about["etag"]
    if kept and kept.about.get("last_modified"):
        conditions["If-Modified-Since"] = kept.about["last_modified"]
    at = address
    for _ in range(MOST_REDIRECTS + 1):
        # After a redirect to another host, don't send it the first host's token.
        own = headers if _origin(at) == _origin(address) else {}
        with client.stream("GET", at, headers=own | conditions, follow_redirects=False) as answer:
            if answer.status_code not in REDIRECTS:
                yield answer
                return
            before, at = at, urljoin(at, answer.headers.get("location", ""))
        if not at.startswith(("https://", "http://")) or (
            address.startswith("https://") and not at.startswith("https://")
        ):
            raise SourceError(
                source.name,
                f"{source.name} can't be fetched: {_host(address)} points to an address that "
                "isn't https.",
            )
        if leads_inside(before, at):
            raise SourceError(
                source.name,
                f"{source.name} can't be fetched: {_host(before)} points to {_host(at)}, which is "
                "inside this network. Name that address itself if it is meant.",
            )
    raise SourceError(
        source.name, f"{source.name} can't be fetched: {_host(address)} redirects without end."
    )


def leads_inside(address: str, to: str) -> bool:
    """Return whether a redirect leads further inside: a stranger's server must not send us there.

    From the Internet to a private network, from there to this machine, or from anywhere to the
    addresses at which clouds hand out credentials.
    """
    known, wanted = _depths(address), _depths(to)
    # What isn't found here is found by a proxy, or not at all.
    return bool(known and wanted) and max(wanted) > max(known)


def _depths(address: str) -> set[int]:
    host = httpx.URL(address).host
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {_depth(ipaddress.ip_address(str(each[4][0]).partition("%")[0])) for each in found}


def _depth(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_link_local:
        return 3
    if address.is_loopback or address.is_unspecified:
        return 2
    return 0 if address.is_global else 1


def _check(source: Source, answer: httpx.Response) -> None:
    status, host = answer.status_code, answer.request.url.host
    if status == 200:
        # Unpacked twice, a few hundred bytes become gigabytes before anybody can count them.
        if len(answer.headers.get_list("content-encoding", split_commas=True)) > 1:
            raise SourceError(
                source.name,
                f"{source.name} can't be fetched: {host} compresses its answer more than once.",
            )
        return
    advice = ADVICE.get(status) or (
        "try again later" if status >= 500 else "check the address and what it needs"
    )
    raise SourceError(
        source.name, f"{source.name} can't be fetched: {host} answered HTTP {status}; {advice}."
    )


def _download(source: Source, answer: httpx.Response, path: Path) -> str:
    """Write the body to a file and return its print."""
    digest = hashlib.sha256()
    size = 0
    until = time.monotonic() + MOST_SECONDS
    with path.open("wb") as file:
        for block in answer.iter_bytes():
            size += len(block)
            if size > MOST_BYTES:
                raise SourceError(
                    source.name,
                    f"{source.name} can't be fetched: it is larger than "
                    f"{MOST_BYTES // 1_000_000_000} GB.",
                )
            if time.monotonic() > until:
                raise httpx.ReadTimeout("the whole takes too long")
            digest.update(block)
            file.write(block)
    return digest.hexdigest()[:32]


@contextmanager
def _explained(source: Source, address: str) -> Iterator[None]:
    """Turn httpx's errors into one sentence without the address, which may hold a token."""
    try:
        yield
    except httpx.TimeoutException:
        problem = "did not answer in time"
    except httpx.ConnectError:
        problem = "can't be reached: check the address, the network and the proxy"
    except (httpx.UnsupportedProtocol, httpx.InvalidURL):
        problem = "is not an address that starts with https:// or http://"
    except UnusableProxy:
        problem = (
            "can't be reached: HTTPS_PROXY, HTTP_PROXY or ALL_PROXY must look like "
            "http://user:password@host:port"
        )
    except (httpx.LocalProtocolError, UnicodeError):
        problem = "can't be asked: its address or a header has a character that can't be sent"
    except FileNotFoundError:
        problem = "can't be reached: the file of trusted certificates (SSL_CERT_FILE) is missing"
    except (httpx.HTTPError, ValueError, OSError):
        problem = "broke off its answer; try again later"
    else:
        return
    host = _host(address)
    raise SourceError(source.name, f"{source.name} can't be fetched: {host} {problem}.")


def _without_secrets(record: logging.LogRecord) -> bool:
    """Keep passwords and tokens out of the line that httpx logs for each request."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            each.copy_with(query=None, username="", password="", fragment="")
            if isinstance(each, httpx.URL)
            else each
            for each in record.args
        )
    return True


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = httpx.URL(address)
    return parts.scheme, parts.host, parts.port


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or "its address"
    except ValueError:
        return "its address"
