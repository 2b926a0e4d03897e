"""An enforcement system as a subscriber of Shopwarden: which actions are in force, and which wait for a person.

It shows what docs/contracts.md asks of consumers. Take it as a beginning: `begin`, `wait` and `end` are where payouts
are held or listings removed.

    pip install confluent-kafka
    python enforcement_subscriber.py --brokers 127.0.0.1:9092 --state enforcement.sqlite
    python enforcement_subscriber.py --state enforcement.sqlite --list

- Each event counts once. Kafka delivers at least once; what was done, and how far each merchant's and creator's
  `sequence` has come, are written in one transaction, and offsets are committed after it.
- Per merchant in order: a partition's events are taken one after another.
- Only `mode` `live` acts, and what `requires_review` waits.
- It begins with the standings, because an action may be older than the events that are still in the topic.
- Types, fields and actions that it does not know stop nothing.
"""

import argparse
import json
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

Event = dict[str, Any]

DECIDED = "shopwarden.enforcement.decided.v1"
REVERSED = "shopwarden.enforcement.reversed.v1"
#: What this system can do. Another action is for a person until it has been taught.
KNOWN_ACTIONS = frozenset(
    {
        *("demote_listing", "remove_listing", "limit_orders", "block_new_listings", "hold_payout"),
        *("freeze_commission", "suspend_merchant", "suspend_creator", "close_merchant", "require_review"),
    }
)
SCHEMA = """
CREATE TABLE IF NOT EXISTS party (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS enforcement (
    decision TEXT PRIMARY KEY, party TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, expires_at INTEGER,
    state TEXT NOT NULL CHECK (state IN ('in force', 'waiting'))
);
CREATE TABLE IF NOT EXISTS seen (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, party TEXT NOT NULL, sequence INTEGER, type TEXT NOT NULL,
    effect TEXT NOT NULL
);
"""


