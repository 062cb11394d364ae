"""The parameters of one request, read the way Twilio reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from simulator.errors import ApiError
from simulator.models.phone_numbers import read_number, refuse_if_magic
from simulator.models.webhooks import Callback, Instructions, is_web_address
from simulator.untrusted_text import flag

LONGEST_INLINE_TWIML_CHARACTERS = 4000
LONGEST_NAME_CHARACTERS = 64


@dataclass(frozen=True)
class Form:
    """Names and values in the order they came; a name may come more than once."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Return the first value of `name`, or an empty string: Twilio treats both alike."""
        return next((value for key, value in self.pairs if key == name), "")

    def get_all(self, name: str) -> tuple[str, ...]:
        """Return every value of `name` that isn't empty."""
        return tuple(value for key, value in self.pairs if key == name and value)

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.pairs)


async def read_form(request: Request) -> Form:
    """Read the body of a POST, `application/x-www-form-urlencoded` or `multipart/form-data`.

    Anything else counts as no parameters, as at Twilio; so do files and a broken multipart body.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/x-www-form-urlencoded":
        return _parse(await request.body())
    if media_type == "multipart/form-data":
        return await _parse_multipart(request)
    return Form()


async def _parse_multipart(request: Request) -> Form:
    try:
        parsed = await MultiPartParser(request.headers, request.stream()).parse()
    except MultiPartException:
        return Form()
    fields = [(name, value) for name, value in parsed.multi_items() if isinstance(value, str)]
    await parsed.close()
    return Form(tuple(fields))


def read_query(request: Request) -> Form:
    """Read the query string of a request."""
    return _parse(request.scope["query_string"])


def _parse(encoded: bytes) -> Form:
    # What isn't UTF-8 becomes the replacement character.
    text = encoded.decode("utf-8", errors="replace")
    return Form(tuple(parse_qsl(text, keep_blank_values=True, errors="replace")))


def read_phone_number(
    form: Form,
    name: str,
    magic: dict[str, tuple[int, str]],
    *,
    missing: tuple[int, str],
    invalid: tuple[int, str],
    read: Callable[[str], str | None] = read_number,
) -> str:
    """Read a telephone number as E.164, or whatever else `read` takes.

    Raises the ApiError that is `missing` or `invalid` (in which `{number}` stands for what was
    sent), or what a number in the table `magic` stands for.
    """
    text = form.get(name)
    if not text.strip():
        raise ApiError(*missing)
    number = read(text)
    if number is None:
        code, message = invalid
        raise ApiError(code, message.format(number=text))
    refuse_if_magic(number, magic)
    return number


def read_instructions(form: Form) -> Instructions | None:
    """Read `Url` and `Method`, or else `Twiml`; None if there is neither. Raises ApiError."""
    method = read_method(form, "Method")
    if form.get("Url"):
        return Instructions(url=read_url(form, "Url", 21205), method=method)
    twiml = form.get("Twiml")
    if not twiml:
        return None
    if len(twiml) > LONGEST_INLINE_TWIML_CHARACTERS:
        raise ApiError(32018, "Twiml size exceeded maximum allowed value of 4000 characters")
    return Instructions(twiml=twiml)


def read_fallback(form: Form) -> Instructions | None:
    """Read `FallbackUrl` and `FallbackMethod`; None if there is no URL. Raises ApiError."""
    method = read_method(form, "FallbackMethod")
    if not form.get("FallbackUrl"):
        return None
    return Instructions(url=read_url(form, "FallbackUrl", 21205), method=method)


def read_callback(form: Form, name: str) -> Callback | None:
    """Read the address `name` and the method `{name}Method`. Raises ApiError."""
    method = read_method(form, f"{name}Method")
    url = form.get(name)
    if not url:
        return None
    if not is_web_address(url):
        raise ApiError(21609, f"The {name} URL {url} is not a valid URL.")
    return Callback(url, method)


def read_method(form: Form, name: str, code: int = 21209) -> str:
    """Read `GET` or `POST`, which is the default. Raises ApiError with Twilio's `code`."""
    method = form.get(name).upper() or "POST"
    if method not in {"GET", "POST"}:
        raise ApiError(code, f"{name} must be GET or POST.")
    return method


def read_flag(form: Form, name: str) -> bool:
    """Read whether `name` is true, in any of the spellings that clients send; False if absent."""
    return flag(form.get(name)) or False


def read_friendly_name(form: Form) -> str:
    """Read `FriendlyName`, empty if there is none. Raises ApiError."""
    friendly_name = form.get("FriendlyName")
    if len(friendly_name) > LONGEST_NAME_CHARACTERS:
        raise ApiError(20001, f"FriendlyName may hold {LONGEST_NAME_CHARACTERS} characters.")
    return friendly_name


def read_url(form: Form, name: str, code: int) -> str:
    """Read an address, empty if there is none. Raises ApiError with Twilio's `code`."""
    url = form.get(name)
    if url and not is_web_address(url):
        raise ApiError(code, f"{name} is not a valid URL: {url}")
    return url
