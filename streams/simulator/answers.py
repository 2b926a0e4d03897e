"""Those who answer the core's decisions, and so stand beside the simulation: shops that contest them, and reviewers.

The simulator's records are fixed before anything is judged. Appeals and verdicts are not: each names a decision.
Whoever runs both tells them of decisions and takes their records at the right time.
"""

from collections.abc import Collection, Mapping
from heapq import heappop, heappush
from random import Random
from typing import Any, Final

import msgspec

from features.events import AppealDecided, AppealFiled, FeedbackInput, ReviewDecided
from streams.simulator.config import DAY_MS, HOUR_MS
from streams.simulator.schedule import SimulatedRecord

_encode: Final = msgspec.json.Encoder().encode
#: Appeals of one decision: one more than is allowed anywhere (docs/policies.md).
_APPEALS: Final = 3


class Answers:
    """Records of ``feedback`` about decisions, to be taken when their time has come.

    Shops in ``appellants`` contest every decision about them three times within days, and a person upholds each of
    them. Reviewers look at whatever asks for it, and within three days find the violations that are there.

    Parameters
    ----------
    appellants
        Who contests.
    guilty
        By merchant, the policies that it really breaks. Of other policies and merchants nobody says anything.
    seed
        Of the times.
    """

    def __init__(self, appellants: Collection[str], guilty: Mapping[str, Collection[str]], seed: int) -> None:
        self._appellants = frozenset(appellants)
        self._guilty = guilty
        self._random = Random(f"{seed}/answers")
        self._waiting: list[tuple[int, int, SimulatedRecord]] = []
        self._count = 0
        #: Appeals that were filed.
        self.filed = 0

    def decided(self, merchant_id: str, decision_id: str, time: int) -> None:
        """A decision about a merchant was published at a time, ms."""
        if merchant_id not in self._appellants:
            return
        filed = time
        for _ in range(_APPEALS):
            filed += int(self._random.uniform(1, 30) * HOUR_MS)
            self._put(AppealFiled(**self._head(merchant_id, filed), decision_id=decision_id))
            self.filed += 1
            filed += int(self._random.uniform(0.5, 3) * DAY_MS)
            self._put(AppealDecided(**self._head(merchant_id, filed), decision_id=decision_id, outcome="upheld"))

    def asked(self, merchant_id: str, decision_id: str, policy: str, time: int) -> None:
        """A decision asks for a person, or is to look at something."""
        if policy in self._guilty.get(merchant_id, ()):
            reviewed = time + int(self._random.uniform(0.5, 3) * DAY_MS)
            self._put(
                ReviewDecided(
                    **self._head(merchant_id, reviewed), decision_id=decision_id, verdict="violation", source="human"
                )
            )

    def take(self, until: int) -> list[SimulatedRecord]:
        """The records that are due before a time, ms, in order; each is handed out once."""
        found = []
        while self._waiting and self._waiting[0][0] < until:
            found.append(heappop(self._waiting)[2])
        return found

    def _head(self, merchant_id: str, time: int) -> dict[str, Any]:
        return {
            "event_id": f"{self._random.getrandbits(64):016x}",
            "occurred_at": time,
            "merchant_id": merchant_id,
        }

    def _put(self, event: FeedbackInput) -> None:
        self._count += 1
        record = SimulatedRecord("feedback", event.merchant_id.encode(), _encode(event), event.occurred_at)
        heappush(self._waiting, (event.occurred_at, self._count, record))
