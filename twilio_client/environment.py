"""What the environment says about the network: the proxy, and the certificates to trust.

`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (in small letters too), `SSL_CERT_FILE`,
`SSL_CERT_DIR` and `SSLKEYLOGFILE`. Everything that makes requests reads them here, so that a check
sees what sending sees.
"""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

import httpx

# A proxy's address. With one of / ? # in the password, programs would end the host there, look part
# of the password up as a host, and write it to their logs.
_PROXY = re.compile(
    r"((?P<scheme>[a-z]+)://)?([^/?#\s\\]*@)?"
    r"([a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(:(?P<port>[0-9]+))?/?",
    re.IGNORECASE,
)


class EnvironmentProblem(httpx.ConnectError):
    """A variable of the environment keeps every request from being sent. Shows no password."""


def proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """Return the proxy that requests to `url` go through, or None.

    Raise `EnvironmentProblem`, which names the variable, if its value can't be used.
    """
    proxies = getproxies()
    kind = url.scheme if proxies.get(url.scheme) else "all"
    address = proxies.get(kind, "").strip()
    # NO_PROXY may hold hosts, and hosts with a port.
    if not address or proxy_bypass(url.host) or proxy_bypass(url.netloc.decode("ascii")):
        return None
    proxy, reason = _read_proxy(address)
    if proxy is None:
        # Raised here, where no error that quotes the password is being handled.
        raise EnvironmentProblem(f"{_name_of(kind)} {reason}")
    return proxy


def tls_context() -> ssl.SSLContext:
    """Return the settings for TLS: the certificates of `SSL_CERT_FILE` or `SSL_CERT_DIR`, if set.

    Raise `EnvironmentProblem`, which names the variable, if they can't be read.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        _require_readable("SSL_CERT_FILE", file)
        return _context(f"SSL_CERT_FILE names {file}, which holds no certificates", cafile=file)
    if folder:
        # OpenSSL takes several folders, and says nothing about those that aren't there.
        folders = [each for each in folder.split(os.pathsep) if each]
        if not any(Path(each).is_dir() for each in folders):
            raise EnvironmentProblem(f"SSL_CERT_DIR names {folder}, which is no folder")
        return _context(f"SSL_CERT_DIR names {folder}, which can't be read", capath=folder)
    return _context("the certificates to trust can't be read")


def _read_proxy(address: str) -> tuple[httpx.Proxy | None, str]:
    """Return the proxy, or None and what is wrong with its address."""
    scheme = address.partition("://")[0].lower() if "://" in address else "http"
    if scheme not in {"http", "https"}:
        return None, "must begin with http://, because other proxies aren't supported"
    read = _PROXY.fullmatch(address)
    if read is None:
        return None, (
            "must look like http://user:password@host:port, with special characters in the "
            "password written as %XX"
        )
    if read["port"] and not 0 < int(read["port"][:6]) < 65_536:
        return None, "must have a port between 1 and 65535"
    try:
        proxy = httpx.Proxy(address if read["scheme"] else f"http://{address}")
        user, password = proxy.auth or ("", "")
        f"{user}{password}".encode("latin-1")  # as the header for the proxy is written
    except (httpx.InvalidURL, ValueError):
        return None, "has a host, user name or password that can't be used"
    if ":" in user:
        return None, "has a user name with a colon, which a proxy would take for its end"
    return proxy, ""


def _name_of(kind: str) -> str:
    """Return the variable that `getproxies` read: the one in small letters wins."""
    name = f"{kind}_proxy"
    found = sorted((each for each in os.environ if each.lower() == name), reverse=True)
    return next((each for each in found if os.environ[each]), "the proxy of this system")


def _require_readable(name: str, file: str) -> None:
    try:
        with Path(file).open("rb"):
            return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have that name"
    raise EnvironmentProblem(f"{name} names {file}, which can't be read: {reason}")


def _context(problem: str, **certificates: str) -> ssl.SSLContext:
    try:
        if not certificates:
            return httpx.create_ssl_context(trust_env=False)
        return ssl.create_default_context(**certificates)  # type: ignore[arg-type]
    except (OSError, ValueError) as error:
        # Python writes TLS secrets to SSLKEYLOGFILE, and fails if it can't.
        key_log = os.environ.get("SSLKEYLOGFILE")
        if key_log and not isinstance(error, ssl.SSLError):
            problem = f"SSLKEYLOGFILE names {key_log}, which can't be written"
    raise EnvironmentProblem(problem)
