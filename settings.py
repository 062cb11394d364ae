"""Every setting of Callboard, read once from the environment and from `.env` beside app.py.

A real environment variable wins over `.env`; a blank one counts as absent, and white space at both
ends is dropped. If a setting is wrong, one `SettingsError` says which it is and what to do.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

HERE = Path(__file__).parent
ENV_FILE = HERE / ".env"

# Names that others read from the environment: sources.toml, boto3, proxies, certificates.
LIBRARIES_PREFIXES = (
    "SOURCE_", "AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_",
)  # fmt: skip
OUR_PREFIXES = ("TWILIO_", "S3_", "FTP_")

StorageKind = Literal["s3", "ftp", "local", "inline"]
FEWEST_PASSWORD_CHARACTERS = 8
MOST_REPEATED_CHARACTERS = 100
PositiveRate = Annotated[float, Field(gt=0, le=1000)]


class SettingsError(ValueError):
    """A setting is unknown, missing, malformed or contradicts another. The text is one sentence."""


class Stripped(PydanticBaseSettingsSource):
    """The values of another source without white space at both ends, and without blank ones."""

    def __init__(
        self, settings_class: type[BaseSettings], source: PydanticBaseSettingsSource
    ) -> None:
        super().__init__(settings_class)
        self._source = source

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return what the other source has."""
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        values = {name: _stripped(value) for name, value in self._source().items()}
        return {name: value for name, value in values.items() if value != ""}


def _stripped(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return SecretStr(value.get_secret_value().strip())
    return value.strip() if isinstance(value, str) else value


def default_data_dir() -> Path:
    """Return the folder that systemd made for the service (`StateDirectory=`), else `data/` here.

    https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#RuntimeDirectory=
    """
    # A service may have several, with colons between them.
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0].strip()
    return Path(folder) if folder else HERE / "data"


def _default_database(validated: dict[str, Any]) -> SecretStr:
    return SecretStr(f"sqlite:///{validated['data_dir'] / 'callboard.sqlite'}")


