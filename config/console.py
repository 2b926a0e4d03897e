"""Settings of the console, the web page for analysts."""

import ipaddress
from pathlib import Path
from typing import Self, TypeAlias

from pydantic import Field, SecretStr, field_validator, model_validator

from config.fields import Section

#: A token is as good as a password that nobody has to remember, so it may be long.
MIN_TOKEN_CHARACTERS = 24

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class ConsoleSettings(Section):
    """The web page for analysts: where it listens, who may come in, and how much it remembers."""

    secrets = ("token", "session_key")

    # Loopback: a page that shows what is known of merchants is opened to others on purpose.
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8600, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    folder: Path = Field(
        default=Path("shopwarden-console"),
        description="Folder of the console's own files: the index, which may be deleted at any time, and the audit "
        "trail, which may not.",
    )
    users_file: Path | None = Field(
        default=None,
        description="TOML file of the people who may sign in, with their roles and the hashes of their tokens; "
        "`shopwarden console --add-user` writes it.",
    )
    token: SecretStr | None = Field(
        default=None,
        description=f"Token of a single administrator called `admin`, at least {MIN_TOKEN_CHARACTERS} characters: "
        "enough for one person, who then can't take severe acts alone.",
    )
    token_file: Path | None = Field(default=None, description="File that holds that token.")
    session_key: SecretStr | None = Field(
        default=None,
        description="Key that signs the sessions, at least 16 bytes; unset: a new one at each start, and everybody "
        "signs in again.",
    )
    session_key_file: Path | None = Field(default=None, description="File that holds the key of the sessions.")
    # A shift: nobody's screen stays signed in overnight.
    session_hours: float = Field(default=10, gt=0, le=168, description="Hours after which one has to sign in again.")
    https: bool = Field(
        default=False,
        description="Whether people reach the console by https, through a reverse proxy: then the session's cookie is "
        "sent over nothing else.",
    )
    proxy_user_header: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="Header by which a reverse proxy names who has signed in there, such as `X-Forwarded-User`; the "
        "name must be in the users' file.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks (`10.0.0.0/8`), separated by commas, of the proxies whose header counts; "
        "from others it is ignored.",
    )
    # Above it one person alone neither spares nor strikes anybody.
    second_person_above: int = Field(
        default=10_000,
        ge=0,
        description="Dollars at risk above which setting a decision aside takes a second person.",
    )
    proposal_hours: float = Field(
        default=48, gt=0, le=720, description="Hours in which the second person has to agree; then it lapses."
    )
    acts_per_minute: int = Field(
        default=60, ge=1, le=10_000, description="Acts of one person per minute; more are refused for a while."
    )
    # As long as the windows that policies look at.
    index_days: float = Field(
        default=90, ge=1, le=3650, description="Days of events that the index keeps, by event time."
    )
    # Some 150 bytes each, so 1.5 GB at most.
    index_events: int = Field(
        default=10_000_000, ge=10_000, le=1_000_000_000, description="Most events that the index keeps."
    )

    # At 20 microseconds an event a quarter of a core reads 12,000 events a second: about what a worker judges.
    index_share: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="Share of one processor core that indexing may take; the worker should never notice it.",
    )

    @field_validator("token")
    @classmethod
    def _long_enough(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < MIN_TOKEN_CHARACTERS:
            raise ValueError(f"shorter than {MIN_TOKEN_CHARACTERS} characters, so it could be guessed")
        return token

    @field_validator("session_key")
    @classmethod
    def _strong_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value().encode()) < 16:
            raise ValueError("shorter than 16 bytes")
        return key

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, proxies: str) -> str:
        _parsed(proxies)
        return proxies

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.proxy_user_header is not None and not self.trusted_proxies:
            raise ValueError("proxy_user_header is given, but trusted_proxies names nobody whose header would count")
        if self.proxy_user_header is not None and self.users_file is None:
            raise ValueError("proxy_user_header is given, but there is no users_file that says who is what")
        return self

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks of the proxies whose header counts."""
        return _parsed(self.trusted_proxies)

    @property
    def local(self) -> bool:
        """Whether the console listens to this machine alone."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def _parsed(proxies: str) -> tuple[Network, ...]:
    found = []
    for each in filter(None, (part.strip() for part in proxies.split(","))):
        try:
            found.append(ipaddress.ip_network(each))
        except ValueError as error:
            raise ValueError(f"{each!r} is no address or network: {error}") from None
    return tuple(found)
