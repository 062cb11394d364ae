"""The REST API in its other formats: XML where a path has no ending, and lists as CSV.

https://www.twilio.com/docs/usage/twilios-response
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.api.resources import own_path
from simulator.errors import not_found

_API = "/2010-04-01/"
_ENDING = re.compile(r"\.(json|xml|csv|wav|mp3)$")
# Without an ending these are files, not descriptions of them.
_FILE = re.compile(r"/(Recordings/RE|Media/ME)\w+$")
_PATH_IN_JSON = re.compile(r"(/2010-04-01/[^\s?]*)\.json\b")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PAGING = ("page", "page_size", "start", "end", "uri")
_SINGULAR = {"Addresses": "Address", "Countries": "Country", "MediaList": "Media"}


class RepresentationMiddleware:
    """Makes the app inside answer in JSON, and turns that into the format that the path ends in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request through the app inside."""
        path = own_path(scope) if scope["type"] == "http" else ""
        ending = _ending(path)
        if ending is None:
            await self._app(scope, receive, send)
            return
        inner = dict(scope)
        inner["path"] = f"{scope['path'].removesuffix(f'.{ending}')}.json"
        answer = _Buffer(send)
        try:
            await self._app(inner, receive, answer.hold)
        finally:
            # The log of requests, which wraps this middleware, shows it.
            scope["simulator.fault"] = inner.get("simulator.fault")
        await answer.send_as(ending, path, scope, receive)


def _ending(path: str) -> str | None:
    """Return `xml` or `csv` if the answer has to be turned into that, else None."""
    if not path.startswith(_API) or _FILE.search(path):
        return None
    found = _ENDING.search(path)
    if found is None:
        return "xml"
    return found[1] if found[1] in {"xml", "csv"} else None


class _Buffer:
    """Holds a response in JSON back until it is complete; passes on any other."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def hold(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if (b"content-type", b"application/json") in message["headers"]:
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            return
        await self._send(message)

    async def send_as(self, ending: str, path: str, scope: Scope, receive: Receive) -> None:
        """Convert and send the response that was held back, if there is one."""
        if self._start is None:
            return
        found, status = json.loads(self._body), self._start["status"]
        if ending == "csv" and status < 400:
            if _list_key(found) is None:
                error = not_found(path)
                found, status = error.to_json(), error.status
            else:
                response = Response(to_csv(found), status, media_type="text/csv")
                await response(scope, receive, self._send)
                return
        response = Response(to_xml(found, path), status, media_type="application/xml")
        kept = {b"www-authenticate", b"retry-after"}
        response.raw_headers += [pair for pair in self._start["headers"] if pair[0] in kept]
        await response(scope, receive, self._send)


def to_xml(found: dict[str, Any], path: str) -> bytes:
    """Write the JSON that is answered at `path` as XML."""
    root = ET.Element("TwilioResponse")
    key = _list_key(found)
    if key is not None:
        name = _camel_case(key)
        listed = ET.SubElement(root, name, _paging(found))
        for record in found[key]:
            _add(listed, _singular(name), record)
    elif found.keys() == {"code", "message", "more_info", "status"}:
        _add(root, "RestException", found)
    else:
        _add(root, _record_name(found, path), found)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def to_csv(found: dict[str, Any]) -> str:
    """Write a list in JSON as CSV, its columns named as the elements in XML.

    Values that have parts of their own are left out.
    """
    records = found[_list_key(found) or ""]
    file = io.StringIO()
    columns = [name for name, value in (records or [{}])[0].items() if not isinstance(value, dict)]
    writer = csv.writer(file)
    if columns:
        writer.writerow(map(_camel_case, columns))
    writer.writerows([_text(name, record[name]) for name in columns] for record in records)
    return file.getvalue()


def _list_key(found: dict[str, Any]) -> str | None:
    return next((key for key, value in found.items() if isinstance(value, list)), None)


def _paging(found: dict[str, Any]) -> dict[str, str]:
    links = [name for name in found if name.endswith("_page_uri")]
    return {name.replace("_", ""): _clean(_text(name, found[name])) for name in (*_PAGING, *links)}


def _add(parent: ET.Element, name: str, value: object, key: str = "") -> None:
    element = ET.SubElement(parent, name)
    if isinstance(value, dict):
        for part, inner in value.items():
            _add(element, _camel_case(part), inner, "uri" if key == "subresource_uris" else part)
    else:
        element.text = _clean(_text(key, value))


def _text(key: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    # A link leads to the same format again, and a refusal names the path as it was asked for.
    is_path = key.endswith("uri") or key == "message"
    return _PATH_IN_JSON.sub(r"\1", str(value)) if is_path else str(value)


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)


def _record_name(found: dict[str, Any], path: str) -> str:
    if "validation_code" in found:
        return "ValidationRequest"
    words: Iterable[str] = reversed(_ENDING.sub("", path).split("/"))
    return next(_singular(word) for word in words if not re.fullmatch(r"[A-Z]{2}\w{32}", word))


def _singular(name: str) -> str:
    return _SINGULAR.get(name, name.removesuffix("s"))


def _camel_case(name: str) -> str:
    """Write `phone_number` as `PhoneNumber`, the opposite of `snake_case`."""
    return "".join(part.capitalize() for part in name.split("_"))
