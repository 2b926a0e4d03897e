"""Clients of Kafka and Redis, made from the settings.

- :func:`kafka_config`, :func:`producer_config`, :func:`outputs_config`: configurations for confluent-kafka;
- :func:`faust_broker`: addresses and credentials for the Faust app;
- :func:`redis_client`, :func:`async_redis_client`: Redis, one server or a cluster.

Nothing here connects by itself, but files of certificates are read.
"""

import logging
import ssl
from typing import Any, TypeAlias

import redis
import redis.asyncio
import redis.asyncio.retry
import redis.retry
from confluent_kafka import KafkaError
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from redis.backoff import ExponentialWithJitterBackoff
from redis.maint_notifications import MaintNotificationsConfig
from yarl import URL

from config.kafka import KafkaSettings
from config.settings import Settings, SettingsError

Redis: TypeAlias = redis.Redis | redis.RedisCluster
AsyncRedis: TypeAlias = redis.asyncio.Redis | redis.asyncio.RedisCluster

#: Largest record that is produced; the topic of the dead letters is created to take it (streams.topics).
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
#: Keyword arguments of confluent-kafka that are no librdkafka properties, so keep their underscores.
_CALLBACKS = frozenset(
    {"error_cb", "log_cb", "logger", "oauth_cb", "on_commit", "on_delivery", "stats_cb", "throttle_cb"}
)


def kafka_config(settings: Settings, **extra: Any) -> dict[str, Any]:
    """Configuration of a consumer or an AdminClient; a producer's is :func:`producer_config`.

    ``extra`` are more properties, as ``group_id="g"`` or ``**{"group.id": "g"}``; they win. librdkafka's messages go to
    the logger "librdkafka".
    """
    kafka = settings.kafka
    config: dict[str, Any] = {
        "bootstrap.servers": kafka.brokers,
        "client.id": kafka.client_id,
        "security.protocol": kafka.security_protocol,
        "socket.timeout.ms": min(300_000, round(kafka.request_timeout_s * 1000)),  # librdkafka's upper bound
        # Brokers close idle connections; that is no error.
        "log.connection.close": False,
        "logger": logging.getLogger("librdkafka"),
    }
    if kafka.sasl_mechanism is not None and kafka.sasl_password is not None:
        config |= {
            "sasl.mechanism": kafka.sasl_mechanism,
            "sasl.username": kafka.sasl_username,
            "sasl.password": kafka.sasl_password.get_secret_value(),
        }
    files = {
        "ssl.ca.location": kafka.ssl_cafile,
        "ssl.certificate.location": kafka.ssl_certfile,
        "ssl.key.location": kafka.ssl_keyfile,
    }
    config |= {name: str(path) for name, path in files.items() if path is not None}
    if kafka.ssl_key_password is not None:
        config["ssl.key.password"] = kafka.ssl_key_password.get_secret_value()
    return config | _properties(extra)


def producer_config(settings: Settings, **extra: Any) -> dict[str, Any]:
    """Configuration of a producer that loses, repeats and reorders nothing, with the partitioner of the Java clients.

    librdkafka's own partitioner (CRC32) would put keys on other partitions than Kafka's murmur2 and split a merchant's
    events over shards.
    """
    kafka = settings.kafka
    return kafka_config(settings) | {
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": kafka.compression,
        "linger.ms": kafka.linger_ms,
        # The broker's answers are part of the delivery, so a request may not outlast it.
        "delivery.timeout.ms": round(kafka.delivery_timeout_s * 1000),
        "request.timeout.ms": round(min(kafka.request_timeout_s, kafka.delivery_timeout_s) * 1000),
        # Dead letters hold what came in, plus headers, uncompressed: more than the default of 1 MB.
        "message.max.bytes": MAX_MESSAGE_BYTES,
        **_properties(extra),
    }


def outputs_config(settings: Settings, **extra: Any) -> dict[str, Any]:
    """Configuration of a worker's producer: as :func:`producer_config`, but what it was given waits for the broker
    without end, in order, so that an outage costs nothing but time.
    """
    return producer_config(settings) | {
        # Without a limit of its own; a request still fails, and is repeated.
        "delivery.timeout.ms": 0,
        "request.timeout.ms": round(settings.kafka.request_timeout_s * 1000),
        # A broker that is back is used within two seconds, as Redis is (streams.patience).
        "reconnect.backoff.max.ms": 2000,
        **_properties(extra),
    }


