"""Which patterns of malice a rule is about."""

from collections.abc import Mapping
from typing import Final

from detectors.evaluation.observations import NAMING_RANK, RuleAbout
from detectors.policy import PolicySet
from features.outputs import LEVELS

#: Policies (their codes in the taxonomy) that each of the simulator's patterns breaks. Goods that never come are a
#: bust-out's harm; fake transactions are of a few buyers or of many names on a few devices; who hides words hides
#: contacts, brands or prohibited goods.
PATTERN_POLICIES: Final[Mapping[str, frozenset[str]]] = {
    "bust_out": frozenset({"bust_out", "non_delivery"}),
    "counterfeit": frozenset({"counterfeit", "ip_infringement", "circumvention"}),
    "fake_tracking": frozenset({"fake_tracking"}),
    "brushing": frozenset({"brushing", "self_dealing"}),
    "account_takeover": frozenset({"account_takeover"}),
    "self_dealing": frozenset({"self_dealing", "brushing"}),
    "empty_box": frozenset({"empty_box"}),
    "triangulation": frozenset({"triangulation"}),
    "linked_accounts": frozenset({"linked_accounts", "reregistration"}),
    "probation_evasion": frozenset({"probation_evasion", "linked_accounts"}),
    "poor_fulfilment": frozenset({"late_dispatch", "seller_cancellation", "order_defects"}),
    "not_as_described": frozenset({"not_as_described", "low_ratings", "order_defects"}),
    "copied_listings": frozenset({"copied_listing", "image_theft"}),
    "duplicate_listings": frozenset({"duplicate_listing"}),
    "category_spam": frozenset({"category_spam"}),
    "switched_listings": frozenset({"switched_listing"}),
    "fake_discount": frozenset({"misleading_discount"}),
    "off_platform": frozenset({"off_platform_diversion", "circumvention"}),
    "prohibited_goods": frozenset({"prohibited_product", "restricted_no_permit", "circumvention"}),
}
#: Policies that buyers break; merchants are their victims.
BUYER_POLICIES: Final = frozenset({"refund_abuse"})
_BAD_SERVICE: Final = frozenset({
    "bust_out", "counterfeit", "fake_tracking", "account_takeover", "empty_box", "triangulation", "linked_accounts",
    "probation_evasion", "poor_fulfilment", "not_as_described",
})  # fmt: skip
_BAD_GOODS: Final = frozenset({
    "counterfeit", "empty_box", "linked_accounts", "probation_evasion", "not_as_described", "switched_listings",
})  # fmt: skip
#: Patterns that do the harm that a policy names, though other rules are made to find them. A takeover sells what it
#: does not ship as a bust-out does, and a bust-out changes the bank as a takeover does.
FITTING: Final[Mapping[str, frozenset[str]]] = {
    "non_delivery": frozenset({"account_takeover", "fake_tracking", "empty_box", "probation_evasion"}),
    "bust_out": frozenset({"account_takeover"}),
    "account_takeover": frozenset({"bust_out"}),
    "fake_tracking": frozenset({"empty_box"}),
    "counterfeit": frozenset({"linked_accounts"}),
    "ip_infringement": frozenset({"linked_accounts"}),
    "circumvention": frozenset({"linked_accounts"}),
    # Their list prices were never asked either.
    "misleading_discount": frozenset({"bust_out", "account_takeover", "counterfeit", "linked_accounts"}),
    # Whoever serves badly after probation is to be called back into it.
    "probation_evasion": _BAD_SERVICE,
    "late_dispatch": _BAD_SERVICE,
    "seller_cancellation": _BAD_SERVICE,
    "order_defects": _BAD_SERVICE,
    "not_as_described": _BAD_GOODS,
    "low_ratings": _BAD_SERVICE,
}


def patterns_of_policy(policy: str) -> frozenset[str]:
    """The patterns that break a policy; a policy that no pattern of the simulator breaks is a pattern of its own, so
    that a truth file's "money_laundering" meets the rules under a policy of that name.
    """
    known = frozenset(pattern for pattern, policies in PATTERN_POLICIES.items() if policy in policies)
    return known or frozenset({policy})


def does_what(pattern: str, attack: str) -> bool:
    """Whether ``pattern`` does what some rule about ``attack`` says, too."""
    return any(pattern in FITTING.get(policy, ()) for policy in PATTERN_POLICIES.get(attack, ()))


def rules_about(policies: PolicySet) -> dict[str, RuleAbout]:
    """What each rule is about, by its id."""
    return {
        rule.id: RuleAbout(
            patterns_of_policy(rule.policy),
            LEVELS.index(rule.severity) >= NAMING_RANK,
            FITTING.get(rule.policy, frozenset()),
            rule.policy in BUYER_POLICIES,
        )
        for rule in policies.rules.values()
    }
