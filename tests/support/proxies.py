"""nginx and Caddy in front of an app, each with a configuration as in its own manual."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.servers import free_port

START_SECONDS = 20

# https://nginx.org/en/docs/http/websocket.html
NGINX = """
daemon off; pid FOLDER/nginx.pid; error_log stderr;
events {}
http {
  access_log off; client_body_temp_path FOLDER; proxy_temp_path FOLDER; fastcgi_temp_path FOLDER;
  uwsgi_temp_path FOLDER; scgi_temp_path FOLDER;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 127.0.0.1:PORT;
    location /callboard/ {
      proxy_pass http://APP/;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      MORE
    }
  }
}
"""
# https://caddyserver.com/docs/caddyfile/patterns#reverse-proxy
CADDY = """
{
  admin off
  auto_https off
}
http://:PORT {
  handle_path /callboard/* {
    reverse_proxy APP
  }
}
"""


@contextmanager
def nginx(app: str, folder: Path, more: str = "") -> Iterator[str]:
    """nginx with its default headers, and `more` lines of configuration: the app's address there.

    Without nginx skip the test.
    """
    with _proxy("nginx", ["-c"], NGINX.replace("MORE", more), app, folder) as url:
        yield url


@contextmanager
def caddy(app: str, folder: Path) -> Iterator[str]:
    """Caddy with its default headers: the app's address there. Without Caddy skip the test."""
    arguments = ["run", "--adapter", "caddyfile", "--config"]
    with _proxy("caddy", arguments, CADDY, app, folder) as url:
        yield url


@contextmanager
def _proxy(
    program: str, arguments: list[str], configuration: str, app: str, folder: Path
) -> Iterator[str]:
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed (apt-get install {program})")
    port = free_port()
    values = {"FOLDER": str(folder), "PORT": str(port), "APP": urlsplit(app).netloc}
    for name, value in values.items():
        configuration = configuration.replace(name, value)
    file = folder / f"{program}.conf"
    file.write_text(configuration, encoding="utf-8")
    log = folder / f"{program}.log"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with log.open("wb") as output:
        proxy = subprocess.Popen(
            [path, *arguments, str(file)], stdout=output, stderr=output, env=environment
        )
        try:
            url = f"http://127.0.0.1:{port}/callboard/"
            deadline = time.monotonic() + START_SECONDS
            while not _answers(url):
                if proxy.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{program} did not start:\n{log.read_text()}")
                time.sleep(0.05)
            yield url
        finally:
            proxy.terminate()
            proxy.wait(timeout=20)


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=5)
    except httpx.TransportError:
        return False
    return True
