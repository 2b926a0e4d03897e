"""Allow-lists: merchants and creators that rules or policies leave alone, by the policy files."""

from msgspec import Struct

from detectors.rules import Rule


class Allowance(Struct, frozen=True):
    """One entry: ``name`` is a rule's id, a policy's code or ``*`` for all; ``until`` is in ms, None for good.

    ``party`` is ``*`` where everybody is left alone.
    """

    party: str
    name: str
    until: int | None

    def covers(self, rule: Rule, now: int) -> bool:
        """Whether the entry holds for a rule at a time."""
        return self.name in (rule.id, rule.policy, "*") and (self.until is None or now < self.until)


class Allowances(Struct, frozen=True):
    """All entries, by party."""

    by_party: dict[str, tuple[Allowance, ...]] = {}

    def cover(self, party: str, rule: Rule, now: int) -> bool:
        """Whether a rule is to leave a party alone."""
        if not self.by_party:
            return False
        entries = (*self.by_party.get(party, ()), *self.by_party.get("*", ()))
        return any(entry.covers(rule, now) for entry in entries)
