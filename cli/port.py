"""`python -m cli.port HOST PORT`: check that a server can listen there, before it is started."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Sequence

from cli import ACCEPTED, UNUSABLE


def main(arguments: Sequence[str]) -> int:
    """Say in one sentence why nothing can listen at HOST and PORT; return the exit status."""
    problem = why_not(*arguments)
    if problem:
        print(problem, file=sys.stderr)
    return UNUSABLE if problem else ACCEPTED


def why_not(host: str, port: str) -> str | None:
    """Return why a server can't listen at this port and what to do, or None if it can."""
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65_536:
        return f"PORT is {port}, but must be a number from 1 to 65535: make run PORT=8001"
    try:
        found = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as listener:
                if os.name == "posix":  # elsewhere it would take the port from another server
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
                listener.listen()
    except OSError as error:
        return _in_words(error, host, port)
    return None


def _in_words(error: OSError, host: str, port: str) -> str:
    other = "8001" if port != "8001" else "8002"
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is in use, perhaps by another Callboard: stop that, or choose another "
            f"port: make run PORT={other}"
        )
    if error.errno == errno.EACCES:
        return f"This user may not listen at port {port}: make run PORT={other}"
    return (
        f"Nothing can listen at {host} ({error.strerror}): HOST must be an address of this "
        "machine, such as 127.0.0.1, or 0.0.0.0 for all of them."
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
