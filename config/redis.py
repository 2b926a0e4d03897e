"""Settings of the connection to Redis or Valkey."""

import re
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, model_validator

from config.fields import ExistingFile, Section


class RedisSettings(Section):
    """How to reach Redis or Valkey, which hold the state, the models and the offsets."""

    secrets = ("password",)

    url: str = Field(
        default="redis://127.0.0.1:6379/0",
        description="`redis://host:port/database`, or `rediss://` for TLS. A user and password inside are moved to the "
        "fields below.",
    )
    cluster: bool = Field(default=False, description="The address is a node of a Redis Cluster; database 0 only.")
    username: str | None = Field(default=None, min_length=1, description="ACL user; unset: the default user.")
    password: SecretStr | None = Field(default=None, min_length=1, description="Password.")
    password_file: Path | None = Field(default=None, description="File that holds the password.")
    tls_ca_file: ExistingFile | None = Field(
        default=None, description="PEM file of certificate authorities; unset: the system's."
    )
    tls_certfile: ExistingFile | None = Field(
        default=None, description="PEM file of the client certificate (mutual TLS)."
    )
    tls_keyfile: ExistingFile | None = Field(
        default=None, description="PEM file of the client's private key (mutual TLS)."
    )
    # redis-py 8 would wait 5 s, ten times over, for one command; a checkpoint is due every second.
    socket_timeout_s: float = Field(
        default=1.0, gt=0, le=60, description="Seconds until a command without an answer fails."
    )
    connect_timeout_s: float = Field(default=2.0, gt=0, le=60, description="Seconds until a connection attempt fails.")
    # Few and short: writes are fenced and safe to repeat, but a worker is better restarted than stuck.
    retries: int = Field(
        default=3, ge=0, le=20, description="Repeats of a command that failed by timeout or lost connection."
    )
    retry_base_s: float = Field(
        default=0.02, ge=0, le=10, description="Seconds before the first repeat; doubles, with jitter."
    )
    retry_cap_s: float = Field(default=0.2, ge=0, le=10, description="Longest pause between repeats, seconds.")
    # One worker uses a handful; the pool blocks instead of raising when they are all busy.
    max_connections: int = Field(
        default=16, ge=1, le=1000, description="Connections of one process (of one node, in a cluster)."
    )
    pool_wait_s: float = Field(
        default=5.0, gt=0, le=60, description="Seconds to wait for a free connection of the pool."
    )

    @model_validator(mode="before")
    @classmethod
    def _split_credentials(cls, data: Any) -> Any:
        """Move the user and password out of the URL, so that the URL can be printed."""
        if not isinstance(data, dict) or not isinstance(data.get("url"), str):
            return data
        data = dict(data)
        userinfo, at, _ = urlsplit(data["url"]).netloc.rpartition("@")
        if at:
            username, _, password = userinfo.partition(":")
            data["url"] = data["url"].replace(userinfo + at, "", 1)
            for name, value in (("username", username), ("password", password)):
                if not value:
                    continue
                if data.get(name) is not None or data.get(f"{name}_file") is not None:
                    raise ValueError(f"{name} is given in the URL and on its own; keep one of them")
                data[name] = unquote(value)
        return data

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parts = urlsplit(self.url)
        example = "write redis://host:port/database or rediss://… for TLS"
        if parts.scheme not in ("redis", "rediss") or not parts.hostname:
            raise ValueError(f"url is not a Redis address; {example}")
        if parts.query or parts.fragment:
            raise ValueError(f"url carries options after '?' or '#', which are fields of their own here; {example}")
        try:
            parts.port  # noqa: B018  (the property raises on a bad port)
        except ValueError:
            raise ValueError(f"url has a bad port; {example}") from None
        if not re.fullmatch(r"/?\d{0,4}", parts.path):
            raise ValueError(f"url must end with a database number; {example}")
        if self.cluster and self.database != 0:
            raise ValueError("a Redis Cluster has only database 0")
        if (self.tls_certfile is None) != (self.tls_keyfile is None):
            raise ValueError("tls_certfile and tls_keyfile must be given together")
        if not self.uses_tls and (self.tls_ca_file or self.tls_certfile):
            raise ValueError("TLS files are given, but url starts with redis://; write rediss://")
        return self

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.startswith("rediss://")

    @property
    def host(self) -> str:
        """Host of the URL."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Port of the URL, 6379 if it names none."""
        return urlsplit(self.url).port or 6379

    @property
    def database(self) -> int:
        """Database number of the URL, 0 if it names none."""
        return int(urlsplit(self.url).path.strip("/") or 0)
