"""Shops that contest what is decided about them: they answer the core's decisions, so they stand beside the simulation.

The simulator's records are fixed before anything is judged. Appeals are not: each names a decision. Whoever runs both
tells the appellants of decisions and takes their records at the right time.
"""

from collections.abc import Collection
from heapq import heappop, heappush
from random import Random
from typing import Final

import msgspec

from features.events import AppealDecided, AppealFiled
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.schedule import SimulatedRecord

_encode: Final = msgspec.json.Encoder().encode
#: Appeals of one decision: one more than is allowed anywhere (docs/policies.md).
_APPEALS: Final = 3


class Appellants:
    """Contests every decision about some merchants three times within days; a person upholds each of them.

    Parameters
    ----------
    merchants
        Who contests.
    seed
        Of the times at which they do.
    """

    def __init__(self, merchants: Collection[str], seed: int) -> None:
        self._merchants = frozenset(merchants)
        self._random = Random(f"{seed}/appellants")
        self._waiting: list[tuple[int, int, SimulatedRecord]] = []
        self._count = 0
        #: Appeals that were filed.
        self.filed = 0

    def decided(self, merchant_id: str, decision_id: str, time: int) -> None:
        """A decision was published at a time, ms."""
        if merchant_id not in self._merchants:
            return
        filed = time
        for _ in range(_APPEALS):
            filed += int(self._random.uniform(1, 30) * HOUR_MS)
            self._put(
                AppealFiled(
                    event_id=self._event_id(), occurred_at=filed, merchant_id=merchant_id, decision_id=decision_id
                )
            )
            self.filed += 1
            filed += int(self._random.uniform(0.5, 3) * DAY_MS)
            self._put(
                AppealDecided(
                    event_id=self._event_id(),
                    occurred_at=filed,
                    merchant_id=merchant_id,
                    decision_id=decision_id,
                    outcome="upheld",
                )
            )

    def take(self, until: int) -> list[SimulatedRecord]:
        """The records of ``feedback`` that are due before a time, ms, in order; each is handed out once."""
        found = []
        while self._waiting and self._waiting[0][0] < until:
            found.append(heappop(self._waiting)[2])
        return found

    def _put(self, event: AppealFiled | AppealDecided) -> None:
        self._count += 1
        record = SimulatedRecord("feedback", event.merchant_id.encode(), _encode(event), event.occurred_at)
        heappush(self._waiting, (event.occurred_at, self._count, record))

    def _event_id(self) -> str:
        return f"{self._random.getrandbits(64):016x}"
