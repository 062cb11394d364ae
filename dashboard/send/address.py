"""The page's address names what it shows, so that a reloaded page shows it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs

from shiny import Session, reactive

from alerts import UnusableInput
from dashboard.inputs import text
from dashboard.live_alert import LiveAlert

NAMED = ("alert", "broadcast")


def address_server(session: Session, live: LiveAlert) -> None:
    """Show what the page's address names. For use inside a module's server."""

    @reactive.effect
    def find() -> None:
        # session.clientdata raises an error until the browser has sent it; this input just waits.
        address = session.root_scope().input[".clientdata_url_search"]()
        alert_id, broadcast_id = (value_in(address, _parameter(session, name)) for name in NAMED)
        if alert_id:
            live.find(alert_id)
        elif broadcast_id:
            live.find_broadcast(broadcast_id)


async def show_in_address(session: Session, **shown: str) -> None:
    """Put an id into the page's address, so that a reloaded page shows the same again."""
    values: dict[str, object] = {_parameter(session, each): shown.get(each, "") for each in NAMED}
    await session.send_custom_message("callboard-address", values)


def own_name(session: Session) -> str:
    """Return the id that this instance of the module was given."""
    return session.ns("page").removesuffix("-page")


def _parameter(session: Session, name: str) -> str:
    """Return the address's parameter for this instance: two on a page don't share theirs."""
    own = own_name(session)
    return name if own == "send" else f"{own}-{name}"


def value_in(address: object, name: str) -> str:
    """Return a parameter in the query of a page's address, "" if it isn't there."""
    try:
        parameters: Mapping[str, Sequence[str]] = parse_qs(
            text(address, "address").removeprefix("?")
        )
    except (UnusableInput, ValueError):
        return ""  # no browser has such an address
    return parameters.get(name, [""])[0]
