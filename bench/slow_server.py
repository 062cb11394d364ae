"""A bare server that answers after a delay, for benchmarks of what talks to Twilio and to storage.

    python -m bench.slow_server --port 4020 --delay-ms 80

Any POST gets the JSON of a new call and 201, any PUT an empty 200; both after the delay.
`GET /count` tells at once how many requests of each method came in. It runs in a process of its
own, so that its CPU time is not counted as the client's.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from aiohttp import web

CALL = (
    b'{"account_sid": "AC00000000000000000000000000000000", "annotation": null, '
    b'"answered_by": null, "api_version": "2010-04-01", "caller_name": null, '
    b'"date_created": null, "date_updated": null, "direction": "outbound-api", '
    b'"duration": null, "end_time": null, "forwarded_from": null, "from": "+15017122661", '
    b'"from_formatted": "(501) 712-2661", "group_sid": null, "parent_call_sid": null, '
    b'"phone_number_sid": "PN00000000000000000000000000000000", "price": null, '
    b'"price_unit": "USD", "queue_time": "0", "sid": "CA%032x", "start_time": null, '
    b'"status": "queued", "subresource_uris": {"recordings": "/2010-04-01/Accounts/'
    b'AC00000000000000000000000000000000/Calls/CA%032x/Recordings.json"}, '
    b'"to": "+15558675310", "to_formatted": "(555) 867-5310", "trunk_sid": null, '
    b'"uri": "/2010-04-01/Accounts/AC00000000000000000000000000000000/Calls/CA%032x.json"}'
)


class SlowServer:
    """Answers after `delay` seconds and counts requests by method."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._count: Counter[str] = Counter()

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        if request.method == "GET" and request.path == "/count":
            return web.json_response(self._count)
        self._count[request.method] += 1
        number = self._count[request.method]
        await request.read()
        await asyncio.sleep(self._delay)
        if request.method != "POST":
            return web.Response(headers={"ETag": '"0"'})
        return web.Response(
            status=201, body=CALL % (number, number, number), content_type="application/json"
        )


@contextmanager
def running(delay_ms: float) -> Iterator[str]:
    """Run the server in a process of its own for as long as the block lasts; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.slow_server", f"--port={port}", f"--delay-ms={delay_ms}"]
    )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/count", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urlopen(address, timeout=5).close()  # noqa: S310 - an address of our own
            return
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.05)


async def serve(port: int, delay_ms: float) -> None:
    """Serve on 127.0.0.1 until the process ends."""
    runner = web.ServerRunner(web.Server(SlowServer(delay_ms / 1000), access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A bare server that answers after a delay.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, default=80.0)
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, arguments.delay_ms))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
