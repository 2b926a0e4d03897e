"""Who judges which party: all flows of one policy set, or of two where one of them is rolled out to a share.

Nothing of a shard is kept here, so benches may be built anew between any two flushes.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from msgspec import Struct

from detectors.assess import Assessor
from detectors.assignment import within
from detectors.creators import CreatorFlow
from detectors.exchange import ExchangeFlow
from detectors.exchange_post import Post
from detectors.judge import Judge, Models
from detectors.listings import ListingFlow
from detectors.merchants import MerchantFlow
from detectors.orders import OrderFlow
from detectors.outbox import Outbox
from detectors.redress import Redress
from features.events import FeedbackInput
from features.exchange import Figures, Item, Message, Seen, ToCreator
from features.keys import split_key
from features.policy_notices import Rollout
from features.shard import ShardState

#: Parties of which it is remembered who judges them.
_REMEMBERED: Final = 100_000


class Trial(Struct, frozen=True, eq=False):
    """A roll-out, and who judges by its policy set."""

    judge: Judge
    rollout: Rollout


class Flow(Protocol):
    """Applies events about parties of a kind, and their timers."""

    def apply(self, event: Any) -> None:
        """Apply one event."""

    def timer(self, key: str, time: int) -> None:
        """A timer fired at an event time, ms."""


class Exchange(Protocol):
    """Applies what shards tell each other."""

    def apply(self, message: Message) -> None:
        """Apply one message."""

    def timer(self, name: str, time: int) -> None:
        """A bucket's timer fired at an event time, ms."""

    def tell(self, time: int) -> None:
        """It is time to tell the others what was counted."""


class Creators(Protocol):
    """Applies feedback about creators, and their timers."""

    def feedback(self, event: FeedbackInput) -> None:
        """Apply one word of feedback."""

    def timer(self, creator_id: str, time: int) -> None:
        """A timer fired at an event time, ms."""


class Bench:
    """All that judges by one policy set."""

    __slots__ = ("assessor", "creators", "exchange", "listings", "merchants", "orders")

    def __init__(self, state: ShardState, models: Models, judge: Judge, outbox: Outbox, post: Post) -> None:
        self.assessor = Assessor(state, models, judge, outbox, post)
        self.orders = OrderFlow(self.assessor)
        self.listings = ListingFlow(self.assessor)
        redress = Redress(self.assessor)
        self.merchants = MerchantFlow(self.assessor, redress)
        self.creators = CreatorFlow(self.assessor, redress)
        self.exchange = ExchangeFlow(self.assessor, post, judge.settings.shards, self.creators)


class SplitBench:
    """Two benches that share a shard: who is drawn is judged by the trial's, everybody else by the base's.

    What is of no single party (buckets, figures, the timers of the shard) is the base's; policies play no part in it.
    """

    __slots__ = ("_covered", "_rollout", "_trial", "base", "creators", "exchange", "listings", "merchants", "orders")

    def __init__(self, base: Bench, trial: Bench, rollout: Rollout) -> None:
        self.base = base
        self._trial = trial
        self._rollout = rollout
        self._covered: dict[str, bool] = {}
        self.orders: Flow = _Split(lambda party: self.of(party).orders, _owner)
        self.listings: Flow = _Split(lambda party: self.of(party).listings, _owner)
        self.merchants: Flow = _Split(lambda party: self.of(party).merchants, _itself)
        self.creators: Creators = _Split(lambda party: self.of(party).creators, _itself)
        self.exchange: Exchange = _SplitExchange(self)

    def of(self, party: str) -> Bench:
        """Who judges a merchant or creator."""
        covered = self._covered.get(party)
        if covered is None:
            if len(self._covered) >= _REMEMBERED:
                self._covered.clear()
            covered = self._covered[party] = within(self._rollout.salt, party, self._rollout.percent)
        return self._trial if covered else self.base


class _Split:
    """Hands what concerns a party to the flow that judges it; events name it, and of a timer's key ``owner`` does."""

    __slots__ = ("_flow_of", "_owner")

    def __init__(self, flow_of: Callable[[str], Any], owner: Callable[[str], str]) -> None:
        self._flow_of = flow_of
        self._owner = owner

    def apply(self, event: Any) -> None:
        self._flow_of(event.merchant_id).apply(event)

    def feedback(self, event: FeedbackInput) -> None:
        self._flow_of(event.merchant_id).feedback(event)

    def timer(self, key: str, time: int) -> None:
        self._flow_of(self._owner(key)).timer(key, time)


class _SplitExchange:
    """Hands each item of a message to who judges the party that it is about."""

    __slots__ = ("_benches",)

    def __init__(self, benches: SplitBench) -> None:
        self._benches = benches

    def apply(self, message: Message) -> None:
        self._benches.base.exchange.apply(message, self._flow_of)

    def timer(self, name: str, time: int) -> None:
        self._benches.base.exchange.timer(name, time)

    def tell(self, time: int) -> None:
        self._benches.base.exchange.tell(time)

    def _flow_of(self, item: Item) -> ExchangeFlow:
        if isinstance(item, Seen | Figures):
            return self._benches.base.exchange
        party = item.creator if isinstance(item, ToCreator) else item.merchant
        return self._benches.of(party).exchange


def _owner(key: str) -> str:
    return split_key(key)[0]


def _itself(key: str) -> str:
    return key
