"""Settings of the connection to Kafka."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from config.fields import ExistingFile, Section


def _broker_list(value: object) -> object:
    """Accept a list or a comma-separated string of ``host:port``; give the string librdkafka takes."""
    parts = value if isinstance(value, list) else str(value).split(",")
    brokers = [str(part).strip() for part in parts if str(part).strip()]
    if not brokers:
        raise ValueError("name at least one broker as host:port")
    for broker in brokers:
        host, _, port = broker.rpartition(":")
        if "://" in broker:
            raise ValueError(f"{broker!r} has a scheme; write host:port alone and choose TLS with security_protocol")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError(f"{broker!r} is not host:port, for example 127.0.0.1:9092 or [::1]:9092")
    return ",".join(brokers)


Brokers = Annotated[str, BeforeValidator(_broker_list)]


class KafkaSettings(Section):
    """How to reach Kafka."""

    secrets = ("sasl_password", "ssl_key_password")

    # Loopback: the embedded services and docker-compose listen there; nothing remote is contacted unasked.
    brokers: Brokers = Field(
        default="127.0.0.1:9092", description="Bootstrap brokers, `host:port`, separated by commas."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT",
        description="Transport and authentication; use `SASL_SSL` or `SSL` outside a trusted network.",
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None, description="Required with `SASL_PLAINTEXT` and `SASL_SSL`."
    )
    sasl_username: str | None = Field(default=None, min_length=1, description="SASL user.")
    sasl_password: SecretStr | None = Field(default=None, min_length=1, description="SASL password.")
    sasl_password_file: Path | None = Field(default=None, description="File that holds the SASL password.")
    # None: the system's certificate authorities.
    ssl_cafile: ExistingFile | None = Field(
        default=None, description="PEM file of certificate authorities; unset: the system's."
    )
    ssl_certfile: ExistingFile | None = Field(
        default=None, description="PEM file of the client certificate (mutual TLS)."
    )
    ssl_keyfile: ExistingFile | None = Field(
        default=None, description="PEM file of the client's private key (mutual TLS)."
    )
    ssl_key_password: SecretStr | None = Field(default=None, min_length=1, description="Password of the private key.")
    ssl_key_password_file: Path | None = Field(
        default=None, description="File that holds the password of the private key."
    )
    client_id: str = Field(
        default="shopwarden", min_length=1, max_length=255, description="Name in the brokers' logs and quotas."
    )
    # 30 s: a pause for garbage collection or a slow disk must not cost a rebalance, which stops the whole group
    # (aiokafka has no cooperative rebalancing). Brokers accept 6 to 1800 s unless configured otherwise.
    session_timeout_s: float = Field(
        default=30, ge=1, le=1800, description="Seconds without a heartbeat after which the group drops a worker."
    )
    # A revoked shard flushes first; 30 s is ample for a checkpoint. The embedded broker waits for half of it at each
    # join, so `shopwarden dev` sets it low.
    rebalance_timeout_s: float = Field(
        default=30, ge=1, le=1800, description="Seconds that workers have to give up their shards."
    )
    # A fetch in flight delays newly wanted partitions of the same broker by up to this; 10 ms is short beside the
    # rest of the way, and keeps an idle worker at 100 small requests a second.
    fetch_max_wait_ms: int = Field(
        default=10, ge=0, le=10_000, description="Milliseconds that a broker may hold an empty fetch."
    )
    request_timeout_s: float = Field(
        default=40, ge=1, le=3600, description="Seconds until a request fails; must be at least `session_timeout_s`."
    )
    # For commands, at which people wait. A worker keeps what it has to publish until the broker is back.
    delivery_timeout_s: float = Field(
        default=30,
        ge=1,
        le=3600,
        description="Seconds until a record that no broker confirmed fails a command; workers wait without end.",
    )
    # A flush is awaited as a whole, so a long linger only adds latency; 2 ms still fills batches under load.
    linger_ms: float = Field(
        default=2, ge=0, le=1000, description="Milliseconds that the producer waits to fill a batch."
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        default="lz4", description="Compression of produced batches; lz4 costs the least processor time."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.security_protocol.startswith("SASL_"):
            missing = [n for n in ("sasl_mechanism", "sasl_username", "sasl_password") if getattr(self, n) is None]
            if missing:
                raise ValueError(f"security_protocol {self.security_protocol} also needs {', '.join(missing)}")
        elif self.sasl_mechanism or self.sasl_username or self.sasl_password:
            raise ValueError(f"SASL credentials are given, but security_protocol is {self.security_protocol}")
        if (self.ssl_certfile is None) != (self.ssl_keyfile is None):
            raise ValueError("ssl_certfile and ssl_keyfile must be given together")
        if not self.uses_tls and (self.ssl_cafile or self.ssl_certfile):
            raise ValueError(f"TLS files are given, but security_protocol is {self.security_protocol}")
        if self.request_timeout_s < self.session_timeout_s:
            raise ValueError("request_timeout_s must be at least session_timeout_s")
        return self

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.security_protocol in ("SSL", "SASL_SSL")
