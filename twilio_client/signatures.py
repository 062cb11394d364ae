"""The signature that proves to a web application that a request comes from Twilio.

https://www.twilio.com/docs/usage/security#validating-requests
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha1, sha256
from urllib.parse import SplitResult, parse_qs, urlsplit

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
    the URL as bodySHA256.
    """
    if isinstance(parameters, bytes):
        if not _has_hash(url, parameters):
            return False
        parameters = ()
    fields = _unique_pairs(parameters)
    # Twilio sometimes signs the URL with the port and sometimes without. Try both every time, so
    # that the time taken reveals nothing.
    matches = [
        hmac.compare_digest(_encoded(sign(auth_token, variant, fields)), _encoded(signature))
        for variant in _with_and_without_port(url)
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


def _with_and_without_port(url: str) -> set[str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return {url}
    if port is not None:
        return {url, _replace_host(parts, parts.netloc.rpartition(":")[0])}
    default = _DEFAULT_PORTS.get(parts.scheme, 80)
    return {url, _replace_host(parts, f"{parts.netloc}:{default}")}


def _replace_host(parts: SplitResult, netloc: str) -> str:
    return parts._replace(netloc=netloc).geturl()


def _has_hash(url: str, body: bytes) -> bool:
    expected = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    return hmac.compare_digest(sha256(body).hexdigest().encode(), _encoded(expected))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
