"""What each detector costs per event in the bench's mix, by timing the parts of ``Core.apply`` while it works.

The shares are those of one shard that has all the merchants; the sum is more than a run without clocks takes, since a
function that is called through a clock loses some of the interpreter's short cuts. So the sum without clocks is printed
beside it, and every part is scaled to it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from time import thread_time
from typing import Any, Final

from msgspec import Struct

from benchmarks.deployment import benchmark_deployment
from benchmarks.records import make_records
from benchmarks.stopwatch import Cost, Stopwatch
from detectors.apply import Core
from detectors.flush import Emit, Flush
from detectors.judge import fresh_models
from features.shard import Record, ShardState
from streams.worker import make_judge

_FLUSH: Final = 4_000
_SEED: Final = 7
REST: Final = "everything else"
_REST_PURPOSE: Final = "the loop, look-ups, repeats dropped, scans that say nothing new"


class Part(Struct, frozen=True):
    """A part: its name, the functions that make it up, and what it is for."""

    name: str
    targets: tuple[str, ...]
    purpose: str


#: Functions are named where they are called from: a function that another module imported is timed there.
PARTS: Final = (
    Part(
        "decoding",
        ("detectors.apply:Core.decode",),
        "JSON into typed events, every limit of the contract checked",
    ),
    Part(
        "counts and windows",
        (
            "features.merchant:Merchant.advance",
            "features.merchant:Merchant.reflag",
            "detectors.orders:OrderFlow._create",
            "detectors.orders:OrderFlow._wait",
            "detectors.orders:begin_day",
            "detectors.merchants:begin_day",
            "detectors.listings:begin_day",
        ),
        "an order's facts, flags and timers; day buckets and sums of four windows; priors",
    ),
    Part(
        "segments and delivery times",
        ("detectors.orders:OrderFlow._learn_lateness",),
        "late rates and durations of regions, routes, categories, which the bad-order model reads",
    ),
    Part(
        "bad-order: inputs",
        (
            "detectors.order_stages:order_vector",
            "detectors.order_stages:dispatch_vector",
            "detectors.order_stages:delivery_vector",
            "detectors.order_stages:encode_scored",
        ),
        "figures of an order at purchase, dispatch and delivery, kept as they were scored",
    ),
    Part(
        "bad-order: score",
        ("detectors.bad_order:BadOrderModel.observe_and_predict", "detectors.bad_order:BadOrderModel.predict"),
        "scaling, standardising, logistic regression; once an order and stage",
    ),
    Part(
        "bad-order: learn",
        ("detectors.order_stages:OrderStages.mature", "detectors.order_stages:OrderStages.revise"),
        "a gradient step a stage, calibration, base rate, and the example that is kept; once an outcome",
    ),
    Part(
        "behaviour-anomaly: inputs",
        ("detectors.assess:behaviour_vector", "detectors.examples:Examples.add_behaviour"),
        "12 figures of a merchant; once an hour of a busy merchant's time, else twice a day",
    ),
    Part(
        "behaviour-anomaly: score and learn",
        ("detectors.anomaly:BehaviourAnomaly.score_and_learn",),
        "ten half-space trees, tail probabilities, percentile",
    ),
    Part("rules on merchants", (), "every rule on merchants, when one is assessed"),
    Part("rules on orders", (), "every rule on orders, at the events that trigger it"),
    Part("rules on listings", (), "every rule on listings, at each version"),
    Part(
        "listing text",
        ("detectors.listings:listing_signals", "detectors.listings:title_similarity"),
        "disguises undone, terms, brands, contacts; edits compared with the version before; once a version",
    ),
    Part(
        "listing-category",
        (
            "detectors.listing_category:CategoryJudge.judge",
            "detectors.listing_category:CategoryJudge.accept",
            "detectors.listing_category:CategoryJudge.reviewed",
        ),
        "online softmax regression on hashed words of a listing; scored at each version, learned when accepted",
    ),
    Part(
        "exchange: what is told",
        (
            "detectors.exchange_post:Post.listing",
            "detectors.exchange_post:Post.claim",
            "detectors.exchange_post:Post.account_value",
            "detectors.exchange_post:Post.flagged",
            "detectors.exchange_post:Post.send",
        ),
        "fingerprints of titles and images, messages to the shards that own them",
    ),
    Part(
        "exchange: what is heard",
        ("detectors.exchange:ExchangeFlow.apply",),
        "buckets of fingerprints, accounts and claims; links between merchants",
    ),
    Part(
        "judgement",
        (
            "detectors.assess:Assessor.merchant",
            "detectors.assess:Assessor.order",
            "detectors.assess:Assessor.listing",
        ),
        "levels, and whether there is anything to say",
    ),
    Part(
        "reasons and outputs",
        ("detectors.assess:Assessor._emit", "detectors.outbox:Outbox.publish", "detectors.outbox:Outbox.standing"),
        "reasons in words, contributions of models, JSON and headers; once a published output",
    ),
    Part(
        "creators",
        ("detectors.creators:CreatorFlow.told", "detectors.creators:CreatorFlow.timer"),
        "what became of the orders that a creator drove; once an hour of a creator's time",
    ),
    Part(
        "credit",
        ("detectors.credit.book:CreditBook.review", "detectors.credit.book:CreditBook.violation"),
        "ledger, probability of harm with its bounds, tiers; once a week of a party, and at violations",
    ),
    Part(
        "remedies and duties",
        (
            "detectors.remedies:Remedies.after",
            "detectors.remedies:Remedies.placed",
            "detectors.duties:Duties.sold",
            "detectors.duties:Duties.look",
        ),
        "what makes a buyer whole, once an order went wrong; what the law asks of sellers, once an order",
    ),
    Part(
        "enforcement",
        (
            "detectors.enforcer:Enforcer.acts",
            "detectors.enforcer:Enforcer.enforce",
            "detectors.enforcer:Enforcer.expire",
            "detectors.enforcer:Enforcer.stand",
        ),
        "ladders, strikes, hold-out, statements of reasons, standings",
    ),
)


class Measured(Struct, frozen=True):
    """What a part costs, and what it is for."""

    part: str
    us_per_event: float
    calls_per_event: float
    us_per_call: float
    purpose: str


def measure(events: int, rounds: int = 3) -> tuple[float, list[Measured]]:
    """Microseconds an event of the core as it is, and of each part, scaled to that; the dearest first.

    Of each figure the least of the rounds counts: what disturbs a round only adds to it.
    """
    settings = benchmark_deployment("none:1", "redis://none:1/0", "costs", "", 1).settings
    records = list(_records(events))
    whole = float("inf")
    best: dict[str, Cost] = {}
    total = float("inf")
    for _ in range(rounds):
        whole = min(whole, _run(_core(settings), records))
        watch = Stopwatch()
        try:
            for part in PARTS:
                for target in part.targets:
                    watch.watch(target, part.name)
            core = _core(settings)
            _watch_rules(core, watch)
            seconds = _run(core, records)
        finally:
            watch.stop()
        total = min(total, seconds)
        for name, cost in watch.costs.items():
            if name not in best or cost.seconds < best[name].seconds:
                best[name] = cost
    known = sum(max(0.0, cost.seconds) for cost in best.values())
    scale = min(1.0, whole / known) if known else 1.0
    found = []
    for part in PARTS:
        cost = best.get(part.name, Cost())
        seconds = max(0.0, cost.seconds) * scale
        found.append(_measured(part.name, seconds, cost.calls, len(records), part.purpose))
    rest = max(0.0, whole - known * scale)
    found.append(
        _measured(REST, rest, len(records), len(records), "the loop, repeats dropped, scans that say nothing new")
    )
    found.sort(key=lambda each: -each.us_per_event)
    return whole / len(records) * 1e6, found


def table(whole: float, found: Sequence[Measured]) -> list[str]:
    """The figures as a table in Markdown."""
    lines = ["| part | µs an event | µs a call | calls in 1,000 events | what for |", "|---|---|---|---|---|"]
    lines += [
        f"| {each.part} | {each.us_per_event:.2f} | {each.us_per_call:.1f} | {each.calls_per_event * 1000:,.0f} | "
        f"{each.purpose} |"
        for each in found
    ]
    return [*lines, f"| **together** | **{whole:.1f}** | | | |"]


def _measured(name: str, seconds: float, calls: int, events: int, purpose: str) -> Measured:
    return Measured(name, seconds / events * 1e6, calls / events, seconds / calls * 1e6 if calls else 0.0, purpose)


def _records(events: int) -> Iterator[Record]:
    offsets: Counter[str] = Counter()
    for record in make_records(events, _SEED):
        topic: Any = record.topic
        yield Record(topic, topic, 0, offsets[topic], record.timestamp, record.key, record.value)
        offsets[topic] += 1


def _core(settings: Any) -> Core:
    return Core(
        ShardState(0), fresh_models(settings.worker.seed, challenger=settings.worker.challenger), make_judge(settings)
    )


def _watch_rules(core: Core, watch: Stopwatch) -> None:
    """Rules are compiled as a core is made, so they are timed in it."""
    assessor: Any = core._assessor  # noqa: SLF001 - nothing outside has them
    watch.watch_attribute(assessor, "_merchant_rules", "rules on merchants")
    for name, part in (("_order_rules", "rules on orders"), ("_listing_rules", "rules on listings")):
        rules = getattr(assessor, name)
        for kind, function in rules.items():
            if function is not None:
                rules[kind] = watch.timed(function, part)


def _run(core: Core, records: Sequence[Record]) -> float:
    """Seconds to apply everything, messages to itself included."""
    heard = flushes = 0
    start = thread_time()
    for first in range(0, len(records), _FLUSH):
        flushes += 1
        emits = core.apply(Flush(flushes, list(records[first : first + _FLUSH])))
        while told := [emit for emit in emits if emit.stream == "exchange"]:
            flushes += 1
            messages = [_message(emit, heard + number) for number, emit in enumerate(told)]
            heard += len(told)
            emits = core.apply(Flush(flushes, messages))
    return thread_time() - start


def _message(emit: Emit, offset: int) -> Record:
    return Record("exchange", "exchange", 0, offset, 0, emit.key, emit.value)
