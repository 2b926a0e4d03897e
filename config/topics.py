"""Settings of the topics: names, partitions, retention."""

from typing import Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from config.fields import Section, TopicName

#: Beginning of the names of topics that replays write to: no topic of a deployment may have it, so that nothing a
#: replay writes can be taken for live.
REPLAY_PREFIX: Final = "replay-"


class TopicSettings(Section):
    """Names and shape of the topics.

    The fields hold the names as they are in Kafka: ``prefix`` is put in front when the settings are made (once: a name
    that already starts with it is left alone).
    """

    #: Same partition count, keyed by merchant_id: what a shard is made of, in the order of its journal.
    INPUTS: ClassVar[tuple[str, ...]] = ("listings", "orders", "merchants", "feedback")
    NAMES: ClassVar[tuple[str, ...]] = (
        *INPUTS, "events", "merchant_standing", "creator_standing", "dead_letters", "policies", "journal", "exchange",
        "metrics",
    )  # fmt: skip

    prefix: str = Field(
        default="", pattern=r"^[A-Za-z0-9._-]{0,64}$", description="Put in front of every topic name below."
    )
    listings: TopicName = Field(default="listings", description="Input: listing life cycle.")
    orders: TopicName = Field(default="orders", description="Input: order life cycle.")
    merchants: TopicName = Field(default="merchants", description="Input, optional: onboarding and account changes.")
    feedback: TopicName = Field(
        default="feedback", description="Input, optional: review verdicts, appeals, reports, overrides."
    )
    events: TopicName = Field(
        default="governance-events", description="Output: risk, enforcement, credit, audit and drift events."
    )
    merchant_standing: TopicName = Field(
        default="merchant-standing", description="Output, compacted: standing of each merchant."
    )
    creator_standing: TopicName = Field(
        default="creator-standing", description="Output, compacted: standing of each creator."
    )
    dead_letters: TopicName = Field(
        default="governance-dead-letters", description="Output: records that could not be processed."
    )
    policies: TopicName = Field(
        default="governance-policies", description="Input, compacted, one partition: live policy changes."
    )
    journal: TopicName = Field(
        default="shopwarden-journal", description="Internal: in which order the shards applied their records."
    )
    exchange: TopicName = Field(
        default="shopwarden-exchange", description="Internal: what shards tell each other; input like any other."
    )
    metrics: TopicName = Field(
        default="governance-metrics", description="Output, one partition: daily estimates of `shopwarden metrics`."
    )
    # One shard per partition; 8 lets a group grow to eight worker processes. Changing it later means a migration.
    partitions: int = Field(
        default=8,
        ge=1,
        le=4096,
        description="Partitions of every topic that `topics create` makes, but the policies' one.",
    )
    # 1 fits the single broker of the embedded services and of docker-compose; use 3 on a cluster.
    replication: int = Field(
        default=1, ge=1, le=16, description="Replicas of each partition that `topics create` asks for."
    )
    # Inputs: a month, so that a policy can be tried on recent history (older history comes from archive files). Brokers
    # delete by the record's own timestamp, so history that is produced with its original ones would vanish in minutes.
    retention_inputs_days: float = Field(
        default=30,
        ge=0,
        le=36500,
        description="Days that inputs are kept, by their own timestamps (old history needs 0); 0: for ever.",
    )
    # Six months: that long a decision can be contested (DSA Art. 20), and systems that enforce may read it again.
    retention_events_days: float = Field(
        default=184, ge=0, le=36500, description="Days that outputs are kept; 0: for ever."
    )
    # People repair dead letters; a month covers holidays.
    retention_dead_letters_days: float = Field(
        default=30, ge=0, le=36500, description="Days for dead letters; 0: for ever."
    )

    @model_validator(mode="before")
    @classmethod
    def _apply_prefix(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        prefix = data.get("prefix", "")
        if not isinstance(prefix, str) or not prefix:
            return data
        data = dict(data)
        for name in cls.NAMES:
            value = data.get(name, cls.model_fields[name].default)
            if isinstance(value, str) and not value.startswith(prefix):
                data[name] = prefix + value
        return data

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [self.name(name) for name in self.NAMES]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two topics have the same name: {', '.join(twice)}")
        replays = [name for name in names if name.startswith(REPLAY_PREFIX)]
        if replays:
            raise ValueError(
                f"{', '.join(replays)}: names that begin with {REPLAY_PREFIX!r} are those of replays, which must never "
                "be taken for live"
            )
        return self

    def name(self, topic: str) -> str:
        """The name in Kafka of a topic, given the name of its field, such as ``"dead_letters"``."""
        if topic not in self.NAMES:
            raise KeyError(topic)
        name: str = getattr(self, topic)
        return name

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the four co-partitioned input topics: listings, orders, merchants, feedback."""
        return tuple(self.name(topic) for topic in self.INPUTS)
