"""The policy sets that a worker knows: its folder's, and those that were published."""

from collections.abc import Iterable

from detectors.judge import Judge
from detectors.policy import PolicySet
from features.policy_notices import PolicyNotice
from streams.policies.publication import KnownPublication


class PolicyLibrary:
    """Knows which set is in force, and each set by its version, so that journalled flushes are judged as they were.

    Parameters
    ----------
    judge
        Judges by the worker's folder: in force while nothing that can be used was published.

    Attributes
    ----------
    judge
        Judges by the set in force.
    end
        Next offset of the topic.
    """

    def __init__(self, judge: Judge) -> None:
        self._base = judge
        self._judges: dict[str, Judge] = {judge.policies.version: judge}
        self._known: list[KnownPublication] = []
        self.judge = judge
        self.end = 0

    def add(self, found: Iterable[KnownPublication]) -> None:
        """Take records of the topic, in their order; those that are known are passed over."""
        for each in found:
            if each.offset < self.end:
                continue
            self._known.append(each)
            if each.policies is not None:
                self.judge = self._judge_by(each.policies)
            self.end = each.offset + 1

    def judge_of(self, version: str) -> Judge | None:
        """Who judges by the set of a version; None if nobody knows it."""
        return self._judges.get(version)

    def news(self, since: int, previous: str) -> list[PolicyNotice]:
        """What a shard has to note that has noted all publications before ``since`` and judged by ``previous`` last.

        Of several that can be used the latest is taken up; the others were never in force there.
        """
        if since == self.end:
            return []
        # A topic that ends before what was noted of it was made anew.
        fresh = [each for each in self._known if each.offset >= (since if since < self.end else 0)]
        usable = [each for each in fresh if each.policies is not None]
        notices = []
        for each in fresh:
            if each.policies is None:
                notices.append(PolicyNotice(each.offset, "", "", each.why))
            elif each is usable[-1]:
                notices.append(PolicyNotice(each.offset, each.policies.version, previous))
        return notices

    def _judge_by(self, policies: PolicySet) -> Judge:
        judge = self._judges.get(policies.version)
        if judge is None:
            base = self._base
            judge = Judge(base.settings, policies, base.pseudonyms, base.signer)
            self._judges[policies.version] = judge
        return judge
