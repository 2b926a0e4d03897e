"""When a merchant must be looked at although no event says so: actions that expire, and the end of its retention.

A merchant has one timer. It is never later than what it waits for, and when it fires it is found out what is due:
events make retention end later, and move no timer.
"""

from typing import Final

from features.merchant import Merchant, MerchantRecord
from features.order import LONGEST_PROMISE_DAYS, OUTCOME_DAYS
from features.party import Party, timer_key
from features.shard import ShardState
from features.windows import DAY_MS, WINDOWS

#: Days after the latest event at which figures of the longest window have changed for the last time, but for orders
#: that were promised for later.
SETTLE_DAYS: Final = WINDOWS[-1] + OUTCOME_DAYS + 1
#: Days after the latest event at which no day bucket holds anything, whatever was promised.
EMPTY_DAYS: Final = LONGEST_PROMISE_DAYS + SETTLE_DAYS
_SETTLE_MS: Final = SETTLE_DAYS * DAY_MS


class MerchantTimers:
    """Sets the timers of one shard's merchants.

    Parameters
    ----------
    state
        The shard's state.
    idle_days
        Days after which an idle merchant is laid to rest.
    """

    __slots__ = ("_idle", "_state")

    def __init__(self, state: ShardState, idle_days: int) -> None:
        self._state = state
        self._idle = idle_days * DAY_MS

    def start(self, merchant: Merchant, time: int = 0) -> None:
        """Set the timer of a merchant that has none, or whose timer fired at ``time``, ms."""
        record = merchant.record
        settle = record.as_of + _SETTLE_MS
        if settle <= time:
            settle = time + _SETTLE_MS
        due = min(settle, record.as_of + self._idle)
        expiry = None if record.enforcement is None else record.enforcement.next_expiry()
        if expiry is not None:
            due = min(due, expiry)
        if record.credit is not None and record.credit.due > time:
            due = min(due, record.credit.due)
        # Later than what just fired, as by policies without credit or duties nobody moves these on.
        if record.duties is not None and record.duties.look_at > time:
            due = min(due, record.duties.look_at)
        self._set(merchant, due)

    def expect(self, party: Party, time: int) -> None:
        """See to it that a merchant or creator is looked at when the watermark passes ``time``, ms."""
        timer = party.record.timer
        if timer <= 0 or time < timer:
            self._set(party, time)

    def at_rest(self, record: MerchantRecord, time: int) -> bool:
        """Whether at ``time`` nothing is kept of a merchant that could still matter but facts of its account,
        enforcement and numbers: no window, order or listing.
        """
        return not record.contributed and time >= record.as_of + self._idle

    def settled(self, record: MerchantRecord, time: int) -> bool:
        """Whether figures of a merchant that were left alone have changed by ``time`` as windows moved on."""
        return bool(record.contributed) and time >= record.as_of + _SETTLE_MS

    def _set(self, party: Party, time: int) -> None:
        party.record.timer = time
        self._state.timers.set(timer_key(party), time)
