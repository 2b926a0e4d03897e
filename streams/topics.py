"""The topics: what they should be like, creating them, checking them.

A shard is one partition number across the input topics, so these must have equal partition counts: with unequal ones a
merchant's orders and listings would be judged by different shards. The worker calls :func:`check_topics` when it starts
and refuses then.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, NewTopic  # type: ignore[attr-defined]

from config.settings import Settings
from streams.clients import MAX_MESSAGE_BYTES, kafka_config, names_cause

_DAY_MS = 86_400_000
#: Topics of one partition: what is in them concerns all shards.
_SINGLE = frozenset({"policies", "metrics"})
# What goes wrong while connecting ends in the exception, once.
_SILENT = logging.getLogger("librdkafka.admin")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class TopicsError(Exception):
    """Kafka can't be asked, or the topics are not as they must be; the text says what to do."""


class BrokerAwayError(TopicsError):
    """No broker answers."""


@dataclass(frozen=True)
class TopicSpec:
    """What a topic should be like. ``field`` is its name in the settings; ``use`` is input, output or internal."""

    field: str
    name: str
    use: str
    partitions: int
    cleanup: str
    config: dict[str, str]
    required: bool


@dataclass(frozen=True)
class TopicState:
    """What a topic is like: ``partitions`` is 0 if it does not exist; ``cleanup`` None if the broker does not tell."""

    spec: TopicSpec
    partitions: int
    replication: int
    cleanup: str | None

    @property
    def exists(self) -> bool:
        """Whether the broker has the topic."""
        return self.partitions > 0


