"""`python -m simulator`: the simulator alone, on a port of its own."""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys

import uvicorn

from simulator.app import create_app
from simulator.models.account import OPENING_BALANCE_DOLLARS, SIMULATOR_ACCOUNT_SID
from simulator.models.phone_numbers import SIMULATOR_FROM_NUMBER


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; return 0 then, 1 if the port is taken, 2 for unusable arguments."""
    options = _parser().parse_args(arguments)
    try:
        app = create_app(
            account_sid=options.account_sid,
            auth_token=options.auth_token,
            api_key_sid=options.api_key_sid,
            api_key_secret=options.api_key_secret,
            from_number=options.from_number,
            short_codes=options.short_code,
            speed=options.speed,
            calls_per_second=options.calls_per_second,
            on_trial=options.trial,
            opening_balance=options.balance,
        )
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        listener = socket.create_server((options.host, options.port))
        # Without it each response on a kept connection waits 40 ms for an acknowledgment.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, OverflowError) as error:
        print(f"Can't listen on {options.host}:{options.port} ({error}).", file=sys.stderr)
        print("Choose another port with --port.", file=sys.stderr)
        return 1
    address = f"http://{options.host}:{listener.getsockname()[1]}"
    print(
        f"The Twilio simulator listens on {address}. To use it, set TWILIO_BASE_URL={address} "
        f"TWILIO_FROM_NUMBER={options.from_number} "
        f"TWILIO_ACCOUNT_SID={options.account_sid or SIMULATOR_ACCOUNT_SID} and TWILIO_AUTH_TOKEN.",
        flush=True,
    )
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
    # uvicorn raises KeyboardInterrupt once it has shut down, which is how this program ends.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m simulator",
        description="A stand-in for Twilio: its REST API under /2010-04-01, and under /simulator "
        "what it doesn't have: log, faults, callbacks, clock, calls/{sid} and texts/{number}.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on: %(default)s")
    parser.add_argument(
        "--port", type=int, default=4010, help="%(default)s; 0 takes any that is free"
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help="simulated seconds per second: %(default)s; 0 waits for steps at /simulator/clock",
    )
    parser.add_argument(
        "--calls-per-second",
        type=float,
        default=1.0,
        help="of each account, in simulated seconds: %(default)s",
    )
    parser.add_argument(
        "--trial", action="store_true", help="accounts are on trial: they reach verified numbers"
    )
    parser.add_argument(
        "--balance",
        type=float,
        default=OPENING_BALANCE_DOLLARS,
        help="of each account, in US dollars: %(default)s",
    )
    parser.add_argument("--account-sid", help="the only account that may sign in")
    parser.add_argument("--auth-token", help="its auth token")
    parser.add_argument("--api-key-sid", help="an API key that may sign in as well")
    parser.add_argument("--api-key-secret", help="its secret")
    parser.add_argument(
        "--from-number", default=SIMULATOR_FROM_NUMBER, help="the account's number: %(default)s"
    )
    parser.add_argument(
        "--short-code",
        action="append",
        default=[],
        help="a short code the account texts from as well; may be given several times",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
