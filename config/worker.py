"""Settings of the worker."""

from typing import Literal

from pydantic import Field

from config.fields import Identifier, Section

#: Same levels, from harmless to worst, as features.outputs.LEVELS (config may not import it; a test compares them).
PublishLevel = Literal["low", "guarded", "elevated", "high", "critical"]


class WorkerSettings(Section):
    """What a worker does and how fast."""

    group_id: str = Field(
        default="shopwarden", min_length=1, max_length=249, description="Consumer group of the workers."
    )
    namespace: Identifier = Field(default="shopwarden", description="Prefix of all Redis keys; one per deployment.")
    mode: Literal["live", "shadow"] = Field(
        default="live",
        description="`shadow` judges and publishes with `mode: shadow`, which enforcement systems must not act on.",
    )
    # Under light load a little waiting lets a few records share a flush; what it adds is added to every latency.
    flush_interval_ms: int = Field(
        default=2, ge=0, le=10_000, description="Pause between flushes under light load, so that records gather."
    )
    # 4,000 records a fetch gave 51,700 events/s, 500 gave 40,400 (prototype, two cores).
    max_flush_records: int = Field(default=4000, ge=1, le=100_000, description="Most records of one flush.")
    max_poll_records: int = Field(
        default=4000, ge=1, le=100_000, description="Most records taken from the fetcher at once."
    )
    # A checkpoint costs more than a flush; after a crash about this much is computed again.
    checkpoint_interval_s: float = Field(
        default=1.0, gt=0, le=60, description="Seconds between checkpoints of a shard to Redis."
    )
    publish_level: PublishLevel = Field(
        default="elevated",
        description="Assessments at or above this level are published; a merchant's also when its level changes.",
    )
    # Recall is estimated from a random sample of what was not flagged; 0.5 % is a load that reviewers can carry.
    audit_rate: float = Field(
        default=0.005, ge=0, le=1, description="Share of all assessments drawn at random for the audit sample."
    )
    # Violations are rare: a random sample finds next to none, and what is estimated from it stays uncertain. At 5 % one
    # in fifty of the high and one in a hundred of the elevated is drawn as well, and hardly any of the low.
    audit_score_rate: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Chance of an assessment with the highest score to be drawn for the audit sample besides; that of "
        "others falls with the square of their score. 0 leaves the random sample alone.",
    )
    # Enforcement changes what it is judged by: only merchants that are left alone show what the others would have done.
    # One in a hundred is little harm, as only minor actions are held out, and still gives every rule some cases a year.
    holdout_rate: float = Field(
        default=0.01,
        ge=0,
        le=0.2,
        description="Share of merchants, by policy and period, against whom minor decisions are not carried out but "
        "published for audit, so that labels stay honest; 0 carries out all. Policy files say which.",
    )
    # Mobile clients and carriers report up to an hour late; later events still count, in their own bucket.
    allowed_lateness_s: int = Field(
        default=3600,
        ge=0,
        le=30 * 86400,
        description="Seconds that the watermark stays behind the highest event time seen.",
    )
    # The longest that a due timer waits on a quiet shard.
    idle_tick_s: float = Field(
        default=1.0, gt=0, le=3600, description="Seconds of quiet after which a tick moves a shard's time."
    )
    # 256 KiB, a hundred times a large listing; Kafka itself allows 1 MiB.
    max_record_bytes: int = Field(
        default=262_144, ge=1024, le=16_777_216, description="Larger records go to the dead letters."
    )
    # Clocks err by minutes; a day allows for a wrong time zone, and no event may push the watermark further than that.
    future_tolerance_h: float = Field(
        default=24, gt=0, le=720, description="Hours that an event may be later than its record's timestamp."
    )
    # A merchant is judged by its counts, so somebody has to know when they are wrong.
    on_gap: Literal["stop", "skip"] = Field(
        default="stop",
        description="When records that come next are gone from Kafka: `stop`, or `skip` them, with an event that says "
        "what was not seen.",
    )
    # At about 1 KB each, 200 MB at most.
    cache_entries: int = Field(
        default=200_000, ge=1000, le=100_000_000, description="Merchants, orders and listings kept decoded, per shard."
    )
    # Below the 30 s that container platforms grant between SIGTERM and SIGKILL.
    shutdown_deadline_s: float = Field(
        default=25, gt=0, le=3600, description="Seconds for a clean stop; then the process exits."
    )
    # Brokers and stores often start beside the workers; a minute is longer than most take.
    start_wait_s: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="Seconds to wait at the start for Kafka and Redis to answer; then the process exits.",
    )
    # Longer than a rebalance, a leader's election or a slow disk; an alarm that is false costs more than a late one.
    stuck_after_s: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="Seconds that a partition may have records and make no progress, with Kafka and Redis there; then "
        "the process exits with code 71. 0 never does.",
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="`json` for machines, `console` for people."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least severe log messages shown."
    )
    # Any fixed number: the same input must give the same scores.
    seed: int = Field(default=42, ge=0, le=2**32 - 1, description="Seed of the models.")
    # Off: it takes about 400 microseconds to learn an order, one in four, and loses to the champion on public data.
    challenger: bool = Field(
        default=False,
        description="Whether an adaptive forest judges one order in four beside the bad-order model, in shadow until "
        "it is better by rule.",
    )
    features_in_output: Literal["reasons", "all"] = Field(
        default="reasons", description="Features in an assessment: those that its reasons name, or all."
    )
