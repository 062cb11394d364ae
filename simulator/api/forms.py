"""The parameters of one request, read the way Twilio reads them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from simulator.errors import ApiError
from simulator.masking import _SECRET_PARAMETERS, shortened
from simulator.models.webhooks import Callback, Instructions, call_events, is_web_address


@dataclass(frozen=True)
class Form:
    """Names and values in the order they came; a name may come more than once."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The first value of `name`, or an empty string: Twilio treats both alike."""
        return next((value for key, value in self.pairs if key == name), "")

    def get_all(self, name: str) -> tuple[str, ...]:
        """Every value of `name` that isn't empty."""
        return tuple(value for key, value in self.pairs if key == name and value)

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.pairs)

    def for_log(self) -> list[tuple[str, str]]:
        """The pairs without passwords, and none of them very long."""
        return [
            (shortened(key), "********" if key in _SECRET_PARAMETERS else shortened(value))
            for key, value in self.pairs
        ]


async def read_form(request: Request) -> Form:
    """The body of a POST; anything but form encoding counts as no parameters, as at Twilio."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        return Form()
    return parse_form(await request.body())


def read_query(request: Request) -> Form:
    """The query string of a request."""
    return parse_form(request.scope["query_string"])


def parse_form(encoded: bytes) -> Form:
    """Form-encoded bytes; what isn't UTF-8 becomes the replacement character."""
    text = encoded.decode("utf-8", errors="replace")
    return Form(tuple(parse_qsl(text, keep_blank_values=True, errors="replace")))


LONGEST_INLINE_TWIML = 4000


def read_instructions(form: Form) -> Instructions | None:
    """`Url` and `Method`, or else `Twiml`; None if there is neither. Raises ApiError."""
    method = read_method(form, "Method")
    url, twiml = form.get("Url"), form.get("Twiml")
    if url:
        if not is_web_address(url):
            raise ApiError(21205, f"Url is not a valid URL: {url}")
        return Instructions(url=url, method=method)
    if twiml:
        if len(twiml) > LONGEST_INLINE_TWIML:
            raise ApiError(32018, "Twiml size exceeded maximum allowed value of 4000 characters")
        return Instructions(twiml=twiml)
    return None


def read_fallback(form: Form) -> Instructions | None:
    """`FallbackUrl` and `FallbackMethod`, if there. Raises ApiError."""
    method = read_method(form, "FallbackMethod")
    url = form.get("FallbackUrl")
    if not url:
        return None
    if not is_web_address(url):
        raise ApiError(21205, f"FallbackUrl is not a valid URL: {url}")
    return Instructions(url=url, method=method)


def read_method(form: Form, name: str) -> str:
    """`GET` or `POST`; `POST` if nothing is said. Raises ApiError."""
    method = form.get(name).upper() or "POST"
    if method not in {"GET", "POST"}:
        raise ApiError(21209, f"{name} must be GET or POST.")
    return method


def read_callback(form: Form, name: str) -> Callback | None:
    """The address in the parameter `name` with the method in `{name}Method`. Raises ApiError."""
    method = read_method(form, f"{name}Method")
    url = form.get(name)
    if not url:
        return None
    if not is_web_address(url):
        raise ApiError(21609, f"The {name} URL {url} is not a valid URL.")
    return Callback(url, method)


def read_call_events(form: Form) -> frozenset[str]:
    """The call events to tell of; `completed` if none of Twilio's is named."""
    return call_events(" ".join(form.get_all("StatusCallbackEvent")))


LONGEST_NAME = 64


def read_friendly_name(form: Form) -> str:
    """`FriendlyName`, empty if there is none. Raises ApiError."""
    friendly_name = form.get("FriendlyName")
    if len(friendly_name) > LONGEST_NAME:
        raise ApiError(20001, f"FriendlyName may hold {LONGEST_NAME} characters.")
    return friendly_name