@dataclass(frozen=True)
class TopicReport:
    """All topics, what is wrong with them (a worker must not start) and what should be looked at."""

    topics: tuple[TopicState, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the topics that make up a shard, as far as they exist: in the order of TopicSettings.INPUTS, then
        the exchange topic.
        """
        return tuple(topic.spec.name for topic in self.topics if topic.exists and _is_shard_input(topic.spec))

    @property
    def policies(self) -> str | None:
        """Name of the topic of policies, if it exists."""
        return next((topic.spec.name for topic in self.topics if topic.exists and topic.spec.field == "policies"), None)

    @property
    def shards(self) -> int:
        """Number of shards: the partition count that the input topics share; 0 if they don't."""
        counts = {topic.partitions for topic in self.topics if topic.exists and _is_shard_input(topic.spec)}
        return counts.pop() if len(counts) == 1 else 0

    def raise_problems(self) -> None:
        """Raise TopicsError with all problems, if there are any."""
        if self.problems:
            raise TopicsError("\n".join(self.problems))


def topic_specs(settings: Settings) -> tuple[TopicSpec, ...]:
    """What ``topics create`` makes and ``topics check`` wants."""
    topics = settings.topics

    def spec(field: str, use: str, days: float | None, *, required: bool = False, **config: str) -> TopicSpec:
        cleanup = "compact" if days is None else "delete"
        if days is not None:
            config["retention.ms"] = str(round(days * _DAY_MS) if days > 0 else -1)
        partitions = 1 if field in _SINGLE else topics.partitions
        properties = {"cleanup.policy": cleanup, **{k.replace("_", "."): v for k, v in config.items()}}
        return TopicSpec(field, topics.name(field), use, partitions, cleanup, properties, required)

    return (
        *(spec(f, "input", topics.retention_inputs_days, required=f in ("listings", "orders")) for f in topics.INPUTS),
        spec("events", "output", topics.retention_events_days, required=True),
        spec("merchant_standing", "output", None),
        spec("creator_standing", "output", None),
        # Larger than an input can be, or a record that is too large could not be put aside.
        spec(
            "dead_letters",
            "output",
            topics.retention_dead_letters_days,
            required=True,
            max_message_bytes=str(MAX_MESSAGE_BYTES),
        ),
        spec("policies", "input", None),
        # As long as the inputs whose order it tells: recovery and replay read the two together.
        spec("journal", "internal", topics.retention_inputs_days, required=True),
        spec("exchange", "internal", topics.retention_inputs_days, required=True),
        spec("metrics", "output", topics.retention_events_days),
    )


def create_topics(settings: Settings, timeout_s: float = 30) -> dict[str, str]:
    """Create the topics that are missing; the result says of each whether it was created, and its partition count.

    Where input topics exist already, the new ones get their partition count instead of the one in the settings. Returns
    when the broker shows all of them. Raises TopicsError if it can't be reached or refuses.
    """
    deadline = time.monotonic() + timeout_s
    admin, metadata = connect_admin(settings, timeout_s)
    present = _partitions(metadata)
    specs = topic_specs(settings)
    existing = {spec.name: present[spec.name] for spec in specs if _is_shard_input(spec) and spec.name in present}
    counts = set(existing.values())
    if len(counts) > 1:
        raise TopicsError(_unequal(existing))
    partitions = counts.pop() if counts else settings.topics.partitions
    wanted = {
        spec.name: NewTopic(
            spec.name,
            num_partitions=1 if spec.field in _SINGLE else partitions,
            replication_factor=settings.topics.replication,
            config=spec.config,
        )
        for spec in specs
        if spec.name not in present
    }
    result = {spec.name: f"exists, {_plural(present[spec.name])}" for spec in specs if spec.name in present}
    if wanted:
        futures = admin.create_topics(list(wanted.values()), operation_timeout=timeout_s, request_timeout=timeout_s)
        for name, future in futures.items():
            try:
                future.result(timeout_s)
                result[name] = f"created, {_plural(wanted[name].num_partitions)}"
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # somebody else was faster
                    raise TopicsError(f"the broker refused to create topic {name}: {error.args[0].str()}") from None
                result[name] = "exists"
    _await_visible(admin, set(result), deadline)
    return {spec.name: result[spec.name] for spec in specs}


def check_topics(settings: Settings, timeout_s: float = 10) -> TopicReport:
    """Compare the broker's topics with what they should be like. Raises TopicsError if the broker can't be asked."""
    admin, metadata = connect_admin(settings, timeout_s)
    present = _partitions(metadata)
    specs = topic_specs(settings)
    cleanup = _cleanup_policies(admin, [spec.name for spec in specs if spec.name in present], timeout_s)
    states = tuple(
        TopicState(spec, present.get(spec.name, 0), _replication(metadata, spec.name), cleanup.get(spec.name))
        for spec in specs
    )
    return TopicReport(states, tuple(_problems(states)), tuple(_warnings(states, len(metadata.brokers))))


def connect_admin(settings: Settings, timeout_s: float) -> tuple[AdminClient, ClusterMetadata]:
    """An admin client and what it learned of brokers and topics; TopicsError, with the cause, if no broker answers."""
    causes: list[KafkaError] = []
    admin = AdminClient(kafka_config(settings, error_cb=causes.append, logger=_SILENT))
    try:
        # Of all topics: asking for one by name makes brokers that create topics by themselves create it.
        return admin, admin.list_topics(timeout=timeout_s)
    except KafkaException as error:
        admin.poll(0)
        told = [cause.str() for cause in causes if names_cause(cause)]
        raise BrokerAwayError(
            f"no Kafka broker answered at {settings.kafka.brokers} within {timeout_s:g} s "
            f"({told[-1] if told else error.args[0].str()}). "
            "Is it running, and are kafka.brokers and kafka.security_protocol right?"
        ) from None


def _problems(states: tuple[TopicState, ...]) -> Iterator[str]:
    missing = [state.spec.name for state in states if state.spec.required and not state.exists]
    if missing:
        yield f"missing: {', '.join(missing)}. Run `shopwarden topics create`, or correct [topics] in the settings."
    inputs = {s.spec.name: s.partitions for s in states if s.exists and _is_shard_input(s.spec)}
    if len(set(inputs.values())) > 1:
        yield _unequal(inputs)
    shards = max(inputs.values(), default=0)
    few = [
        s.spec.name
        for s in states
        if s.spec.use != "input" and s.spec.field not in _SINGLE and s.exists and s.partitions < shards
    ]
    if few:
        yield (
            f"fewer partitions than the inputs' {shards}: {', '.join(few)}. A shard writes to the partition of its own "
            "number; add the missing ones."
        )
    for state in states:
        if state.cleanup is None:
            continue
        name, policies = state.spec.name, state.cleanup.replace(" ", "").split(",")
        if state.spec.cleanup == "compact" and "compact" not in policies:
            yield f"{name} has cleanup.policy={state.cleanup}, so old values would vanish; set it to compact."
        if state.spec.cleanup == "delete" and "compact" in policies:
            yield (
                f"{name} has cleanup.policy={state.cleanup}: compaction keeps only the last event of each key; "
                "set it to delete."
            )


def _warnings(states: tuple[TopicState, ...], brokers: int) -> Iterator[str]:
    missing = [state.spec.name for state in states if not state.spec.required and not state.exists]
    if missing:
        yield f"missing, but optional: {', '.join(missing)}. `shopwarden topics create` makes them."
    shards = {s.partitions for s in states if s.exists and _is_shard_input(s.spec)}
    for state in states:
        name = state.spec.name
        if state.spec.field in _SINGLE:
            if state.partitions > 1:
                yield f"{name} has {state.partitions} partitions; what it holds is in order only in a topic with one."
        elif state.exists and len(shards) == 1 and state.partitions not in shards:
            yield f"{name} has {_plural(state.partitions)}, the inputs {max(shards)}; joins by key need equal ones."
    single = [state.spec.name for state in states if state.exists and state.replication == 1]
    if brokers > 1 and single:
        yield f"kept by one broker of {brokers} only, so its loss is theirs: {', '.join(single)}."


def _unequal(inputs: dict[str, int]) -> str:
    most = max(inputs.values())
    fewer = [name for name, count in inputs.items() if count < most]
    counts = ", ".join(f"{name} {count}" for name, count in inputs.items())
    return (
        f"the input topics have unequal partition counts: {counts}. A shard is one partition of each, so they must be "
        f"equal. Delete {', '.join(fewer)} and run `shopwarden topics create`, which makes new ones with {most}. "
        "(Adding partitions to a topic with records is no way: it moves keys, and splits merchants over two shards.)"
    )


def _is_shard_input(spec: TopicSpec) -> bool:
    """Whether a shard is made of a partition of the topic, so that it must have as many as the others."""
    return (spec.use == "input" and spec.field != "policies") or spec.field == "exchange"


def _plural(partitions: int) -> str:
    return f"{partitions} partition" + ("s" if partitions != 1 else "")


def _partitions(metadata: ClusterMetadata) -> dict[str, int]:
    return {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}


def _replication(metadata: ClusterMetadata, name: str) -> int:
    topic = metadata.topics.get(name)
    return min((len(p.replicas) for p in topic.partitions.values()), default=0) if topic is not None else 0


def _cleanup_policies(admin: AdminClient, names: list[str], timeout_s: float) -> dict[str, str]:
    """The cleanup policy of each topic, where the broker tells and the user may know."""
    if not names:
        return {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    found: dict[str, str] = {}
    for resource, future in admin.describe_configs(resources, request_timeout=timeout_s).items():
        try:
            entry: Any = future.result(timeout_s).get("cleanup.policy")
        except KafkaException:
            continue
        if entry is not None and entry.value:
            found[resource.name] = entry.value
    return found


def _await_visible(admin: AdminClient, names: set[str], deadline: float) -> None:
    missing = sorted(names)
    while time.monotonic() < deadline:
        try:
            missing = sorted(names - _partitions(admin.list_topics(timeout=1)).keys())
        except KafkaException:
            continue
        if not missing:
            return
        time.sleep(0.1)
    raise TopicsError(f"created, but the broker does not show them yet: {', '.join(missing)}. Try again.")
