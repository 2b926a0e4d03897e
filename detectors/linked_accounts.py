"""What a merchant's shard tells the shards of the accounts that are taken to be of the same operator.

Two merchants with several account values in common are closely linked (:data:`features.linked_counts.CLOSE_VALUES`).
Each tells the other once a day how its orders turned out, and at once when it comes under restrictions or these end: so
who splits a shop does not split what is known of it, and a restriction is not left behind in the other account. What
follows is for the rules (``joint_…`` and ``linked_…`` features) to say.
"""

from detectors.actions import HARSHNESS
from detectors.exchange_post import Post
from detectors.judge import Judge
from features.exchange import Fared
from features.linked_counts import JOINT_RATES, LinkedCounts, window_index
from features.links import Link
from features.merchant import Merchant
from features.outputs import Action
from features.windows import DAY_MS

#: Family of the rules that rest on links: what follows from them is told to nobody, or restrictions would travel on.
_LINKS = "links"
_WINDOWS = [(rate, window_index(days)) for rate, days in JOINT_RATES]
#: A restriction without an end lasts longer than anybody looks ahead, ms.
_FOR_GOOD = 3650 * DAY_MS


class LinkedAccounts:
    """Tells closely linked merchants of each other, for one shard."""

    __slots__ = ("_judge", "_post")

    def __init__(self, judge: Judge, post: Post) -> None:
        self._judge = judge
        self._post = post

    def tell(self, merchant: Merchant) -> None:
        """Tell all those that a merchant is closely linked to, if a day has begun or its restrictions have changed."""
        record = merchant.record
        close = [link for link in record.links if link.close]
        if not close:
            return
        restrictions, until = self._restrictions(merchant)
        told = [merchant.day, restrictions, until]
        if told == record.linked_told:
            return
        record.linked_told = told
        counts = _counts(merchant, restrictions, until)
        for link in close:
            self._post.to(link.shard, Fared(link.other, merchant.id, counts))

    def tell_one(self, merchant: Merchant, link: Link) -> None:
        """Tell a merchant that is closely linked from now on."""
        self._post.to(link.shard, Fared(link.other, merchant.id, _counts(merchant, *self._restrictions(merchant))))

    def _restrictions(self, merchant: Merchant) -> tuple[int, int]:
        """How many restrictions of a merchant count, and when the last of those in force ends."""
        standing = merchant.record.enforcement
        if standing is None:
            return 0, 0
        count = sum(
            1
            for key, strikes in standing.strikes.items()
            # Those on orders and listings have their kind in the key.
            if " " not in key
            for strike in strikes
            if strike.action is not None and self._counts(strike.rule, strike.action)
        )
        until = [
            each.starts_at + _FOR_GOOD if each.expires_at is None else each.expires_at
            for each in standing.active
            if each.subject_kind == "merchant" and not each.requires_review and self._counts(each.rule, each.action)
        ]
        return count, max(until, default=0)

    def _counts(self, rule_id: str, action: Action) -> bool:
        """Whether an action restricts, and rests on what the account itself did."""
        rule = self._judge.policies.rule(rule_id)
        rests_on_links = rule is not None and rule.detector == _LINKS
        return HARSHNESS[action] > HARSHNESS["require_review"] and not rests_on_links


def _counts(merchant: Merchant, restrictions: int, until: int) -> LinkedCounts:
    counts = [number for rate, window in _WINDOWS for number in merchant.orders_and_defects(rate, window)]
    return LinkedCounts(merchant.day, counts, restrictions, until)
