"""What monitoring sees of the app: `/healthz` and `/metrics`."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import SecretStr
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from alerts import Desk
from monitoring.health import Health
from monitoring.metrics import Metrics


def nobody(_: Scope) -> bool:
    """Return False: no request counts as one from this machine."""
    return False


def routes(
    desk: Desk, token: SecretStr | None, is_local: Callable[[Scope], bool] = nobody
) -> list[BaseRoute]:
    """Return the routes: health for everybody, metrics for those who have the `token`.

    Without a token, metrics are for requests that `is_local` knows to come from this machine.
    """
    return [
        Route("/healthz", Health(desk), methods=["GET"]),
        Route("/metrics", Metrics(desk, token, is_local), methods=["GET"]),
    ]