class Enforcement:
    """What is in force, in a database; what was seen and what followed from it are one transaction."""

    def __init__(self, path: str) -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.executescript(SCHEMA)

    def is_new(self) -> bool:
        """Whether nothing was ever read."""
        return self.database.execute("SELECT 1 FROM party").fetchone() is None

    def all_or_nothing(self, act: Callable[..., None], *arguments: Any) -> None:
        """Do something in one transaction."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            act(*arguments)
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")

    def adopt(self, standings: Iterable[Event]) -> None:
        """Begin with what is in force by the standings; events up to their `sequence` are in them."""
        for standing in standings:
            if standing.get("mode") == "live":
                party = party_of(standing)
                self._advance(party, standing["sequence"])
                for action in standing["enforcements"]:
                    if action["action"] in KNOWN_ACTIONS and not action.get("requires_review"):
                        self.begin(party, action)
                    else:
                        self.wait(party, action)

    def take_all(self, events: Iterable[tuple[str, Event]]) -> None:
        """Act on events in their order, each with its id."""
        for identity, event in events:
            self.take(identity, event)

    def take(self, identity: str, event: Event) -> None:
        """Act on one event, unless it is a repeat."""
        party, sequence = party_of(event), event.get("sequence")
        if sequence is None:
            # About a shard: without a number, so known by its id.
            if self.database.execute("SELECT 1 FROM seen WHERE id = ?", [identity]).fetchone():
                return
        elif sequence <= self._sequence(party):
            return
        else:
            self._advance(party, sequence)
        row = (identity, party, sequence, event["type"], self._act(party, event))
        self.database.execute("INSERT INTO seen (id, party, sequence, type, effect) VALUES (?, ?, ?, ?, ?)", row)

    def _act(self, party: str, event: Event) -> str:
        if event["type"] not in {DECIDED, REVERSED}:
            return "nothing to do"
        if event["mode"] != "live":
            return "not live"
        if event["type"] == REVERSED:
            return self.end(event["reverses"], event["why"])
        if event.get("supersedes"):
            self.end(event["supersedes"], "superseded")
        if event["action"] == "warn":
            return "a warning restricts nothing"
        if event["requires_review"] or event["action"] not in KNOWN_ACTIONS:
            return self.wait(party, event)
        return self.begin(party, event)

    # -- what an enforcement system does ---------------------------------------------------------------------------

    def begin(self, party: str, action: Event) -> str:
        """Carry an action out. It ends by `enforcement.reversed`, at the latest at its `expires_at`."""
        self._keep(party, action, "in force")
        return "began"

    def wait(self, party: str, action: Event) -> str:
        """Show a decision to a person. The verdict goes back as `review.decided` and comes out as a new decision."""
        self._keep(party, action, "waiting")
        return "waits for a person"

    def end(self, decision: str, why: str) -> str:
        """Undo an action, or take it off the list of what waits."""
        ended = self.database.execute("DELETE FROM enforcement WHERE decision = ?", [decision]).rowcount
        return f"ended: {why}" if ended else "was not in force"

    def listed(self, now: int) -> list[tuple[str, str, str, str]]:
        """What is in force or waits at a time (ms): party, action, subject, state."""
        question = (
            "SELECT party, action, subject, state FROM enforcement WHERE coalesce(expires_at > ?, TRUE) ORDER BY 1, 2"
        )
        return self.database.execute(question, [now]).fetchall()

    def _keep(self, party: str, action: Event, state: str) -> None:
        subject = f"{action['subject']['kind']} {action['subject']['id']}"
        row = (action["decision_id"], party, action["action"], subject, action.get("expires_at"), state)
        self.database.execute("INSERT OR REPLACE INTO enforcement VALUES (?, ?, ?, ?, ?, ?)", row)

    def _sequence(self, party: str) -> int:
        row = self.database.execute("SELECT sequence FROM party WHERE name = ?", [party]).fetchone()
        return int(row[0]) if row else 0

    def _advance(self, party: str, sequence: int) -> None:
        self.database.execute("INSERT OR REPLACE INTO party VALUES (?, ?)", [party, sequence])


def party_of(event: Event) -> str:
    """Whom an event is numbered for. Events about creators have an empty `merchant_id`."""
    if event.get("creator_id"):
        return f"creator {event['creator_id']}"
    return f"merchant {event['merchant_id']}" if event.get("merchant_id") else "shard"


def standings(configuration: dict[str, Any], topics: list[str]) -> list[Event]:
    """The latest standing of everybody: the compacted topics, from their beginning to their end."""
    consumer = Consumer(configuration | {"enable.partition.eof": True})
    try:
        found = consumer.list_topics(timeout=30).topics
        places = [(topic, number) for topic in topics if topic in found for number in found[topic].partitions]
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for topic, number in places])
        latest: dict[bytes | str | None, Event] = {}
        unread = set(places)
        while unread:
            for message in consumer.consume(500, 1.0):
                error = message.error()
                if error and error.code() == KafkaError._PARTITION_EOF:
                    unread.discard((message.topic(), message.partition()))
                elif error:
                    raise KafkaException(error)
                elif (value := message.value()) is None:
                    latest.pop(message.key(), None)
                else:
                    latest[message.key()] = json.loads(value)
        return list(latest.values())
    finally:
        consumer.close()


def identity_of(message: Message) -> str:
    """The CloudEvents id."""
    value = dict(message.headers() or [])["ce_id"]
    return value.decode() if isinstance(value, bytes) else str(value)


def main() -> None:
    """Follow the events until told to stop, or list what is in force."""
    parser = argparse.ArgumentParser(description="Example subscriber of Shopwarden's decisions.")
    parser.add_argument("--brokers", default="127.0.0.1:9092")
    parser.add_argument("--topic", default="governance-events")
    parser.add_argument(
        "--standings", default="merchant-standing,creator-standing", help="'' begins with the events alone"
    )
    parser.add_argument("--group", default="enforcement")
    parser.add_argument("--state", default="enforcement.sqlite")
    parser.add_argument("-X", dest="properties", action="append", default=[], metavar="KEY=VALUE", help="of librdkafka")
    parser.add_argument("--list", action="store_true", help="show what is in force, and end")
    options = parser.parse_args()
    enforcement = Enforcement(options.state)
    if options.list:
        for row in enforcement.listed(time.time_ns() // 1_000_000):
            print(*row, sep="\t")
        return
    properties = dict(each.split("=", 1) for each in options.properties)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stopping.append(number))
    configuration = {
        "bootstrap.servers": options.brokers,
        "group.id": options.group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    } | properties
    if enforcement.is_new() and options.standings:
        enforcement.all_or_nothing(enforcement.adopt, standings(configuration, options.standings.split(",")))
    consumer = Consumer(configuration)
    consumer.subscribe([options.topic])
    try:
        while not stopping:
            messages = [message for message in consumer.consume(500, 0.5) if not failed(message)]
            events = [(identity_of(message), json.loads(message.value() or b"{}")) for message in messages]
            enforcement.all_or_nothing(enforcement.take_all, events)
            if messages:
                commit(consumer)
    finally:
        consumer.close()


def failed(message: Message) -> bool:
    """Whether this is an error in the place of a message; librdkafka goes on by itself."""
    if message.error():
        print(f"Kafka: {message.error()}", file=sys.stderr)
    return message.error() is not None


def commit(consumer: Consumer) -> None:
    """Tell Kafka how far we are, after the effects: what is read again after a crash is passed over as a repeat."""
    try:
        consumer.commit(asynchronous=False)
    except KafkaException as error:
        # The partitions went to another member, who reads again what was not committed.
        print(f"Kafka: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
