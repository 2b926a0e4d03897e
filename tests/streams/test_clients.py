"""Clients made from settings: what is configured, without a server."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiokafka.codec
import pytest
import redis
import redis.asyncio
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from faust.auth import SASLCredentials, SSLCredentials
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from yarl import URL

from config.settings import Settings, SettingsError, load_settings
from streams.clients import (
    async_redis_client,
    faust_broker,
    kafka_config,
    outputs_config,
    producer_config,
    redis_client,
)
from streams.embedded import _broker_binary, free_port
from streams.local_process import LocalProcess
from streams.topics import TopicsError, connect_admin, create_topics
from tests.streams.tls import TlsFront, make_certificate

SASL = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512", "sasl_username": "u"}


@pytest.fixture(scope="module")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A self-signed certificate, valid for a day, and its encrypted key."""
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"), "opensesame")
    return {"ssl_cafile": certificate, "ssl_certfile": certificate, "ssl_keyfile": key}


def test_producer_loses_and_moves_nothing() -> None:
    """Producers are idempotent, wait for all replicas, and put keys where Java clients do."""
    config = producer_config(Settings())
    assert config["bootstrap.servers"] == "127.0.0.1:9092"
    assert (config["enable.idempotence"], config["acks"], config["partitioner"]) == (True, "all", "murmur2_random")


def test_a_workers_outputs_wait_without_end() -> None:
    """No output is given up because the broker is away for long; a request is, and repeated. Extra properties win."""
    config = outputs_config(load_settings(kafka={"delivery_timeout_s": 5}), linger_ms=7)
    assert config["delivery.timeout.ms"] == 0
    assert config["request.timeout.ms"] == 40_000
    assert config["enable.idempotence"] is True
    assert config["linger.ms"] == 7
    Producer({**config, "log_level": 0})


def test_extra_properties_win_and_may_be_written_with_underscores() -> None:
    """Callers add what they need; callbacks keep their names."""
    config = kafka_config(Settings(), group_id="g", error_cb=print, **{"client.id": "c"})
    assert (config["group.id"], config["client.id"], config["error_cb"]) == ("g", "c", print)
    assert producer_config(Settings(), linger_ms=50)["linger.ms"] == 50


def test_librdkafka_knows_every_property(tls_files: dict[str, Path]) -> None:
    """The client refuses unknown properties and unreadable TLS files when it is made; it makes all three here."""
    kafka = {**SASL, **tls_files, "security_protocol": "SASL_SSL", "sasl_password": "p"}
    settings = load_settings(kafka={**kafka, "ssl_key_password": "opensesame"})
    Producer(producer_config(settings))
    Consumer(kafka_config(settings, group_id="g")).close()
    AdminClient(kafka_config(settings))


def test_request_time_outs_fit_each_other() -> None:
    """The client refuses more than 300 s, and a request that outlasts the delivery makes no sense."""
    config = producer_config(
        load_settings(kafka={"request_timeout_s": 3000, "session_timeout_s": 1800, "delivery_timeout_s": 5})
    )
    assert (config["socket.timeout.ms"], config["request.timeout.ms"], config["delivery.timeout.ms"]) == (
        300_000,
        5000,
        5000,
    )
    Producer(config)


def test_messages_of_librdkafka_go_to_a_logger(caplog: pytest.LogCaptureFixture) -> None:
    """A broker that refuses the connection is a log record, not a line on stderr past the log format."""
    producer = Producer(producer_config(load_settings(kafka__brokers="127.0.0.1:1")))
    with caplog.at_level(logging.DEBUG, logger="librdkafka"):
        for _ in range(50):
            producer.poll(0.1)
            if caplog.records:
                break
    assert "127.0.0.1:1" in caplog.text


def test_faust_broker_without_security() -> None:
    """All brokers, with the scheme of the transport, and no credentials."""
    urls, credentials = faust_broker(load_settings(kafka__brokers="a:1,b:2"), scheme="batched")
    assert urls == [URL("batched://a:1"), URL("batched://b:2")]
    assert credentials is None


def test_faust_broker_with_password() -> None:
    """SASL over plain connections and over TLS."""
    _, credentials = faust_broker(load_settings(kafka={**SASL, "sasl_password": "p"}))
    assert isinstance(credentials, SASLCredentials)
    assert (credentials.protocol.value, credentials.mechanism.value) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    assert (credentials.username, credentials.password) == ("u", "p")
    _, credentials = faust_broker(load_settings(kafka={**SASL, "security_protocol": "SASL_SSL", "sasl_password": "p"}))
    assert isinstance(credentials, SASLCredentials)
    assert credentials.protocol.value == "SASL_SSL"


