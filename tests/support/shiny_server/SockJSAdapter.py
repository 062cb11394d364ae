"""What Shiny Server runs a Python app with, as far as the app can tell.

Like the original of this name it reads its orders as JSON from the standard input, imports app.py
from the app's folder, answers 403 to every request without the secret, and adds scripts of Shiny
Server to the page. https://github.com/rstudio/shiny-server/blob/main/python/SockJSAdapter.py
"""

from __future__ import annotations

import importlib
import json
import os
import sys

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCRIPT = b'<script>preShinyInit({reconnect:true,disableProtocols:[""]});</script>\n</head>'


class OnlyWithTheSecret:
    """ASGI middleware around the app."""

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._header = (b"shiny-shared-secret", secret.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "lifespan" and self._header not in scope["headers"]:
            await PlainTextResponse("Forbidden", 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class WithScripts:
    """ASGI middleware that writes Shiny Server's scripts into the page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def send_with_scripts(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, value) for name, value in message["headers"] if name != b"content-length"
                ]
            elif message["type"] == "http.response.body":
                message["body"] = message["body"].replace(b"</head>", SCRIPT)
            await send(message)

        is_page = scope["type"] == "http" and scope["path"] == "/"
        await self._app(scope, receive, send_with_scripts if is_page else send)


def run() -> None:
    """Run the app as ordered."""
    print("shiny_launch_info: " + json.dumps({"pid": os.getpid()}))
    print("==END==", flush=True)
    orders = json.load(sys.stdin)
    if orders["sanitizeErrors"]:
        os.environ["SHINY_SANITIZE_ERRORS"] = "1"
    sys.path.insert(0, orders["appDir"])
    app = OnlyWithTheSecret(importlib.import_module("app").app, orders["sharedSecret"])
    uvicorn.run(WithScripts(app), host="127.0.0.1", port=int(orders["port"]))


if __name__ == "__main__":
    run()
