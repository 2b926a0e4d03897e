"""The policy sets that a worker knows: its folder's, and those that were published."""

from collections.abc import Iterable

from detectors.bench import Trial
from detectors.judge import Judge
from detectors.policy import PolicySet
from features.policy_notices import PolicyNotice, Rollout
from streams.policies.publication import KnownPublication, in_force


class PolicyLibrary:
    """Knows which set is in force, and each set by its version, so that journalled flushes are judged as they were.

    Parameters
    ----------
    judge
        Judges by the worker's folder: in force while nothing that can be used was published for everybody.

    Attributes
    ----------
    judge
        Judges by the set in force.
    trial
        Judges a share of the parties instead, while a set is being rolled out.
    end
        Next offset of the topic.
    """

    def __init__(self, judge: Judge) -> None:
        self._base = judge
        self._judges: dict[str, Judge] = {judge.policies.version: judge}
        self._known: list[KnownPublication] = []
        self.judge = judge
        self.trial: Trial | None = None
        self.end = 0

    @property
    def rollout(self) -> Rollout | None:
        """The roll-out under way."""
        return None if self.trial is None else self.trial.rollout

    def add(self, found: Iterable[KnownPublication]) -> None:
        """Take records of the topic, in their order; those that are known are passed over."""
        for each in found:
            if each.offset < self.end:
                continue
            self._known.append(each)
            if each.policies is not None:
                self._judge_by(each.policies)
            self.end = each.offset + 1
        force = in_force(self._known)
        base = None if force.base is None else force.base.policies
        self.judge = self._base if base is None else self._judges[base.version]
        rollout = force.rollout
        if rollout != self.rollout:
            self.trial = None if rollout is None else Trial(self._judges[rollout.version], rollout)

    def judge_of(self, version: str) -> Judge | None:
        """Who judges by the set of a version; None if nobody knows it."""
        return self._judges.get(version)

    def trial_of(self, rollout: Rollout | None) -> Trial | None:
        """Who judges in a roll-out; None where there was none, or nobody knows the set."""
        judge = None if rollout is None else self._judges.get(rollout.version)
        return None if rollout is None or judge is None else Trial(judge, rollout)

    def news(self, since: int, previous: str) -> list[PolicyNotice]:
        """What a shard has to note that has noted all publications before ``since`` and judged by ``previous`` last.

        Of several that can be used the latest for everybody is taken up, and the latest roll-out after it; the others
        were never in force there.
        """
        if since == self.end:
            return []
        # A topic that ends before what was noted of it was made anew.
        first = since if since < self.end else 0
        force = in_force(self._known)
        base = previous
        notices = []
        for each in self._known:
            if each.offset < first:
                continue
            if each.policies is None:
                notices.append(PolicyNotice(each.offset, "", "", each.why))
            elif each is force.base:
                base = each.policies.version
                notices.append(PolicyNotice(each.offset, base, previous))
            elif each is force.latest:
                version = each.policies.version
                if force.rollout is None:
                    notices.append(PolicyNotice(each.offset, base, version))
                else:
                    notices.append(PolicyNotice(each.offset, version, base, "", force.rollout.percent))
        return notices

    def _judge_by(self, policies: PolicySet) -> None:
        if policies.version not in self._judges:
            base = self._base
            self._judges[policies.version] = Judge(base.settings, policies, base.pseudonyms, base.signer)
