"""`Settings`: every setting with its kind, its default, and what follows from several of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from settings.contradictions import contradictions
from settings.environment import (
    SettingsError,
    Stripped,
    hand_to_libraries,
    read_env_file,
    unknown_name,
)
from settings.values import (
    HERE,
    AccountSid,
    ApiKeySid,
    DatabaseUrl,
    DataFolder,
    E164Number,
    FetchedAddress,
    FtpAddress,
    HeaderName,
    MessagingServiceSid,
    MetricsToken,
    Names,
    Networks,
    Origins,
    Password,
    Region,
    Regions,
    SourcesFile,
    StorageName,
    TimeZone,
    UsersFile,
    WebAddress,
    default_data_dir,
    origin_of,
)

ENV_FILE = HERE / ".env"

StorageKind = Literal["s3", "ftp", "local", "inline"]
PositiveRate = Annotated[float, Field(gt=0, le=1000)]


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

    twilio_account_sid: AccountSid | None = None
    twilio_auth_token: SecretStr | None = None
    twilio_api_key_sid: ApiKeySid | None = None
    twilio_api_key_secret: SecretStr | None = None
    twilio_from_number: E164Number | None = None
    twilio_messaging_service_sid: MessagingServiceSid | None = None
    twilio_base_url: WebAddress = "https://api.twilio.com"
    twilio_calls_per_second: PositiveRate = 1
    twilio_texts_per_second: PositiveRate = 1
    alerts_per_number_per_hour: Annotated[int, Field(ge=1, le=100_000)] = 20
    alerts_per_person_per_hour: Annotated[int, Field(ge=1, le=100_000)] = 100
    # In the account's currency.
    daily_spend_limit: Annotated[float | None, Field(gt=0, le=1_000_000)] = None
    max_recipients: Annotated[int, Field(ge=1, le=1000)] = 50

    # If it is not set, `storage_kind` decides.
    storage: StorageKind | None = None
    s3_bucket: StorageName | None = None
    s3_prefix: StorageName = "twiml/"
    s3_public_base_url: FetchedAddress | None = None
    s3_expire_days: Annotated[int, Field(ge=1, le=3650)] = 7
    ftp_url: FtpAddress | None = None
    ftp_public_base_url: FetchedAddress | None = None

    public_url: FetchedAddress | None = None
    allowed_origins: Origins = ()
    # Lets programs elsewhere read /metrics.
    metrics_token: MetricsToken | None = None
    # Where the history is unless DATABASE_URL says otherwise, and hosted documents.
    data_dir: DataFolder = Field(default_factory=default_data_dir)
    # The data that rules can watch; the example's by default.
    sources_file: SourcesFile = HERE / "sources.toml"
    database_url: DatabaseUrl = Field(default_factory=_default_database)
    keep_days: Annotated[int, Field(ge=1, le=36_500)] = 400
    # The zone of senders who name none; by default the machine's.
    time_zone: TimeZone | None = None
    default_region: Region = "US"
    allowed_regions: Regions = ()

    # Who may use the pages: docs/access.md.
    users_file: UsersFile | None = None
    dashboard_password: Password | None = None
    identity_header: HeaderName | None = None
    trusted_proxies: Networks = ()
    allow_anonymous: bool = False
    sign_in_idle_hours: Annotated[float, Field(gt=0, le=720)] = 12
    # If one of these is not set, everybody who signs in has the permission.
    senders: Annotated[Names | None, NoDecode] = None
    rule_writers: Annotated[Names | None, NoDecode] = None
    admins: Annotated[Names | None, NoDecode] = None

    def __init__(self, **values: Any) -> None:
        env_file = values.get("_env_file", ENV_FILE)
        in_file = {} if env_file is None else read_env_file(Path(env_file))
        problem = unknown_name(in_file, {name.upper() for name in type(self).model_fields})
        if problem is None:
            try:
                super().__init__(**values)
                problem = next(iter(contradictions(self)), None)
            except ValidationError as invalid:
                problem = _one_sentence(invalid)
        if problem:
            # Forget the secrets before raising: a traceback may show local variables.
            del values, in_file
            raise SettingsError(problem)
        hand_to_libraries(in_file)

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
        """The origins at which people may open the pages: of `ALLOWED_ORIGINS` and `PUBLIC_URL`."""
        public = (origin_of(self.public_url),) if self.public_url else ()
        return (*public, *self.allowed_origins)


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
