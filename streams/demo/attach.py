"""How to attach a consumer of one's own while the demo runs: commands that can be copied as they stand."""

import sys
from pathlib import Path
from typing import Final

from config.settings import Settings

_PYTHON: Final = """\
{python} - <<'END'
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
consumer = Consumer({{"bootstrap.servers": "{brokers}", "group.id": "mine", "enable.auto.commit": False}})
consumer.assign([TopicPartition("{topic}", n, OFFSET_BEGINNING) for n in range({partitions})])
while True:
    message = consumer.poll(1.0)
    if message and not message.error():
        print(dict(message.headers())["ce_type"].decode(), message.value().decode())
END"""


def attach_words(settings: Settings) -> str:
    """Commands for another terminal: every event as it comes, a recording, the dead letters, a merchant's state."""
    brokers, topic = settings.kafka.brokers, settings.topics.events
    command = f"SHOPWARDEN_KAFKA__BROKERS={brokers} {_shopwarden()}"
    snippet = _PYTHON.format(python=sys.executable, brokers=brokers, topic=topic, partitions=settings.topics.partitions)
    return f"""\
Attach a consumer of your own meanwhile, from another terminal.
Kafka listens on {brokers}, Redis on {settings.redis.url}.

Every event as it comes, with the plain client:

{_indented(snippet)}

Into a file, with shopwarden:

    {command} record --topics {topic} --duration 10 --out events.jsonl

The merchants' state in the first shard, with redis-cli:

    redis-cli -u {settings.redis.url} --scan --pattern '{{{settings.worker.namespace}:0}}:m:*'
"""


def _shopwarden() -> str:
    """The command beside this interpreter, as a path where it is not the one that the shell would find."""
    beside = Path(sys.executable).with_name("shopwarden")
    return str(beside) if beside.is_file() else "shopwarden"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
