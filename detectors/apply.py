"""The core: ``apply(flush)`` takes a shard from one state to the next and returns what to publish.

Deterministic: no clock, no randomness without a seed, no I/O. The worker, replay and the tests all call this one
method, and recovery is calling it again on the flushes that the journal names.
"""

from collections.abc import Sequence

from detectors.bench import Bench, Creators, Exchange, Flow, SplitBench, Trial
from detectors.exchange import TELL
from detectors.exchange_post import Post
from detectors.flush import Emit, Flush
from detectors.judge import Judge, Models
from detectors.outbox import Outbox
from detectors.promotions import TELL_DRIVEN
from features.decode import Decoded, Rejection, decode, decode_message
from features.events import OrderCreated
from features.exchange import Message
from features.keys import entity_key, split_key
from features.omissions import Poison
from features.outputs import Source
from features.policy_notices import Rollout
from features.shard import Needed, Record, ShardState

#: Name of the source of what a tick of event time causes.
TICK_TOPIC = "tick"
#: Characters kept of what an error says.
_DETAIL_LENGTH = 500


class ApplyError(Exception):
    """Applying a record failed, which is a fault of ours and not of the record; the shard's state is unusable.

    Attributes
    ----------
    poison
        The record, and how it failed.
    """

    def __init__(self, poison: Poison) -> None:
        super().__init__(f"record {poison.offset} of {poison.topic} could not be applied: {poison.detail}")
        self.poison = poison