class Settings(BaseSettings):
    """The settings, frozen, with the secrets masked in their repr.

    Raise `SettingsError`, which names the first setting that is wrong.
    """

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    twilio_account_sid: str | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_api_key_sid: str | None = None
    twilio_api_key_secret: SecretStr | None = None
    twilio_from_number: str | None = None
    twilio_messaging_service_sid: str | None = None
    twilio_base_url: str = "https://api.twilio.com"
    twilio_calls_per_second: PositiveRate = 1
    twilio_texts_per_second: PositiveRate = 1
    alerts_per_number_per_hour: Annotated[int, Field(ge=1, le=100_000)] = 20
    alerts_per_person_per_hour: Annotated[int, Field(ge=1, le=100_000)] = 100
    # In the account's currency.
    daily_spend_limit: Annotated[float | None, Field(gt=0, le=1_000_000)] = None
    max_recipients: Annotated[int, Field(ge=1, le=1000)] = 50

    # If it is not set, `storage_kind` decides.
    storage: StorageKind | None = None
    s3_bucket: str | None = None
    s3_prefix: str = "twiml/"
    s3_public_base_url: str | None = None
    s3_expire_days: Annotated[int, Field(ge=1, le=3650)] = 7
    ftp_url: SecretStr | None = None
    ftp_public_base_url: str | None = None

    public_url: str | None = None
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    # For those who may read /metrics.
    metrics_token: SecretStr | None = None
    # Where the history is unless DATABASE_URL says otherwise, and hosted documents.
    data_dir: Path = Field(default_factory=default_data_dir)
    # Which data rules can watch; the example's unless it is set.
    sources_file: Path = HERE / "sources.toml"
    database_url: SecretStr = Field(default_factory=_default_database)
    keep_days: Annotated[int, Field(ge=1, le=36_500)] = 400
    # Of senders who name none; if it is not set, the machine's.
    time_zone: str | None = None
    default_region: str = "US"
    allowed_regions: Annotated[tuple[str, ...], NoDecode] = ()

    # Who may use the pages: docs/access.md.
    users_file: Path | None = None
    dashboard_password: SecretStr | None = None
    identity_header: str | None = None
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    allow_anonymous: bool = False
    sign_in_idle_hours: Annotated[float, Field(gt=0, le=720)] = 12
    # If one is not set, everybody who signs in may do it.
    senders: Annotated[tuple[str, ...] | None, NoDecode] = None
    rule_writers: Annotated[tuple[str, ...] | None, NoDecode] = None
    admins: Annotated[tuple[str, ...] | None, NoDecode] = None

    def __init__(self, **values: Any) -> None:
        env_file = values.get("_env_file", ENV_FILE)
        in_file = {} if env_file is None else _read(Path(env_file))
        problem = _unknown_name(in_file)
        if problem is None:
            try:
                super().__init__(**values)
                problem = next(iter(_contradictions(self)), None)
            except ValidationError as invalid:
                problem = _one_sentence(invalid)
        if problem:
            # Forget the secrets before raising: a traceback may show local variables.
            del values, in_file
            raise SettingsError(problem)
        _hand_to_libraries(in_file)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, the environment and `.env`, in this order, each `Stripped`."""
        given = (init_settings, env_settings, dotenv_settings)
        return tuple(Stripped(settings_cls, source) for source in given)

    @property
    def simulated(self) -> bool:
        """Whether the simulator stands in for Twilio, because no account is set."""
        return self.twilio_account_sid is None

    @property
    def storage_kind(self) -> StorageKind:
        """Where TwiML documents are kept: `STORAGE`, or what follows from the other settings."""
        if self.storage is not None:
            return self.storage
        if self.s3_bucket:
            return "s3"
        return "local" if self.simulated or self.public_url else "inline"

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions (ISO 3166-1 alpha-2) that may be called."""
        return self.allowed_regions or (self.default_region,)

    @property
    def page_origins(self) -> tuple[str, ...]:
        """The origins at which people may open the pages: of `ALLOWED_ORIGINS` and `PUBLIC_URL`.

        As browsers write them: scheme, host, and a port if it isn't the scheme's own.
        """
        public = (_origin(self.public_url),) if self.public_url else ()
        return (*public, *self.allowed_origins)

    @field_validator("twilio_account_sid", "twilio_api_key_sid", "twilio_messaging_service_sid")
    @classmethod
    def _is_sid(cls, sid: str | None, info: Any) -> str | None:
        prefix = {"twilio_account_sid": "AC", "twilio_api_key_sid": "SK"}.get(info.field_name, "MG")
        if sid is not None and not re.fullmatch(prefix + r"[0-9A-Za-z]+", sid):
            raise ValueError(f"must start with {prefix} and contain only letters and digits")
        return sid

    @field_validator("twilio_from_number")
    @classmethod
    def _is_e164(cls, number: str | None) -> str | None:
        if number is not None and not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
            raise ValueError("must be a number in E.164 form, such as +14155550100")
        return number

    @field_validator("twilio_base_url", "s3_public_base_url", "ftp_public_base_url", "public_url")
    @classmethod
    def _is_web_address(cls, url: str | None, info: Any) -> str | None:
        if url is None:
            return None
        try:
            parts = urlsplit(url)
            _ = parts.port  # Python parses the port only here.
        except ValueError:
            raise ValueError("must be an address such as https://example.com") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an address that starts with http:// or https://")
        if not re.fullmatch(r"[\w.:-]+", parts.hostname) or re.search(r"\s", url):
            raise ValueError("must be an address such as https://example.com")
        # Twilio never fetches from the address of its own API, so that may have an underscore.
        if "_" in parts.hostname and info.field_name != "twilio_base_url":
            raise ValueError("has an underscore in its host name, which Twilio refuses")
        if parts.query or parts.fragment:
            raise ValueError("must be an address without a ? or # part")
        if parts.username is not None:
            raise ValueError("must be an address without a user name or password")
        return url.rstrip("/")

    @field_validator("s3_bucket", "s3_prefix")
    @classmethod
    def _is_no_address(cls, name: str | None) -> str | None:
        # `storage` checks the rest, and repeats what it refuses.
        if name is not None and "@" in name:
            raise ValueError("must be a name, not an address with a user and password")
        return name

    @field_validator("ftp_url")
    @classmethod
    def _is_ftp_address(cls, url: SecretStr | None) -> SecretStr | None:
        sentence = "must look like ftp://user:password@host/folder (or ftps://)"
        if url is None:
            return None
        try:
            parts = urlsplit(url.get_secret_value())
        except ValueError:
            # Python's own message may quote the password.
            raise ValueError(sentence) from None
        if parts.scheme not in {"ftp", "ftps"} or not parts.hostname:
            raise ValueError(sentence)
        return url

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        return url

    @field_validator("sources_file", mode="before")
    @classmethod
    def _is_file(cls, file: str | Path) -> Path:
        # From beside app.py, as below. Without a sources.toml of its own, there are just uploads.
        path = HERE / os.path.expanduser(file)
        # Not `Path.is_file`, which raises if the path is too long or may not be looked at.
        if "\0" in str(file) or (path != HERE / "sources.toml" and not os.path.isfile(path)):
            raise ValueError(f"is {_repeated(file)}, which is no file")
        return path

    @field_validator("data_dir", mode="before")
    @classmethod
    def _is_folder(cls, folder: str | Path) -> Path:
        # SQLAlchemy would take a ? for the end of the path of the history.
        if "?" in str(folder) or "\0" in str(folder):
            raise ValueError("must be a folder whose path has no ? in it")
        # Not from the folder that the process was started in, which differs between processes. Not
        # `Path.expanduser`, which raises if there is no home.
        return HERE / os.path.expanduser(folder)

    @field_validator("metrics_token")
    @classmethod
    def _is_long(cls, token: SecretStr | None) -> SecretStr | None:
        text = token.get_secret_value() if token else None
        # RFC 6750 allows few other characters, and some proxies drop what isn't ASCII.
        if text is not None and not re.fullmatch(r"[\x21-\x7e]{16,}", text):
            raise ValueError(
                "must be 16 characters or more, without spaces, such as `openssl rand -hex 16` "
                "prints"
            )
        return token

    @field_validator("users_file", mode="before")
    @classmethod
    def _is_users_file(cls, file: str | Path | None) -> Path | None:
        if file is None:
            return None
        # It may not be there yet: `users add` makes it.
        path = HERE / os.path.expanduser(file)
        if "\0" in str(file) or os.path.isdir(path) or not os.path.isdir(path.parent):
            raise ValueError(f"is {_repeated(file)}, which is no file in a folder that is there")
        return path

    @field_validator("dashboard_password")
    @classmethod
    def _is_long_enough(cls, password: SecretStr | None) -> SecretStr | None:
        if password is not None and len(password.get_secret_value()) < FEWEST_PASSWORD_CHARACTERS:
            raise ValueError(f"must have {FEWEST_PASSWORD_CHARACTERS} characters or more")
        return password

    @field_validator("identity_header")
    @classmethod
    def _is_header(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z0-9-]+", name):
            raise ValueError("must be the name of a header, such as X-Forwarded-User")
        return name

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _are_networks(cls, networks: str | tuple[str, ...]) -> tuple[str, ...]:
        names = re.split(r"[,\s]+", networks.strip()) if isinstance(networks, str) else networks
        for name in names:
            try:
                ipaddress.ip_network(name)
            except ValueError:
                raise ValueError(
                    f"contains {_repeated(name)}, which is not an address such as 127.0.0.1 or "
                    "10.0.0.0/24"
                ) from None
        return tuple(names)

    @field_validator("senders", "rule_writers", "admins", mode="before")
    @classmethod
    def _are_names(cls, names: str | tuple[str, ...] | None) -> tuple[str, ...] | None:
        # Names may have spaces in them.
        if names is None:
            return None
        parts = re.split(r"[,\n]", names) if isinstance(names, str) else names
        return tuple(part.strip() for part in parts if part.strip())

    @field_validator("time_zone")
    @classmethod
    def _is_time_zone(cls, name: str | None) -> str | None:
        try:
            ZoneInfo(name or "UTC")
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be a time zone such as America/New_York") from None
        return name

    @field_validator("default_region")
    @classmethod
    def _is_region(cls, region: str) -> str:
        return _known_region(region)

    @field_validator("allowed_regions", mode="before")
    @classmethod
    def _are_regions(cls, regions: str | tuple[str, ...]) -> tuple[str, ...]:
        names = re.split(r"[,\s]+", regions.strip()) if isinstance(regions, str) else regions
        return tuple(_known_region(name) for name in names if name)

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _are_origins(cls, origins: str | tuple[str, ...]) -> tuple[str, ...]:
        names = re.split(r"[,\s]+", origins.strip()) if isinstance(origins, str) else origins
        return tuple(_checked_origin(name) for name in names if name)


