"""The stage of stories about a creator: everything as of a merchant's, but for where its orders are counted."""

from detectors.creators import CreatorFlow
from detectors.policy import PolicySet
from detectors.redress import Redress
from features.credit import SOON_MS
from features.driven import DUE, DUE_HARMED, DUE_UNCLEAN, ORDERS
from features.order import OUTCOME_DAYS
from features.windows import DAY_MS
from tests.detectors.stories.runner import BEGIN, Stage


class CreatorStage(Stage):
    """One creator of one shard, and everybody who judges it."""

    def __init__(self, policies: PolicySet, *, registered: int | None = None) -> None:
        super().__init__(policies)
        self.creators = CreatorFlow(self.assessor, Redress(self.assessor))
        self.creator = self.state.creator("c1")
        self.party = self.creator
        self.creator.advance(BEGIN * DAY_MS)
        self.creator.record.first_seen = (BEGIN - 390 if registered is None else BEGIN + registered) * DAY_MS
        self.book.begin(self.creator, BEGIN * DAY_MS)

    def fire(self, key: str, time: int) -> None:
        """A timer of the creator fires, or of the merchant that nothing is told of."""
        (self.creators if key[0] == "c" else self.flow).timer(key[1:], time)

    def orders(self, count: int, *, bad: int = 0, late: int = 0, cancelled: int = 0, buyers: int | None = None) -> None:
        """Orders that it drove, whose outcome is due today: ``bad`` were harm, ``cancelled`` by the seller; what was
        ``late`` is the merchant's.
        """
        creator = self.creator
        due_day = creator.day - OUTCOME_DAYS
        creator.outcome.add(due_day, DUE, count)
        creator.outcome.add(due_day, DUE_HARMED, bad)
        creator.outcome.add(due_day, DUE_UNCLEAN, max(bad, cancelled))
        creator.placed.add(creator.day, ORDERS, count)
        for number in range(count):
            creator.buyers.add(creator.day, creator.day * 1000 + number if buyers is None else number % buyers)
        credit = creator.record.credit
        if credit is None or not 0 < credit.review < self.time + SOON_MS:
            self.book.begin(creator, self.time)
