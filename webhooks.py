"""What Twilio sees of this app: plain HTTP routes beside the pages."""

from __future__ import annotations

import logging

from starlette.routing import BaseRoute, Route

from alerts import Desk
from alerts.callbacks import CallbackReceiver, callback_routes
from alerts.log_lines import on_one_line
from storage import LocalStorage, twiml_route


class WithoutQueries(logging.Filter):
    """Leaves the query out of each line of Uvicorn's access log.

    Twilio fetches a document with the caller's and the recipient's number in its query.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the path, the third of five arguments that Uvicorn passes, and keep the line."""
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, *rest = record.args
            # Whoever the proxy on this machine passes on can name any client.
            record.args = (on_one_line(client), method, str(path).partition("?")[0], *rest)
        return True


def keep_queries_out_of_logs() -> None:
    """Filter the access log of this process, for as long as it runs."""
    log = logging.getLogger("uvicorn.access")
    if not any(isinstance(each, WithoutQueries) for each in log.filters):
        log.addFilter(WithoutQueries())


def routes(desk: Desk) -> list[BaseRoute]:
    """Callbacks; TwiML if documents live here; the simulator if it answers."""
    services = desk.services
    found = callback_routes(CallbackReceiver.of(services), desk.history)
    if isinstance(services.storage, LocalStorage):
        found.append(twiml_route(services.storage))
    if services.simulator:
        # As a whole app: its routes need its state, its log and its error answers. A Mount would
        # take the prefix off its paths.
        found += [
            Route("/2010-04-01/{path:path}", services.simulator),
            Route("/simulator/{path:path}", services.simulator),
        ]
    return found
