"""Which scenarios there are, and how often and how each of them happens."""

import math
from dataclasses import dataclass
from typing import Final

#: What malicious merchants do. The order is that in which small marketplaces are given them.
ATTACK_NAMES: Final = (
    "bust_out", "counterfeit", "fake_tracking", "brushing", "account_takeover", "self_dealing", "empty_box",
    "triangulation", "linked_accounts", "probation_evasion", "poor_fulfilment", "not_as_described", "copied_listings",
    "duplicate_listings", "category_spam", "switched_listings", "fake_discount", "off_platform", "prohibited_goods",
)  # fmt: skip
#: Those whose listings are labelled too.
LISTING_ATTACKS: Final = (
    "counterfeit", "linked_accounts", "copied_listings", "duplicate_listings", "category_spam", "switched_listings",
    "fake_discount", "off_platform", "prohibited_goods",
)  # fmt: skip
#: Honest trouble that looks like an attack; abusive buyers are here, as merchants are their victims.
HARD_NEGATIVE_NAMES: Final = (
    "carrier_strike", "viral_burst", "discount_sale", "bad_luck", "refund_abuse", "holiday_peak", "fast_newcomer",
    "shared_hub", "account_change", "brand_resellers", "seasonal_edits",
)  # fmt: skip
#: What shops of bad service do to be seen to do well. They happen only where they are asked for.
GAMING_NAMES: Final = ("score_farming", "late_cancelling", "split_shop", "appeal_spam")
#: What creators do to shops and shops to creators, likewise where they are asked for; and what the shops are.
CREATOR_PATTERNS: Final = {"bad_promoter": "counterfeit", "deceived_creator": "bust_out"}
CREATOR_NAMES: Final = tuple(CREATOR_PATTERNS)
SCENARIO_NAMES: Final = ATTACK_NAMES + HARD_NEGATIVE_NAMES + GAMING_NAMES + CREATOR_NAMES
#: Malicious merchants of one occurrence, where that is not one.
RING_SIZES: Final = {"brushing": 2, "linked_accounts": 2, "probation_evasion": 3, "split_shop": 2, "bad_promoter": 3}

#: Share of merchants that each attack takes where nothing else is said. Real platforms turn away most of them at the
#: door; a quarter of a per cent each leaves enough to measure recall on.
_SHARE: Final = 0.0025


@dataclass(frozen=True, slots=True)
class Plan:
    """How often a scenario happens, and how.

    Parameters
    ----------
    count
        Occurrences (rings of several merchants for some attacks; docs/simulator.md), 0 for none.
    intensity
        1 is typical; scales an attacker's orders or listings and the share of them that harm, 0.1 to 10.
    stealth
        How much is done not to be seen: 0 (in the open) to 1 (as carefully as it goes), 0.5 is usual.
    start
        Days from the beginning (of the season) until it happens; by chance where it is ``None``.
    """

    count: int
    intensity: float = 1.0
    stealth: float = 0.5
    start: float | None = None

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"a scenario's count must not be negative, not {self.count}")
        if not 0.1 <= self.intensity <= 10:
            raise ValueError(f"a scenario's intensity must be between 0.1 and 10, not {self.intensity:g}")
        if not 0 <= self.stealth <= 1:
            raise ValueError(f"a scenario's stealth must be between 0 and 1, not {self.stealth:g}")
        if self.start is not None and not (math.isfinite(self.start) and self.start >= 0):
            raise ValueError(f"a scenario's start must be a number of days from the beginning, not {self.start:g}")


def attackers_of(name: str, count: int) -> int:
    """Malicious merchants that so many occurrences of a scenario bring; none for honest trouble."""
    return 0 if name in HARD_NEGATIVE_NAMES else count * RING_SIZES.get(name, 1)


def default_counts(merchants: int) -> dict[str, int]:
    """How often each scenario happens among so many merchants where nothing is said.

    Small marketplaces have some of the scenarios only: attackers, and merchants in honest trouble, are at most a
    quarter each.
    """
    each = max(1, round(merchants * _SHARE))
    counts = dict.fromkeys(SCENARIO_NAMES, 0)
    for names in (ATTACK_NAMES, HARD_NEGATIVE_NAMES):
        left = merchants // 4
        for name in names:
            ring = RING_SIZES.get(name, 1)
            count = 1 if name in ("carrier_strike", "holiday_peak", "shared_hub") else max(1, each // ring)
            if left >= count * ring:
                counts[name] = count
                left -= count * ring
    return counts
