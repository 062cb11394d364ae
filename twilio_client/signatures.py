"""The signature that proves to a web application that a request comes from Twilio.

https://www.twilio.com/docs/usage/security#validating-requests
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha1, sha256
from itertools import product
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

Parameters = Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str]]

_DEFAULT_PORTS = {"https": 443, "http": 80}


def sign(auth_token: str, url: str, parameters: Parameters = ()) -> str:
    """Return the X-Twilio-Signature for a request to `url` (as Twilio sees it, with its query).

    `parameters` are the form fields of a POST, as pairs or a mapping; a GET has none. Pass a form
    with repeated fields as pairs (in Starlette: `form.multi_items()`).
    """
    if not auth_token:
        raise ValueError("A signature needs the auth token.")
    signed = url + "".join(name + value for name, value in sorted(_unique_pairs(parameters)))
    digest = hmac.new(_encoded(auth_token), _encoded(signed), sha1).digest()
    return b64encode(digest).decode()


def is_signed(auth_token: str, url: str, parameters: Parameters | bytes, signature: str) -> bool:
    """Return whether `signature` is Twilio's for this request, comparing in constant time.

    `url` is the public address, not the one behind a proxy. `parameters` are the same as for
    `sign`, or the raw body of a request that is not a form: Twilio then adds the body's hash to
    the URL as bodySHA256. What Twilio spells now one way, now another counts as the same, as in its
    SDKs: the port, the slash after the host, and the escapes of the query.
    """
    if isinstance(parameters, bytes):
        if not _has_hash(url, parameters):
            return False
        parameters = ()
    fields = _unique_pairs(parameters)
    # Try all spellings every time, so that the time taken reveals nothing.
    matches = [
        hmac.compare_digest(_encoded(sign(auth_token, variant, fields)), _encoded(signature))
        for variant in _spellings(url)
    ]
    return any(matches)


def _unique_pairs(parameters: Parameters) -> set[tuple[str, str]]:
    if not isinstance(parameters, Mapping):
        return set(parameters)
    return {
        (name, value)
        for name, values in parameters.items()
        for value in ([values] if isinstance(values, str) else values)
    }


def _spellings(url: str) -> set[str]:
    """Return the URLs that Twilio may have signed for a request to `url`."""
    try:
        parts = urlsplit(url)
        hosts = {parts.netloc, parts.netloc.lower()}
        hosts |= {_with_or_without_port(parts, host) for host in hosts}
    except ValueError:
        return {url}
    rest = url.partition("://")[2].partition("?")[0].partition("#")[0]
    paths = {rest[len(parts.netloc) :]}
    if paths == {""}:
        paths.add("/")
    beginnings = [f"{parts.scheme}://{host}{path}" for host, path in product(hosts, paths)]
    if "?" not in url:
        return {url} | {beginning + _fragment(parts) for beginning in beginnings}
    queries = {
        parts.query,
        parts.query.replace("'", "%27"),
        parts.query.replace("%27", "'"),
        _as_javascript_writes(parts.query),
    }
    return {url} | {
        f"{beginning}?{query}{_fragment(parts)}"
        for beginning, query in product(beginnings, queries)
    }


def _with_or_without_port(parts: SplitResult, host: str) -> str:
    if parts.port is not None:
        return host.rpartition(":")[0]
    return f"{host}:{_DEFAULT_PORTS.get(parts.scheme, 80)}"


def _fragment(parts: SplitResult) -> str:
    return f"#{parts.fragment}" if parts.fragment else ""


def _as_javascript_writes(query: str) -> str:
    """Read a query and write it as encodeURIComponent does, with equal names side by side."""
    fields = parse_qs(query, keep_blank_values=True)
    unescaped = "!~*'()"
    return "&".join(
        f"{quote(name, safe=unescaped)}={quote(value, safe=unescaped)}"
        for name, values in fields.items()
        for value in values
    )


def _has_hash(url: str, body: bytes) -> bool:
    expected = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    return hmac.compare_digest(sha256(body).hexdigest().encode(), _encoded(expected))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
