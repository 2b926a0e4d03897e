"""What a shard makes of what it is told about its creators: counted, judged, timed to end, answered."""

from typing import Final, cast
from zlib import crc32

from detectors.assess import Assessor
from detectors.orders import event_digest
from detectors.redress import Redress
from features import events
from features.creator import CREATOR_VERSION, SEEN_LIMIT, Creator, CreatorRecord, PromotedViolation
from features.creator_conduct import creator_conduct
from features.creator_features import violations_by_policy
from features.credit import SOON_MS, Conduct
from features.exchange import Absolved, Blamed, CreatorFlagged, Driven, ShopFlagged, ToCreator
from features.order import OUTCOME_DAYS
from features.party import Party
from features.population import Population
from features.windows import DAY_MS

#: How often a creator is looked at of which no harm is told: its rates change as outcomes fall due. Short beside the
#: windows of the rates.
LOOK_EVERY_MS: Final = 3 * DAY_MS
#: Policy under which commission on a suspended merchant's sales is kept back: it ends with the suspension.
SUSPENDED_SHOP: Final = "suspended_shop"


class CreatorFlow:
    """Applies what is told about creators, and feedback about them, to a shard's state."""

    __slots__ = ("_assessor", "_idle", "_redress", "_state")

    def __init__(self, assessor: Assessor, redress: Redress) -> None:
        self._assessor = assessor
        self._redress = redress
        self._state = assessor.state
        self._idle = assessor.judge.settings.rest_days * DAY_MS
        assessor.enforcer.credit.conducts["creator"] = _conduct

    def told(self, item: ToCreator, shard: int, at: int) -> None:
        """A merchant's shard told something, at an event time, ms."""
        creator = self._creator(item.creator, at)
        urgent = False
        match item:
            case Driven():
                urgent = self._driven(creator, item, shard, at)
            case Blamed() | Absolved():
                urgent = _blamed(creator, item, at)
            case ShopFlagged():
                urgent = self._shop_flagged(creator, item, shard, at)
        if urgent:
            self._assessor.creator(creator, True)

    def feedback(self, event: events.FeedbackInput) -> None:
        """A person said something about a creator."""
        state = self._state
        record = state.creator(event.merchant_id).record
        digest = event_digest(event.event_id)
        if digest in record.seen:
            state.statistics.duplicates += 1
            return
        record.seen = [*record.seen[1 - SEEN_LIMIT :], digest]
        state.statistics.events += 1
        creator = self._creator(event.merchant_id, event.occurred_at)
        rejection = self._redress.take(creator, event)
        if rejection is not None:
            # Once it is put right, it may come again.
            record.seen = record.seen[:-1]
            self._assessor.outbox.refuse(rejection)
            state.statistics.rejected += 1
            return
        match event:
            case events.ReportReceived():
                record.reports += 1
            case events.ReviewDecided():
                if event.verdict == "violation":
                    record.found += 1
                else:
                    record.cleared += 1
            case events.AppealFiled() | events.AppealDecided():
                record.appeals += 1
            case events.EnforcementOverridden():
                pass

    def timer(self, creator_id: str, time: int) -> None:
        """A creator's timer fired at an event time: an action expired, it is to be looked at, or its time is over."""
        state = self._state
        creator = state.creators.get(creator_id)
        if creator is None or creator.record.timer != time:
            return
        state.statistics.timers += 1
        state.touched_creators[creator_id] = None
        self._assessor.enforcer.expire(creator, time)
        self._redress.due(creator, time)
        self._assessor.enforcer.credit.review(creator, time)
        if _counts(creator):
            # Outcomes fall due from day to day, although no message says so.
            creator.advance(time)
            self._assessor.creator(creator, False)
        elif time >= creator.record.as_of + self._idle:
            self._rest(creator, time)
            return
        self._wait(creator, time)

    def _driven(self, creator: Creator, item: Driven, shard: int, at: int) -> bool:
        record = creator.record
        new = item.merchant not in record.shops
        counts = item.counts
        harmed = creator.count(item.merchant, shard, counts, at)
        if counts.outcome and (record.credit is None or not 0 < record.credit.review < at + SOON_MS):
            outcome_due = (max(counts.outcome) + OUTCOME_DAYS) * DAY_MS
            self._assessor.enforcer.credit.begin(creator, outcome_due)
        if new and record.enforcement is not None:
            # It may be a merchant that is known no more, and was told something else before.
            self._assessor.post.to(shard, CreatorFlagged(item.merchant, creator.id, record.flagged))
        return harmed

    def _shop_flagged(self, creator: Creator, item: ShopFlagged, shard: int, at: int) -> bool:
        shop = creator.shop(item.merchant, shard)
        suspended = shop.suspended
        if (shop.flagged, shop.suspended) == (item.flagged, item.suspended):
            return False
        if item.flagged and not shop.flagged:
            shop.flagged_at = at
            shop.share = item.share
        shop.flagged, shop.suspended = item.flagged, item.suspended
        if suspended != item.suspended and creator.record.enforcement is not None:
            if any(each.suspended for each in creator.record.shops.values()):
                # What is kept back is of other merchants now.
                self._assessor.enforcer.stand(creator)
            else:
                self._assessor.enforcer.put_right(creator, SUSPENDED_SHOP)
        return True

    def _creator(self, creator_id: str, at: int) -> Creator:
        creator = self._state.creator(creator_id)
        creator.advance(at)
        if not creator.record.timer:
            self._wait(creator)
        return creator

    def _wait(self, creator: Creator, time: int = 0) -> None:
        """Set the timer of a creator that has none, or whose timer fired at ``time``, ms.

        While anything is counted of a creator it is looked at every three days, each at a time of its own.
        """
        record = creator.record
        after = max(record.as_of, time)
        if _counts(creator) or not time:
            due = after + LOOK_EVERY_MS - (after - crc32(creator.id.encode())) % LOOK_EVERY_MS
        else:
            due = record.as_of + self._idle
            if due <= time:
                due = time + self._idle
        expiry = None if record.enforcement is None else record.enforcement.next_expiry()
        if expiry is not None:
            due = min(due, expiry)
        if record.credit is not None and record.credit.due > time:
            due = min(due, record.credit.due)
        record.timer = due
        self._state.timers.set(f"c{creator.id}", record.timer)

    def _rest(self, creator: Creator, time: int) -> None:
        """Lay an idle creator to rest: forget it, or all but what must outlast it."""
        state = self._state
        record = creator.record
        if not record.sequence:
            state.forget_creator(creator.id)
            return
        creator.advance(time)
        record.shops = {}
        record.violations = []
        record.harmed = {}
        if record.level:
            record.assessed_at = time
            self._assessor.creator(creator, True)
        state.creators[creator.id] = creator = Creator(creator.id, _rested(record))
        if creator.record.enforcement is not None and creator.record.enforcement.next_expiry() is not None:
            self._wait(creator, time)
        else:
            state.timers.clear(f"c{creator.id}")