def test_faust_broker_with_client_certificate(tls_files: dict[str, Path]) -> None:
    """Mutual TLS, with the key decrypted; servers are verified against the given authorities alone."""
    settings = load_settings(kafka={**tls_files, "security_protocol": "SSL", "ssl_key_password": "opensesame"})
    _, credentials = faust_broker(settings)
    assert isinstance(credentials, SSLCredentials)
    assert credentials.context.check_hostname
    assert len(credentials.context.get_ca_certs()) == 1


@pytest.mark.parametrize("password", ["wrong", None])
def test_faust_broker_with_a_key_that_can_not_be_read(tls_files: dict[str, Path], password: str | None) -> None:
    """A wrong or missing password is an error that names the settings; nothing asks on the terminal."""
    settings = load_settings(kafka={**tls_files, "security_protocol": "SSL", "ssl_key_password": password})
    with pytest.raises(SettingsError, match="ssl_keyfile and ssl_key_password"):
        faust_broker(settings)


def test_worker_reads_all_compressions() -> None:
    """The worker's client needs a package for all but gzip, and inputs may come in any."""
    assert aiokafka.codec.has_lz4()
    assert aiokafka.codec.has_snappy()
    assert aiokafka.codec.has_zstd()


@pytest.mark.parametrize("make", [redis_client, async_redis_client])
def test_redis_time_outs_and_retries(make: Any) -> None:
    """The settings' bounds replace redis-py's, which would wait for a minute; a full pool waits instead of failing."""
    client = make(
        load_settings(redis={"url": "redis://h:1/3", "socket_timeout_s": 0.5, "retries": 2, "pool_wait_s": 7})
    )
    pool = client.connection_pool
    assert isinstance(pool, redis.BlockingConnectionPool | redis.asyncio.BlockingConnectionPool)
    assert pool.timeout == 7
    assert pool.max_connections == 16
    options = pool.connection_kwargs
    assert (options["host"], options["port"], options["db"]) == ("h", 1, 3)
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (0.5, 2.0)
    assert options["retry"].get_retries() == 2
    assert options["decode_responses"] is False


@pytest.mark.parametrize("make", [redis_client, async_redis_client])
def test_redis_with_tls_and_acl_user(make: Any, tls_files: dict[str, Path]) -> None:
    """rediss:// uses TLS with the given authorities, and the ACL user logs in."""
    client = make(
        load_settings(redis={"url": "rediss://u:p@h:1/0", "tls_ca_file": tls_files["ssl_cafile"]}),
    )
    options = client.connection_pool.connection_kwargs
    assert issubclass(client.connection_pool.connection_class, redis.SSLConnection | redis.asyncio.SSLConnection)
    assert (options["username"], options["password"]) == ("u", "p")
    assert options["ssl_ca_certs"] == str(tls_files["ssl_cafile"])
    assert "p" not in repr(client).split("password=")[-1].partition(",")[0].replace("<REDACTED>", "")


@pytest.mark.parametrize("retries", [0, 5])
async def test_redis_cluster_always_has_a_retry(retries: int) -> None:
    """With none at all redis-py's cluster client would run no command."""
    client = async_redis_client(load_settings(redis={"cluster": True, "retries": retries}))
    assert isinstance(client, redis.asyncio.RedisCluster)
    assert client.retry.get_retries() == max(1, retries)


@contextlib.contextmanager
def broker_behind_tls(folder: Path, certificate: Path, key: Path) -> Iterator[str]:
    """Address of an embedded broker that can be reached only over TLS, as it tells its clients."""
    port = free_port()
    broker = LocalProcess("broker", folder / "broker")
    with TlsFront(("127.0.0.1", port), certificate, key) as front:
        address = f"127.0.0.1:{front.port}"
        listen = (f"--listener-url=tcp://127.0.0.1:{port}", f"--advertised-listener-url=tcp://{address}")
        broker.start([_broker_binary(folder), "broker", *listen, "--storage-engine=memory://tansu/"])
        try:
            yield address
        finally:
            broker.end()


@pytest.mark.broker
async def test_kafka_over_tls(tmp_path: Path) -> None:
    """All Kafka clients work over TLS with the right authorities, and refuse the server with the system's."""
    certificate, key = make_certificate(tmp_path)
    with broker_behind_tls(tmp_path, certificate, key) as address:
        kafka = {"brokers": address, "security_protocol": "SSL"}
        settings = load_settings(kafka={**kafka, "ssl_cafile": certificate})
        create_topics(settings)
        producer = Producer(producer_config(settings))
        producer.produce(settings.topics.orders, key="m", value=b"{}")
        assert producer.flush(10) == 0
        with pytest.raises(TopicsError, match="certificate verify failed"):
            connect_admin(load_settings(kafka=kafka), 2)
        _, credentials = faust_broker(settings)
        consumer = AIOKafkaConsumer(
            settings.topics.orders,
            bootstrap_servers=address,
            auto_offset_reset="earliest",
            **credentials_to_aiokafka_auth(credentials),
        )
        async with consumer, asyncio.timeout(10):
            assert (await consumer.getone()).value == b"{}"
