"""Features of a creator: what became of the orders that it drove, at how many merchants, and what it promoted."""

from collections.abc import Callable, Iterator
from typing import Final

from features import driven as d
from features.creator import Creator, Shop
from features.feature import Context, Feature, Getter
from features.promoters import decayed
from features.shrinkage import BetaPrior, credible_lower, posterior_mean
from features.windows import DAY_MS, WINDOWS

#: What a creator is taken to be before it has orders of its own: 4 % of the orders are harm. (The usual standing limits
#: of marketplaces for not received, not as described and disputes together: 2 %, 2 % and less; GOVERNANCE sections 1.3
#: and 1.7.)
HARM_PRIOR: Final = BetaPrior(0.8, 19.2)
COUNTERFEIT_PRIOR: Final = BetaPrior(0.04, 19.96)
#: Orders that a merchant harmed from which on it counts as one that harms.
HARMING_ORDERS: Final = 3
#: Share of the orders driven to a merchant that is harm from which on it counts as one that harms.
HARMING_SHARE: Final = 0.2
#: Share of a merchant's turnover from which on a creator answers for it together with the merchant.
MOST_OF_TURNOVER: Final = 0.5
#: Orders driven to a merchant from which on.
JOINT_ORDERS: Final = 10
#: Days for which it does.
JOINT_DAYS: Final = 180
#: Violations of one policy by goods of one merchant within so many days count once.
MERGE_DAYS: Final = 3
_FAR: Final = len(WINDOWS) - 1
_JOINT_WORDS: Final = (
    "merchants under enforcement for malice that came under it while the creator drove "
    f"{MOST_OF_TURNOVER:.0%} or more of their turnover, {JOINT_ORDERS} orders or more"
)


def _of_creator(figure: Callable[[Creator], float | None]) -> Getter:
    return lambda c: None if c.creator is None else figure(c.creator)


def _placed(counter: int, window: int) -> Getter:
    return _of_creator(lambda creator: creator.placed.sum(counter, window))


def _outcome(counter: int, window: int) -> Getter:
    return _of_creator(lambda creator: creator.outcome.sum(counter, window, 1))


def _rate(counter: int, window: int) -> Getter:
    def get(creator: Creator) -> float | None:
        due = creator.outcome.sum(d.DUE, window, 1)
        return creator.outcome.sum(counter, window, 1) / due if due else None

    return _of_creator(get)


def _posterior(counter: int, window: int, prior: BetaPrior, figure: Callable[[int, int, BetaPrior], float]) -> Getter:
    return _of_creator(
        lambda creator: figure(creator.outcome.sum(counter, window, 1), creator.outcome.sum(d.DUE, window, 1), prior)
    )


def _recent(creator: Creator, days: int) -> list[Shop]:
    oldest = creator.day - days
    return [shop for shop in creator.record.shops.values() if shop.day > oldest]


def _harming(creator: Creator) -> float:
    oldest = creator.day - WINDOWS[_FAR]
    harmed = [shop for shop in creator.record.shops.values() if shop.harmed >= HARMING_ORDERS]
    return len([shop for shop in harmed if shop.harmed_day > oldest and shop.harmed >= HARMING_SHARE * shop.orders])


def _turnover(creator: Creator, shops: list[Shop]) -> float:
    now = creator.record.as_of
    return sum(decayed(shop.gmv, now - shop.at) for shop in shops)


def _share_of(chosen: Callable[[Shop], bool]) -> Getter:
    """Share of the creator's turnover that went to some of its merchants."""

    def get(creator: Creator) -> float | None:
        shops = list(creator.record.shops.values())
        total = _turnover(creator, shops)
        return _turnover(creator, [shop for shop in shops if chosen(shop)]) / total if total > 0 else None

    return _of_creator(get)


def _largest_share(creator: Creator) -> float | None:
    now = creator.record.as_of
    parts = [decayed(shop.gmv, now - shop.at) for shop in creator.record.shops.values()]
    total = sum(parts)
    return max(parts) / total if total > 0 else None


def _joint(creator: Creator) -> float:
    """Merchants found malicious while it drove most of what they sold."""
    flagged = [shop for shop in creator.record.shops.values() if shop.flagged]
    if not flagged:
        return 0
    oldest = creator.record.as_of - JOINT_DAYS * DAY_MS
    return len(
        [
            shop
            for shop in flagged
            if shop.flagged_at > oldest and shop.share >= MOST_OF_TURNOVER and shop.orders >= JOINT_ORDERS
        ]
    )


def _suspended(creator: Creator) -> float:
    oldest = creator.day - WINDOWS[1]
    return len([shop for shop in creator.record.shops.values() if shop.suspended and shop.day > oldest])


def violations_by_policy(creator: Creator) -> dict[str, int]:
    """Violations by policy in 90 days, those of one merchant within MERGE_DAYS of the first counted once."""
    oldest = creator.record.as_of - WINDOWS[_FAR] * DAY_MS
    counts: dict[str, int] = {}
    if not creator.record.violations:
        return counts
    first: dict[tuple[str, str], int] = {}
    for each in sorted(creator.record.violations, key=lambda each: (each.at, each.decision)):
        if each.at <= oldest:
            continue
        key = each.policy, each.merchant
        if key in first and each.at - first[key] < MERGE_DAYS * DAY_MS:
            continue
        first[key] = each.at
        counts[each.policy] = counts.get(each.policy, 0) + 1
    return counts


def _violated_merchants(creator: Creator) -> float:
    oldest = creator.record.as_of - WINDOWS[_FAR] * DAY_MS
    return len({each.merchant for each in creator.record.violations if each.at > oldest})


def _harmed_buyers(creator: Creator) -> float:
    oldest = creator.day - WINDOWS[_FAR]
    return len([last for _, last in creator.record.harmed.values() if last > oldest])


