"""nginx and Caddy in front of an app, each with a configuration as in its own manual."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.support.installed_programs import installed_program
from tests.support.running_app import PROJECT
from tests.support.servers import free_port

START_SECONDS = 20
DEPLOY = PROJECT / "deploy"

# https://nginx.org/en/docs/http/websocket.html
NGINX = """
USER daemon off; pid FOLDER/nginx.pid; error_log stderr;
events {}
http {
  access_log off; client_body_temp_path FOLDER; proxy_temp_path FOLDER; fastcgi_temp_path FOLDER;
  uwsgi_temp_path FOLDER; scgi_temp_path FOLDER;
  SERVER
}
"""
UPGRADE = """
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
"""
SERVER = """
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen 127.0.0.1:PORT;
    location /callboard/ {
      proxy_pass http://APP/;
      proxy_http_version 1.1;
UPGRADE
      MORE
    }
  }
""".replace("UPGRADE", UPGRADE)
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
def nginx(app: str, folder: Path, more: str = "", *, upgrade: bool = True) -> Iterator[str]:
    """nginx with its default headers, and `more` lines of configuration: the app's address there.

    Without `upgrade` it passes no WebSockets on. Without nginx skip the test.
    """
    server = SERVER if upgrade else SERVER.replace(UPGRADE, "")
    with nginx_serving(server.replace("MORE", more), app, folder) as url:
        yield url


@contextmanager
def nginx_serving(server: str, app: str, folder: Path) -> Iterator[str]:
    """nginx with all that stands in `http`, in which PORT and APP are replaced: its /callboard/."""
    with _proxy("nginx", ["-c"], NGINX.replace("SERVER", server), app, folder) as url:
        yield url


@contextmanager
def deployed_nginx(app: str, folder: Path, passwords: str) -> Iterator[str]:
    """nginx with deploy/nginx.conf, but for its places and ports: the app's address there."""
    (folder / "htpasswd").write_text(passwords, encoding="utf-8")
    (folder / "htpasswd").chmod(0o644)
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    text = _replaced(
        text,
        {
            "listen 80;": "listen 127.0.0.1:PORT;",
            "127.0.0.1:8000": "APP",
            "/etc/nginx/callboard.htpasswd": "FOLDER/htpasswd",
            "/var/log/nginx/callboard.log": "FOLDER/access.log",
        },
    )
    with nginx_serving(text, app, folder) as url:
        yield url


@contextmanager
def deployed_caddy(app: str, folder: Path, password_hash: str) -> Iterator[str]:
    """Caddy with deploy/Caddyfile, but for its name and ports: the app's address there."""
    text = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    text = _replaced(
        text,
        {
            "\ncalls.example.com {": "\n{\n admin off\n auto_https off\n}\nhttp://:PORT {",
            "127.0.0.1:8000": "APP",
            "HASH": password_hash,
        },
    )
    arguments = ["run", "--adapter", "caddyfile", "--config"]
    with _proxy("caddy", arguments, text, app, folder) as url:
        yield url


def _replaced(text: str, places: dict[str, str]) -> str:
    for shown, here in places.items():
        assert shown in text, shown
        text = text.replace(shown, here)
    return text


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
    path, port = installed_program(program), free_port()
    # Else its workers are another user, who can't read what is in a folder of the tests.
    user = "user root;" if os.geteuid() == 0 else ""
    values = {"USER": user, "FOLDER": str(folder), "PORT": str(port), "APP": urlsplit(app).netloc}
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
