"""Texts to copy: tunnels that let Twilio in to a laptop, and what nginx and Caddy need for it."""

from __future__ import annotations

from urllib.parse import urlsplit

from alerts.doctor.check import Fix

PORT = 8000
HERE = f"http://127.0.0.1:{PORT}"
CONSOLE = "https://console.twilio.com"
CREDENTIALS = Fix("TWILIO_ACCOUNT_SID=AC…\nTWILIO_AUTH_TOKEN=…", "In .env")

# Each keeps running and prints its address, but for Tailscale, whose address stays the same.
TUNNELS = (
    Fix(
        f"cloudflared tunnel --url {HERE}\n# In .env, then start Callboard again:\n"
        "PUBLIC_URL=https://….trycloudflare.com",
        "On a laptop, with cloudflared (no account needed)",
    ),
    Fix(
        f"ngrok http {PORT}\n# In .env, then start Callboard again:\n"
        "PUBLIC_URL=https://….ngrok-free.app",
        "Or with ngrok",
    ),
    Fix(
        f"tailscale funnel {PORT}\n# In .env, then start Callboard again:\n"
        "PUBLIC_URL=https://this-machine.….ts.net",
        "Or with Tailscale",
    ),
    Fix(
        f"ssh -N -R 127.0.0.1:{PORT}:127.0.0.1:{PORT} you@your-server\n"
        f"# On the server, which has a name and a certificate:\n"
        f"caddy reverse-proxy --from calls.your-server.example --to 127.0.0.1:{PORT}\n"
        "# In .env, then start Callboard again:\n"
        "PUBLIC_URL=https://calls.your-server.example",
        "Or with ssh, through a server of your own",
    ),
)
TWILIOS_PATHS = ("/twilio/", "/twiml/", "/healthz")


def open_paths(public_url: str, server: str) -> tuple[Fix, ...]:
    """Return what lets Twilio past a login, for the proxy that `server` (its header) names.

    Both proxies if it names neither. https://nginx.org/en/docs/http/ngx_http_auth_request_module.html
    """
    below = urlsplit(public_url).path.rstrip("/")
    nginx = Fix("\n".join(_location(f"{below}{path}", below) for path in TWILIOS_PATHS), "In nginx")
    paths = " ".join(f"{below}{path}{'*' * path.endswith('/')}" for path in TWILIOS_PATHS)
    strip = f"    uri strip_prefix {below}\n" if below else ""
    caddy = Fix(
        f"@twilio path {paths}\nhandle @twilio {{\n{strip}    reverse_proxy 127.0.0.1:{PORT}\n}}",
        "In Caddy, before the part that asks for a login",
    )
    name = server.partition("/")[0].strip().lower()
    return {"nginx": (nginx,), "caddy": (caddy,)}.get(name, (nginx, caddy))


def _location(path: str, below: str) -> str:
    upstream = f"{HERE}{path.removeprefix(below)}"
    kind = "" if path.endswith("/") else "= "
    return (
        f"location {kind}{path} {{\n    auth_request off;\n    auth_basic off;\n"
        f"    proxy_pass {upstream};\n}}"
    )