def faust_broker(settings: Settings, scheme: str = "kafka") -> tuple[list[URL], Credentials | None]:
    """Addresses and credentials for ``faust.App(broker=…, broker_credentials=…)``; the scheme names a Faust transport.

    Raises SettingsError if a certificate or key can't be used.
    """
    kafka = settings.kafka
    urls = [URL(f"{scheme}://{broker}") for broker in kafka.brokers.split(",")]
    context = _ssl_context(kafka) if kafka.uses_tls else None
    if kafka.sasl_password is not None:
        return urls, SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return urls, SSLCredentials(context) if context is not None else None


def redis_client(settings: Settings) -> Redis:
    """A synchronous client, for commands and tests. Replies are bytes; call ``close()`` at the end."""
    options = _redis_options(settings)
    if settings.redis.cluster:
        return redis.RedisCluster(
            host=settings.redis.host,
            port=settings.redis.port,
            ssl=settings.redis.uses_tls,
            retry=redis.retry.Retry(_backoff(settings), _cluster_retries(settings)),
            **options,
        )
    pool = redis.BlockingConnectionPool.from_url(
        settings.redis.url,
        timeout=settings.redis.pool_wait_s,
        retry=redis.retry.Retry(_backoff(settings), settings.redis.retries),
        **options,
    )
    return redis.Redis.from_pool(pool)


def async_redis_client(settings: Settings) -> AsyncRedis:
    """A client for asyncio, for one event loop alone. Replies are bytes; await ``aclose()`` at the end.

    A command that finds no free connection waits for one instead of failing; one without an answer is repeated a few
    times, so only send what may be applied twice, and never cancel one midway with ``wait_for``.
    """
    options = _redis_options(settings)
    if settings.redis.cluster:
        return redis.asyncio.RedisCluster(
            host=settings.redis.host,
            port=settings.redis.port,
            ssl=settings.redis.uses_tls,
            retry=redis.asyncio.retry.Retry(_backoff(settings), _cluster_retries(settings)),
            **options,
        )
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        settings.redis.url,
        timeout=settings.redis.pool_wait_s,
        retry=redis.asyncio.retry.Retry(_backoff(settings), settings.redis.retries),
        **options,
    )
    return redis.asyncio.Redis.from_pool(pool)


def names_cause(error: KafkaError) -> bool:
    """Whether an error of librdkafka says why; that all brokers are away says nothing of the cause."""
    return bool(error.code() != KafkaError._ALL_BROKERS_DOWN)  # noqa: SLF001 - public, in spite of its name


def _redis_options(settings: Settings) -> dict[str, Any]:
    section = settings.redis
    options: dict[str, Any] = {
        "username": section.username,
        "password": section.password.get_secret_value() if section.password is not None else None,
        "socket_timeout": section.socket_timeout_s,
        "socket_connect_timeout": section.connect_timeout_s,
        "max_connections": section.max_connections,
        "client_name": settings.kafka.client_id.replace(" ", "_"),  # Redis refuses spaces
        # State is JSON and pickled models: bytes. Decoding would break the second and cost time for the first.
        "decode_responses": False,
        # A service of one vendor's cloud, which would stretch our timeouts to its own.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if section.uses_tls:
        files = {
            "ssl_ca_certs": section.tls_ca_file,
            "ssl_certfile": section.tls_certfile,
            "ssl_keyfile": section.tls_keyfile,
        }
        options |= {name: str(path) for name, path in files.items() if path is not None}
    return options


def _backoff(settings: Settings) -> ExponentialWithJitterBackoff:
    return ExponentialWithJitterBackoff(base=settings.redis.retry_base_s, cap=settings.redis.retry_cap_s)


def _cluster_retries(settings: Settings) -> int:
    # With 0, redis-py's cluster client never runs a command at all (redis-py issue 3419).
    return max(1, settings.redis.retries)


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(kafka.ssl_cafile) if kafka.ssl_cafile is not None else None)
        if kafka.ssl_certfile is not None:
            # An empty password, or OpenSSL asks for one on the terminal.
            password = kafka.ssl_key_password.get_secret_value() if kafka.ssl_key_password is not None else ""
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile, password)
    except (ssl.SSLError, OSError) as error:
        names = "ssl_cafile, ssl_certfile, ssl_keyfile and ssl_key_password"
        raise SettingsError([f"kafka: a TLS file can't be used ({error}); look at {names}"]) from None
    return context


def _properties(extra: dict[str, Any]) -> dict[str, Any]:
    return {name if name in _CALLBACKS else name.replace("_", "."): value for name, value in extra.items()}
