"""How far rules touch the same merchants and creators."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from detectors.comparison.published import Decision, PartyRef


class RuleReach(Struct, frozen=True):
    """Merchants and creators that a rule decided against, and those of them that no other rule did."""

    rule: str
    parties: int
    alone: int


class RulePair(Struct, frozen=True):
    """Two rules that decided against the same merchants and creators: against how many both did, and the share of that
    in those that either did (Jaccard), 0 to 1.
    """

    one: str
    other: str
    both: int
    jaccard: float


class Overlap(Struct, frozen=True):
    """Reach of every rule, by name, and pairs of rules with merchants in common, the closest first."""

    reach: list[RuleReach]
    pairs: list[RulePair]


def overlap(decisions: Iterable[Decision]) -> Overlap:
    """Overlap of the rules behind decisions; those that were withheld count as well."""
    by_rule: dict[str, set[PartyRef]] = {}
    for each in decisions:
        by_rule.setdefault(each.rule, set()).add(each.party)
    rules_of: dict[PartyRef, list[str]] = {}
    for rule in sorted(by_rule):
        for merchant in by_rule[rule]:
            rules_of.setdefault(merchant, []).append(rule)
    return Overlap(reach=_reach(by_rule, rules_of), pairs=_pairs(by_rule, rules_of))


def _reach(by_rule: Mapping[str, set[PartyRef]], rules_of: Mapping[PartyRef, list[str]]) -> list[RuleReach]:
    return [
        RuleReach(rule, len(merchants), sum(len(rules_of[merchant]) == 1 for merchant in merchants))
        for rule, merchants in sorted(by_rule.items())
    ]


def _pairs(by_rule: Mapping[str, set[PartyRef]], rules_of: Mapping[PartyRef, list[str]]) -> list[RulePair]:
    both: dict[tuple[str, str], int] = {}
    for rules in rules_of.values():
        for at, one in enumerate(rules):
            for other in rules[at + 1 :]:
                both[one, other] = both.get((one, other), 0) + 1
    pairs = [
        RulePair(one, other, count, round(count / len(by_rule[one] | by_rule[other]), 4))
        for (one, other), count in both.items()
    ]
    return sorted(pairs, key=lambda pair: (-pair.jaccard, -pair.both, pair.one, pair.other))