def _counted() -> Iterator[Feature]:
    for at, days in enumerate(WINDOWS):
        window = f"{days} d"
        for name, counter, unit, words in (
            ("orders", d.ORDERS, "orders", "orders that it drove, by the day of the order"),
            ("gmv", d.GMV, "minor units", "their turnover in the currency of its first order, cancelled ones included"),
            ("harmed_orders", d.HARMED, "orders", "those of them that were harm, by the day of the order"),
            ("counterfeits", d.COUNTERFEITS, "orders", "those claimed counterfeit, by the day of the order"),
        ):
            yield Feature(f"creator_{name}_{days}d", "creator", unit, window, words, "never", _placed(counter, at))
        mature = "whose outcome-due day lies in the window"
        yield Feature(
            f"creator_mature_orders_{days}d",
            "creator",
            "orders",
            window,
            f"orders that it drove {mature}",
            "never",
            _outcome(d.DUE, at),
        )
        for name, counter, prior, words in (
            ("harm", d.DUE_HARMED, HARM_PRIOR, "that are harm"),
            ("counterfeit", d.DUE_COUNTERFEIT, COUNTERFEIT_PRIOR, "claimed counterfeit"),
        ):
            base = f"share of orders {words}, of those {mature}"
            yield Feature(
                f"creator_{name}_rate_{days}d",
                "creator",
                "share, 0 to 1",
                window,
                base,
                "without such orders",
                _rate(counter, at),
            )
            yield Feature(
                f"creator_{name}_rate_{days}d_shrunk",
                "creator",
                "share, 0 to 1",
                window,
                f"{base}: posterior mean",
                "never",
                _posterior(counter, at, prior, posterior_mean),
            )
            yield Feature(
                f"creator_{name}_rate_{days}d_lower",
                "creator",
                "share, 0 to 1",
                window,
                f"{base}: 5 % quantile of the posterior",
                "never",
                _posterior(counter, at, prior, credible_lower),
            )


_OTHERS: Final[tuple[tuple[str, str, str, str, str, Getter], ...]] = (
    (
        "creator_merchants_90d",
        "merchants",
        "90 d",
        "merchants to whom it drove orders",
        "never",
        _of_creator(lambda creator: len(_recent(creator, WINDOWS[_FAR]))),
    ),
    (
        "creator_harming_merchants_90d",
        "merchants",
        "90 d",
        f"merchants of whose driven orders {HARMING_ORDERS} or more, and {HARMING_SHARE:.0%} or more, were harm",
        "never",
        _of_creator(_harming),
    ),
    (
        "creator_harmed_buyers_90d",
        "buyers",
        "90 d",
        "distinct buyers whose driven orders were harm, up to 60, by the day on which that was told",
        "never",
        _of_creator(_harmed_buyers),
    ),
    (
        "creator_distinct_buyers_30d",
        "buyers",
        "30 d",
        "distinct buyers of the orders that it drove",
        "never",
        _of_creator(lambda creator: creator.buyers.distinct),
    ),
    (
        "creator_top_merchant_share",
        "share, 0 to 1",
        "half-life 28 d",
        "share of its turnover that went to the merchant with most of it",
        "without turnover",
        _of_creator(_largest_share),
    ),
    (
        "creator_violations_90d",
        "violations",
        "90 d",
        f"decisions against listings that it promoted, those of one policy and merchant within {MERGE_DAYS} days once",
        "never",
        _of_creator(lambda creator: sum(violations_by_policy(creator).values())),
    ),
    (
        "creator_same_violations_90d",
        "violations",
        "90 d",
        "the same, of the policy with the most of them",
        "never",
        _of_creator(lambda creator: max(violations_by_policy(creator).values(), default=0)),
    ),
    (
        "creator_violated_merchants_90d",
        "merchants",
        "90 d",
        "merchants of these listings",
        "never",
        _of_creator(_violated_merchants),
    ),
    (
        "creator_joint_merchants",
        "merchants",
        f"{JOINT_DAYS} d",
        _JOINT_WORDS,
        "never",
        _of_creator(_joint),
    ),
    (
        "creator_malicious_share",
        "share, 0 to 1",
        "half-life 28 d",
        "share of its turnover that went to merchants now under enforcement for malice",
        "without turnover",
        _share_of(lambda shop: shop.flagged),
    ),
    (
        "creator_suspended_merchants",
        "merchants",
        "30 d",
        "merchants that are suspended, to whom it drove orders",
        "never",
        _of_creator(_suspended),
    ),
    (
        "creator_age_days",
        "days",
        "now",
        "since its first order was told of",
        "never",
        _of_creator(lambda creator: (creator.record.as_of - creator.record.first_seen) / DAY_MS),
    ),
)

CREATOR_FEATURES: Final = (
    *_counted(),
    *(Feature(name, "creator", unit, window, words, null, get) for name, unit, window, words, null, get in _OTHERS),
)


def _flagged_share(c: Context) -> float | None:
    merchant = c.merchant
    record = merchant.record
    total = decayed(record.activity.gmv_base, record.as_of - record.activity.at)
    if total <= 0:
        return None
    flagged = [each for each in record.promoters if each.flagged]
    if not flagged:
        return 0.0
    driven = sum([decayed(each.gmv, record.as_of - each.at) for each in flagged])
    return min(1.0, driven / total)


#: Features of a merchant about the creators who promote it.
PROMOTER_FEATURES: Final = (
    Feature(
        "flagged_creator_share",
        "merchant",
        "share, 0 to 1",
        "half-life 28 d",
        "share of its turnover that creators under enforcement for malice drove",
        "without turnover",
        _flagged_share,
    ),
)
