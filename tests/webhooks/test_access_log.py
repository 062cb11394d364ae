"""Nobody's number stands in the access log, where the query of Twilio's GET would put it."""

from __future__ import annotations

import logging

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import webhooks
from tests.support.servers import serve


def test_uvicorns_own_lines(caplog: pytest.LogCaptureFixture):
    log = logging.getLogger("uvicorn.access")
    before = list(log.filters)
    webhooks.keep_queries_out_of_logs()
    app = Starlette(routes=[Route("/twiml/{name}", lambda _: PlainTextResponse("<Response/>"))])
    try:
        with serve(app) as url:
            # The test's server is quieter than one that people run, and keeps its lines to itself.
            log.addHandler(caplog.handler)
            log.setLevel(logging.INFO)
            httpx.get(f"{url}/twiml/one.xml", params={"To": "+14128574309"})
    finally:
        log.filters = before
        log.removeHandler(caplog.handler)
    [line] = [each.getMessage() for each in caplog.records if each.name == "uvicorn.access"]
    assert '"GET /twiml/one.xml HTTP/1.1" 200' in line
