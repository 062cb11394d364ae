"""Settings that can't go together, each with a sentence that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settings.settings import Settings


def contradictions(settings: Settings) -> list[str]:
    """Return a sentence for each pair of settings that contradict each other, basic ones first."""
    account, token = settings.twilio_account_sid, settings.twilio_auth_token
    key, key_secret = settings.twilio_api_key_sid, settings.twilio_api_key_secret
    storage = settings.storage_kind
    rules = [
        (
            account and not token and not (key and key_secret),
            "TWILIO_ACCOUNT_SID is set but TWILIO_AUTH_TOKEN is not: set the token, or an API key "
            "(TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET).",
        ),
        (
            not account and token,
            "TWILIO_AUTH_TOKEN is set but TWILIO_ACCOUNT_SID is not: set both to call through "
            "Twilio, or neither to use the simulator.",
        ),
        (key and not key_secret, "TWILIO_API_KEY_SID is set but TWILIO_API_KEY_SECRET is not."),
        (key_secret and not key, "TWILIO_API_KEY_SECRET is set but TWILIO_API_KEY_SID is not."),
        (not account and key, "TWILIO_API_KEY_SID is set but TWILIO_ACCOUNT_SID is not."),
        (
            not account and settings.twilio_base_url != "https://api.twilio.com",
            "TWILIO_BASE_URL is set but TWILIO_ACCOUNT_SID is not, so nothing would be sent there.",
        ),
        (
            account and not settings.twilio_from_number,
            "TWILIO_FROM_NUMBER is missing: set it to a number of your Twilio account, such as "
            "+14155550100.",
        ),
        (
            account and settings.public_url and not token,
            "PUBLIC_URL is set but TWILIO_AUTH_TOKEN is not, and without it Twilio's callbacks "
            "cannot be checked.",
        ),
        (
            storage == "s3" and not settings.s3_bucket,
            "STORAGE is s3 but S3_BUCKET is not set: name the bucket.",
        ),
        (
            storage == "ftp" and not settings.ftp_url,
            "STORAGE is ftp but FTP_URL is not set: set it to ftp://user:password@host/folder.",
        ),
        (
            storage == "ftp" and not settings.ftp_public_base_url,
            "STORAGE is ftp but FTP_PUBLIC_BASE_URL is not set: set it to the http address of the "
            "folder.",
        ),
        (
            storage == "local" and account and not settings.public_url,
            "STORAGE is local but PUBLIC_URL is not set: Twilio has to reach this app to fetch "
            "the TwiML.",
        ),
        (
            settings.ftp_url and storage != "ftp",
            f"FTP_URL is set but documents go to {storage}: set STORAGE=ftp or remove FTP_URL.",
        ),
        *_of_access(settings),
    ]
    return [sentence for broken, sentence in rules if broken]


def _of_access(settings: Settings) -> list[tuple[object, str]]:
    """Return what can't go together in the settings of access, with a sentence for each."""
    header, proxies = settings.identity_header, settings.trusted_proxies
    ways = {
        "USERS_FILE": settings.users_file,
        "DASHBOARD_PASSWORD": settings.dashboard_password,
        "IDENTITY_HEADER": header,
    }
    ways_set = [name for name, value in ways.items() if value]
    roles = {
        "SENDERS": settings.senders,
        "RULE_WRITERS": settings.rule_writers,
        "ADMINS": settings.admins,
    }
    role = next((name for name, value in roles.items() if value is not None), "")
    return [
        (
            len(ways_set) > 1,
            f"{' and '.join(ways_set)} are set: choose one way to tell who a visitor is.",
        ),
        (
            settings.dashboard_password and role,
            f"{role} is set but with DASHBOARD_PASSWORD anyone can sign in under any name: use "
            "USERS_FILE instead.",
        ),
        (
            settings.allow_anonymous and (ways_set or role),
            f"ALLOW_ANONYMOUS is set, and so is {(*ways_set, role)[0]}: remove one of them.",
        ),
        (
            header and not proxies,
            "IDENTITY_HEADER is set but TRUSTED_PROXIES is not: set it to the address that your "
            "proxy connects from, because anyone can send a header.",
        ),
        (proxies and not header, "TRUSTED_PROXIES is set but IDENTITY_HEADER is not."),
    ]
