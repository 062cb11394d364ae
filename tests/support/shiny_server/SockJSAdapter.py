"""What Shiny Server runs a Python app with, as far as the app can tell: `SockJSAdapter.py PORT`.

Like the original of this name it imports app.py from the working directory, and answers 403 to
every request without the secret. https://github.com/rstudio/shiny-server/blob/main/python/
"""

from __future__ import annotations

import importlib
import os
import sys

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

SECRET = "0123456789abcdef"


class OnlyWithTheSecret:
    """ASGI middleware around the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        secret = (b"shiny-shared-secret", SECRET.encode())
        if scope["type"] != "lifespan" and secret not in scope["headers"]:
            await PlainTextResponse("Forbidden", 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


if __name__ == "__main__":
    sys.path.insert(0, os.getcwd())
    app = importlib.import_module("app").app
    uvicorn.run(OnlyWithTheSecret(app), host="127.0.0.1", port=int(sys.argv[1]))
