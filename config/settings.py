"""Settings of the worker and of all commands: one frozen, typed model and one loader.

>>> settings = load_settings(kafka__brokers="127.0.0.1:9092", topics={"prefix": "try-"})
>>> settings.topics.orders
'try-orders'
"""

import os
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config import sources
from config.console import ConsoleSettings
from config.fields import Identifier, read_secret_files
from config.kafka import KafkaSettings
from config.redis import RedisSettings
from config.retention import RetentionSettings
from config.sources import SettingsError
from config.telemetry import TelemetrySettings
from config.topics import TopicSettings
from config.worker import WorkerSettings

__all__ = ["Settings", "SettingsError", "load_settings", "load_with_origins"]

#: Read from the working directory if there.
DEFAULT_CONFIG_FILE = Path("shopwarden.toml")
DOTENV_FILE = Path(".env")
#: 128 bits: who has the pseudonyms may try keys at leisure.
MIN_PSEUDONYM_KEY_BYTES = 16
#: Rules that come with the package.
PACKAGED_POLICIES = Path(__file__).parent / "policies"


class Settings(BaseSettings):
    """All settings. ``Settings()`` holds the defaults alone; :func:`load_settings` reads the sources."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        hide_input_in_errors=True,
        env_prefix=sources.PREFIX,
        env_nested_delimiter=sources.DELIMITER,
        env_ignore_empty=True,
    )

    kafka: KafkaSettings = Field(default=KafkaSettings(), description="How to reach Kafka.")
    redis: RedisSettings = Field(default=RedisSettings(), description="How to reach Redis or Valkey.")
    topics: TopicSettings = Field(default=TopicSettings(), description="Names and shape of the topics.")
    worker: WorkerSettings = Field(default=WorkerSettings(), description="What a worker does and how fast.")
    retention: RetentionSettings = Field(
        default=RetentionSettings(), description="How long orders, listings and merchants are kept, by event time."
    )
    telemetry: TelemetrySettings = Field(
        default=TelemetrySettings(), description="What operators watch: metrics, health and traces."
    )
    console: ConsoleSettings = Field(default=ConsoleSettings(), description="The web page for analysts.")
    # No default: one that is in the source code would protect nobody.
    pseudonym_key: SecretStr | None = Field(
        default=None,
        description=f"Key of the pseudonyms (HMAC-SHA-256) of buyers, devices, bank accounts and addresses, at least "
        f"{MIN_PSEUDONYM_KEY_BYTES} bytes. The worker needs it, always the same, to recognise a buyer again.",
    )
    pseudonym_key_file: Path | None = Field(default=None, description="File that holds the pseudonym key.")
    pseudonym_key_id: Identifier = Field(default="k1", description="Name of the key; change it with the key.")
    # Without one of its own the key is derived, so that nobody has to make a second one to be safe.
    model_key: SecretStr | None = Field(
        default=None,
        description=f"Key of the signatures (HMAC-SHA-256) of model snapshots, at least {MIN_PSEUDONYM_KEY_BYTES} "
        "bytes; unset: one derived from the pseudonym key. With another key models are trained anew from examples.",
    )
    model_key_file: Path | None = Field(default=None, description="File that holds the key of the model snapshots.")
    policy_dir: Path | None = Field(
        default=None, description="Folder of policy files; unset: those that come with Shopwarden."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the loader passes: it reads the sources itself, to name every mistake and its place."""
        return (init_settings,)

    @model_validator(mode="before")
    @classmethod
    def _read_secrets(cls, data: Any) -> Any:
        return read_secret_files(data, ("pseudonym_key", "model_key"))

    @field_validator("pseudonym_key", "model_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value().encode()) < MIN_PSEUDONYM_KEY_BYTES:
            raise ValueError(f"shorter than {MIN_PSEUDONYM_KEY_BYTES} bytes; {_HOW_TO_MAKE_A_KEY}")
        return key

    @field_validator("policy_dir")
    @classmethod
    def _folder(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_dir():
            raise ValueError(f"there is no folder {path}")
        return path

    @property
    def policies_path(self) -> Path:
        """Folder of the policy files in use."""
        return self.policy_dir or PACKAGED_POLICIES

    def require_pseudonym_key(self) -> bytes:
        """The pseudonym key; raises SettingsError, which says how to make one, if there is none."""
        if self.pseudonym_key is None:
            raise SettingsError([f"pseudonym_key is missing; {_HOW_TO_MAKE_A_KEY}"])
        return self.pseudonym_key.get_secret_value().encode()


_HOW_TO_MAKE_A_KEY = (
    "make one with `python -c 'import secrets; print(secrets.token_hex(32))' > pseudonym.key` and set "
    "SHOPWARDEN_PSEUDONYM_KEY_FILE=pseudonym.key (keep it secret, and keep it: another key makes known buyers look new)"
)


def load_settings(config_file: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings, the first of these that has a value winning:

    1. ``overrides``: ``kafka={"brokers": …}`` or ``kafka__brokers=…``;
    2. environment variables, such as SHOPWARDEN_KAFKA__BROKERS;
    3. the same variables in ``.env`` of the working directory;
    4. a TOML file: ``config_file``, else the one SHOPWARDEN_CONFIG names, else ``shopwarden.toml`` if there.

    Raises SettingsError with all problems at once: unknown names, values out of range, unreadable files.
    """
    return load_with_origins(config_file, **overrides)[0]


def load_with_origins(config_file: Path | None = None, **overrides: Any) -> tuple[Settings, dict[str, str]]:
    """Like :func:`load_settings`; also tells for each dotted key that was set where it was."""
    problems: list[str] = []
    found = [
        sources.from_overrides(overrides, Settings),
        sources.from_environment(Settings, problems),
        sources.from_dotenv(DOTENV_FILE, Settings, problems),
    ]
    toml = config_file or (Path(named) if (named := os.environ.get(sources.CONFIG_VARIABLE)) else None)
    if toml is not None and not toml.is_file():
        problems.append(f"there is no configuration file {toml}")
    elif toml is not None or DEFAULT_CONFIG_FILE.is_file():
        found.append(sources.from_toml(toml or DEFAULT_CONFIG_FILE, Settings, problems))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for source in reversed(found):
        known = sources.drop_unknown(source, Settings, problems)
        _forget_the_other_form(known.values, values, origins)
        values |= known.values
        origins |= known.origins
    try:
        settings = Settings(**sources.nest(values))
    except ValidationError as error:
        raise SettingsError([*problems, *sources.describe(error, values, origins)]) from None
    if problems:
        raise SettingsError(problems)
    return settings, origins


def _forget_the_other_form(new: dict[str, Any], values: dict[str, Any], origins: dict[str, str]) -> None:
    """A secret in a stronger source replaces its file in a weaker one, and the other way round."""
    for key in new:
        other = key.removesuffix("_file") if key.endswith("_file") else f"{key}_file"
        if other not in new:
            values.pop(other, None)
            origins.pop(other, None)