def _blamed(creator: Creator, item: Blamed | Absolved, at: int) -> bool:
    """A listing that it promoted was enforced against, or that was wrong; true if that is news."""
    before = violations_by_policy(creator)
    if isinstance(item, Blamed):
        news = creator.blame(PromotedViolation(item.policy, item.merchant, item.listing, item.decision, at))
    else:
        news = creator.clear(item.decision)
    after = violations_by_policy(creator)
    creator.note_facts("creator_violations", sum(after.values()) - sum(before.values()))
    same = max(after.values(), default=0) - max(before.values(), default=0)
    creator.note_facts("creator_same_violations", same)
    return news


def _conduct(party: Party, population: Population, day: int) -> Conduct:
    return creator_conduct(cast("Creator", party), population, day)


def _counts(creator: Creator) -> bool:
    """Whether any day of a creator still counts."""
    return bool(creator.placed.buckets or creator.outcome.buckets)


def _rested(record: CreatorRecord) -> CreatorRecord:
    """What stays of a creator at rest; it has no timer."""
    return CreatorRecord(
        version=CREATOR_VERSION,
        first_seen=record.first_seen,
        as_of=record.as_of,
        currency=record.currency,
        foreign_orders=record.foreign_orders,
        sequence=record.sequence,
        level=record.level,
        fired=record.fired,
        enforcement=record.enforcement,
        credit=record.credit,
        seen=record.seen,
        flagged=record.flagged,
        reports=record.reports,
        found=record.found,
        cleared=record.cleared,
        appeals=record.appeals,
    )
