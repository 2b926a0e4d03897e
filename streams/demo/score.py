"""Precision and recall of what was published, against the simulation's ground truth.

A merchant is *flagged* when a published assessment or enforcement at level high or above names it: itself, one of its
orders or one of its listings. It is *flagged for an attack* when a rule about that attack, of severity high or above,
is among the reasons, or when a decision by such a rule restricts something, asks a person to look, or warns about a
listing (``streams.demo.rulebook`` says which rules are about which attack).

For each attack, over merchants:

- recall: of the merchants that ran the attack, the share that was flagged for it;
- precision: of all merchants flagged for it, honest ones and other attackers included, the share that ran it; an
  attacker that was also flagged for its own attack, or does what a rule about this one says, is left out of this.

Overall, recall is the share of all attackers that was flagged, for its attack or for anything at such a level, and
precision the share of all flagged merchants that attacked. Only attacks that had begun by the event time that was
played count, so that ending early is no failure. A share of nothing is None.
"""

from collections.abc import Mapping
from statistics import median

from msgspec import Struct

from streams.evaluation.patterns import does_what
from streams.simulator import GroundTruth

_DAY_MS = 86_400_000


class Ratio(Struct, frozen=True):
    """How well one thing was found; counts of merchants. ``days`` is the median time from onset to the first flag."""

    there: int
    flagged: int
    right: int
    days: float | None

    @property
    def recall(self) -> float | None:
        """Share of those there that were flagged."""
        return self.right / self.there if self.there else None

    @property
    def precision(self) -> float | None:
        """Share of the flagged that were there."""
        return self.right / self.flagged if self.flagged else None


class Score(Struct, frozen=True):
    """Each attack by name, all together, and honest merchants: how many there are, and how many were flagged."""

    attacks: dict[str, Ratio]
    overall: Ratio
    honest: int
    honest_flagged: int


def score(
    truth: GroundTruth, flagged: Mapping[str, int], flagged_for: Mapping[tuple[str, str], int], until: int
) -> Score:
    """Score what was flagged by the event time ``until``, ms.

    Parameters
    ----------
    truth
        Who attacks, and from when.
    flagged
        Merchant -> event time of the first flag for anything, ms.
    flagged_for
        (attack, merchant) -> event time of the first flag for that attack, ms.
    """
    malicious = truth.attackers()

    def excused(merchant: str, attack: str) -> bool:
        own = malicious.get(merchant)
        if own is None or own == attack:
            return False
        also = attack in truth.also.get(merchant, ()) or does_what(own, attack)
        return also or (own, merchant) in flagged_for

    begun: dict[str, int] = {}
    attacks: dict[str, Ratio] = {}
    for name, episode in truth.attacks.items():
        onsets = {merchant: onset for merchant, onset in episode.onsets.items() if onset <= until}
        begun |= onsets
        accused = {m: at for (attack, m), at in flagged_for.items() if attack == name and not excused(m, name)}
        attacks[name] = _ratio(onsets, accused)
    found = dict(flagged)
    for (attack, merchant), at in flagged_for.items():
        if malicious.get(merchant) == attack:
            found[merchant] = min(at, found.get(merchant, at))
    return Score(
        attacks,
        _ratio(begun, found),
        truth.honest_merchants,
        sum(merchant not in malicious for merchant in flagged),
    )


def _ratio(onsets: Mapping[str, int], flagged: Mapping[str, int]) -> Ratio:
    right = onsets.keys() & flagged.keys()
    days = [(flagged[merchant] - onsets[merchant]) / _DAY_MS for merchant in right]
    return Ratio(len(onsets), len(flagged), len(right), median(days) if days else None)
