"""Serving the documents of a LocalStorage to Twilio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from storage.local import LocalStorage


def twiml_route(storage: LocalStorage) -> Route:
    """The route `GET|POST /twiml/{name}.xml` for a Starlette app.

    Twilio adds CallSid, From and more, to the query string or as a form: they are ignored.
    See https://www.twilio.com/docs/voice/twiml#request-parameters
    """
    # A document may name people: no cache on the way keeps it.
    headers = {"Cache-Control": "no-store"}

    async def serve_document(request: Request) -> Response:
        xml = await storage.read(request.path_params["name"])
        if xml is None:
            message = "There is no TwiML document at this address, or it has expired."
            return PlainTextResponse(message, status_code=404, headers=headers)
        return Response(xml, media_type="text/xml", headers=headers)

    return Route("/twiml/{name}.xml", serve_document, methods=["GET", "POST"], name="twiml")