def _repeated(value: object) -> str:
    """Return what somebody typed for use in a sentence: short, and without what may be a secret."""
    text = str(value)
    if "@" in text:
        return "something with an @"  # perhaps the user and password of an address
    return repr(text[:MOST_REPEATED_CHARACTERS]) + "…" * (len(text) > MOST_REPEATED_CHARACTERS)


def _checked_origin(name: str) -> str:
    sentence = (
        f"contains {_repeated(name)}, which is not an origin such as https://calls.example.com"
    )
    try:
        parts = urlsplit(name)
        origin = _origin(name)
    except ValueError:
        raise ValueError(sentence) from None
    if "@" in parts.netloc:
        raise ValueError("must be origins without a user name or password")
    is_whole = parts.scheme in {"http", "https"} and re.fullmatch(r"[\w.:-]+", parts.hostname or "")
    if not is_whole or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(sentence)
    return origin


def _origin(url: str) -> str:
    """Return the origin of an address. https://html.spec.whatwg.org/multipage/browsers.html#origin"""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    is_usual = parts.port in {None, {"http": 80, "https": 443}.get(parts.scheme)}
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{parts.port}")


def _contradictions(settings: Settings) -> list[str]:
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
        *_contradictions_of_access(settings),
    ]
    return [sentence for broken, sentence in rules if broken]