class Core:
    """One shard at work: its state, its models, and the judge they share with others."""

    __slots__ = (
        "_assessor",
        "_creators",
        "_exchange",
        "_listings",
        "_merchants",
        "_orders",
        "_outbox",
        "_post",
        "_promotions",
        "judge",
        "models",
        "state",
        "trial",
    )

    def __init__(self, state: ShardState, models: Models, judge: Judge) -> None:
        self.state = state
        self.models = models
        self._outbox = Outbox()
        self._arrange(judge, None)

    def _arrange(self, judge: Judge, trial: Trial | None) -> None:
        """Build what judges: it holds nothing that lasts from one flush to the next."""
        self.judge = judge
        self.trial = trial
        state, models, outbox = self.state, self.models, self._outbox
        self._post = post = Post(state, outbox, judge.settings.shards, judge.pseudonyms)
        base = Bench(state, models, judge, outbox, post)
        self._assessor = base.assessor
        self._promotions = base.assessor.promotions
        benches: Bench | SplitBench = base
        if trial is not None:
            # The brake is the base's for both, so that a set on trial can't loosen it.
            capped = trial.judge.capped_by(judge.breaker)
            benches = SplitBench(base, Bench(state, models, capped, outbox, post), trial.rollout)
        self._orders: Flow = benches.orders
        self._listings: Flow = benches.listings
        self._merchants: Flow = benches.merchants
        self._creators: Creators = benches.creators
        self._exchange: Exchange = benches.exchange

    def use(self, judge: Judge, trial: Trial | None = None) -> None:
        """Judge by other policies from the next flush on, a share of the parties by those on trial; state and models
        stay as they are.
        """
        self._arrange(judge, trial)

    @property
    def rollout(self) -> Rollout | None:
        """The roll-out under way: which parties are judged by which set on trial."""
        return None if self.trial is None else self.trial.rollout

    def decode(self, flush: Flush) -> list[Decoded]:
        """Decode a flush's records, so that what it needs can be loaded before it is applied."""
        limits, clock = self.judge.settings.limits, flush.clock
        events: list[Decoded] = [
            decode_message(r.value)
            if r.kind == "exchange"
            else decode(r.kind, r.key, r.value, r.timestamp, limits, clock)
            for r in flush.records
        ]
        if flush.poison:
            details = {(poison.topic, poison.offset): poison.detail for poison in flush.poison}
            for index, record in enumerate(flush.records):
                detail = details.get((record.topic, record.offset))
                if detail is not None:
                    events[index] = Rejection("unprocessable", detail)
        return events

    def needed(self, flush: Flush, events: Sequence[Decoded]) -> Needed:
        """Keys that applying a flush reads, those of timers that will fire included."""
        needed = Needed()
        highest = self.state.clock.highest
        merchants, orders, known = needed.merchants, needed.orders, self.state.merchants
        for record, event in zip(flush.records, events, strict=True):
            kind = type(event)
            if kind is Rejection:
                continue
            if kind is Message:
                needed.add_message(event)  # type: ignore[arg-type]
            elif record.kind != "orders":
                needed.add(event)  # type: ignore[arg-type]
            else:
                at: int = event.occurred_at  # type: ignore[union-attr]
                if at > highest:
                    reached = min(record.timestamp, at)
                    highest = max(highest, reached)
                if kind is OrderCreated:
                    needed.add(event)  # type: ignore[arg-type]
                    continue
                # Most events by far: what happens to an order reads it and its merchant.
                merchant_id: str = event.merchant_id  # type: ignore[union-attr]
                order_id: str = event.order_id  # type: ignore[union-attr]
                merchant = known.get(merchant_id)
                merchants.add(merchant_id)
                orders.add(entity_key(merchant_id, order_id) if merchant is None else merchant.prefix + order_id)
        watermark = highest - self.judge.settings.allowed_lateness
        if flush.tick is not None:
            watermark = max(watermark, flush.tick)
        for key in self.state.timers.due(watermark):
            if key[0] == "o":
                needed.orders.add(key[1:])
                needed.merchants.add(split_key(key[1:])[0])
            elif key[0] == "l":
                needed.listings.add(key[1:])
                needed.merchants.add(split_key(key[1:])[0])
            elif key[0] == "m":
                needed.merchants.add(key[1:])
            elif key[0] == "b":
                needed.buckets.add(key[1:])
            elif key[0] == "c":
                needed.creators.add(key[1:])
        return needed

    def apply(self, flush: Flush, events: Sequence[Decoded] | None = None) -> list[Emit]:
        """Apply a flush whose keys are loaded; returns what to publish, in order.

        ``events`` are the decoded records, where the caller has them already.

        Raises
        ------
        ApplyError
            A record made it fail.
        """
        state = self.state
        outbox = self._outbox
        statistics = state.statistics
        if events is None:
            events = self.decode(flush)
        outbox.emits = []
        for gap in flush.gaps:
            if gap.why == "truncated":
                made_anew = state.correspondence.made_anew
                made_anew[gap.topic] = made_anew.get(gap.topic, 0) + 1
            statistics.missed += gap.last - gap.first + 1
            outbox.gap(gap, state.partition, self.judge.settings.mode, state.clock.highest)
        for notice in flush.policies:
            outbox.policies(notice, state.partition, self.judge.settings.mode, state.clock.highest)
        statistics.records += sum([record.kind != "exchange" for record in flush.records])
        try:
            self._apply_records(flush.records, events)
        except Exception as error:
            source = outbox.source
            self._post.forget()
            detail = f"{type(error).__name__}: {error}"[:_DETAIL_LENGTH]
            raise ApplyError(Poison(source.topic, source.offset, detail)) from error
        if flush.tick is not None:
            # Named by its time and not by the flush: flushes are numbered anew when a store is set up anew.
            outbox.start(Source(TICK_TOPIC, state.partition, flush.tick), flush.tick)
            self._move_on(flush.tick)
            # Not that of the last timer: calendars of restored shards lack what others have left behind in them.
            outbox.time = flush.tick
            if self._post.waiting:
                self._post.send()
        return outbox.emits

    def _apply_records(self, records: Sequence[Record], events: Sequence[Decoded]) -> None:
        outbox = self._outbox
        clock = self.state.clock
        timers = self.state.timers
        statistics = self.state.statistics
        lateness = self.judge.settings.allowed_lateness
        start, apply_order, waiting = outbox.start, self._orders.apply, self._post.waiting
        for record, event in zip(records, events, strict=True):
            if type(event) is Rejection:
                start(record, record.timestamp)
                statistics.rejected += 1
                outbox.reject(record, event)
                continue
            at: int = event.occurred_at  # type: ignore[union-attr]
            kind = record.kind
            start(record, at)
            if kind == "orders":
                reached = min(record.timestamp, at)
                if reached > clock.highest:
                    clock.highest = reached
                    watermark = reached - lateness
                    if clock.watermark < watermark < timers.soonest:
                        # Nearly always: nothing can be due, so there is nothing to be looked up.
                        clock.watermark = watermark
                    else:
                        self._move_on(watermark)
                        outbox.time = at
                apply_order(event)
            elif kind == "listings":
                self._listings.apply(event)
            elif kind == "exchange":
                self._exchange.apply(event)  # type: ignore[arg-type]
            elif kind == "feedback" and event.creator_id is not None:  # type: ignore[union-attr]
                self._creators.feedback(event)  # type: ignore[arg-type]
            else:
                self._merchants.apply(event)
            if waiting:
                self._post.send()

    def _move_on(self, watermark: int) -> None:
        """Move the watermark on, and fire every timer up to it, in order of time.

        A timer that is set behind the watermark, for an order that arrives late, fires when the watermark moves next:
        the order's other events are late as well, and mostly right behind it.
        """
        state = self.state
        if watermark <= state.clock.watermark:
            return
        state.clock.watermark = watermark
        outbox = self._outbox
        pop_due = state.timers.pop_due
        while (due := pop_due(watermark)) is not None:
            time, key = due
            outbox.time = time
            if key[0] == "o":
                self._orders.timer(key[1:], time)
            elif key[0] == "l":
                self._listings.timer(key[1:], time)
            elif key[0] == "m":
                self._merchants.timer(key[1:], time)
            elif key[0] == "b":
                self._exchange.timer(key[1:], time)
            elif key[0] == "c":
                self._creators.timer(key[1:], time)
            elif key == TELL_DRIVEN:
                self._promotions.timer(time)
            elif key == TELL:
                self._exchange.tell(time)