def _contradictions_of_access(settings: Settings) -> list[tuple[object, str]]:
    """Return what can't go together in who may use the pages, and a sentence for each."""
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
            f"{' and '.join(ways_set)} are set: choose one way to tell who somebody is.",
        ),
        (
            settings.dashboard_password and role,
            f"{role} is set but with DASHBOARD_PASSWORD anybody can sign in by any name: use "
            "USERS_FILE instead.",
        ),
        (
            settings.allow_anonymous and (ways_set or role),
            f"ALLOW_ANONYMOUS is set, and so is {(*ways_set, role)[0]}: remove one of them.",
        ),
        (
            header and not proxies,
            "IDENTITY_HEADER is set but TRUSTED_PROXIES is not: set it to the address that your "
            "proxy connects from, because anybody can send a header.",
        ),
        (proxies and not header, "TRUSTED_PROXIES is set but IDENTITY_HEADER is not."),
    ]


def _known_region(region: str) -> str:
    if region.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(
            f"contains {_repeated(region)}, which is not a two-letter country code such as US"
        )
    return region.upper()


def _one_sentence(invalid: ValidationError) -> str:
    """Return pydantic's first complaint as a sentence about the setting, without its value."""
    first = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
    name = str(first["loc"][0]).upper() if first["loc"] else "A setting"
    problem = first["msg"].removeprefix("Value error, ")
    if first["type"] == "literal_error":
        problem = "must be one of s3, ftp, local or inline"
    elif first["type"] != "value_error":
        problem = problem[0].lower() + problem[1:]
        problem = problem.replace("input should", "should")
    return f"{name} {problem}."


def _read(env_file: Path) -> dict[str, str | None]:
    """Return the names and values in `.env`, or nothing if there is no such file."""
    try:
        if not env_file.is_file():
            return {}
        with env_file.open(encoding="utf-8") as lines:
            bad_line = next(
                (each.original.line for each in parse_stream(lines) if each.error), None
            )
        if bad_line is None:
            return dotenv_values(env_file)
        reason = f"line {bad_line} is not of the form NAME=value"
    except (OSError, UnicodeDecodeError) as problem:
        reason = "it isn't UTF-8 text"
        if isinstance(problem, OSError):
            reason = problem.strerror or "no reason given"
    raise SettingsError(f"{env_file.name} can't be read: {reason}.")


def _unknown_name(in_file: Iterable[str]) -> str | None:
    """Return a sentence about a name in `.env` that is no setting, or a typo in the environment."""
    known = {name.upper() for name in Settings.model_fields}
    for name in in_file:
        # SOURCE_FILE is rather a mistake for SOURCES_FILE than a secret of a source.
        is_others = name.upper().startswith(LIBRARIES_PREFIXES) and name.upper() != "SOURCE_FILE"
        if name.upper() in known or is_others:
            continue
        if not re.fullmatch(r"[A-Z]+|[A-Za-z0-9]+(_[A-Za-z0-9]+)+", name):
            # Perhaps a secret that was pasted by itself, so don't repeat it.
            return "A line of .env is not of the form NAME=value, with a setting's name."
        return f"{name} in .env is not a setting of Callboard{_guess(name, known)}."
    for name in os.environ:
        # Other programs use names such as TWILIO_REGION, so complain only about near misses.
        near_miss = _guess(name, known)
        if name.startswith(OUR_PREFIXES) and name.upper() not in known and near_miss:
            return f"{name} is not a setting of Callboard{near_miss}."
    return None


def _guess(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.85)
    return f"; did you mean {close[0]}" if close else ""


def _hand_to_libraries(in_file: Mapping[str, str | None]) -> None:
    """Copy libraries' names from `.env` to the environment, which is all they read.

    A real variable still wins. Neither keeps white space at its ends: a key of AWS that was pasted
    with its line's end is no key.
    """
    for name, value in (*in_file.items(), *os.environ.items()):
        if name.upper().startswith(LIBRARIES_PREFIXES) and value:
            here = os.environ.get(name, "").strip()
            if here or value.strip():
                os.environ[name] = here or value.strip()
