"""Precision and recall of two runs, against known malicious merchants and against what people found."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from detectors.comparison.matching import Match
from detectors.comparison.published import Decision
from detectors.comparison.trade import Trade
from detectors.evaluation.proportions import Share, share


class Known(Struct, frozen=True):
    """Who is malicious, from when (ms) and in what way, and who is honest (None: everybody else who was seen)."""

    malicious: Mapping[str, tuple[str, int]]
    honest: frozenset[str] | None = None


class Quality(Struct, frozen=True):
    """One run against the truth, over merchants; one is *accused* by a decision that restricts something or asks a
    person to look, and a malicious one *found* if that comes at its start or later.

    ``recall``: of the malicious, those found; ``by_pattern`` the same in each way. ``precision``: of the accused of
    whom it is known what they are, the malicious. ``honest``: of the honest, those accused; ``restricted`` those
    restricted.
    """

    recall: Share
    precision: Share
    honest: Share
    restricted: Share
    by_pattern: dict[str, Share]


class Moved(Struct, frozen=True):
    """Whom only one of the runs accused, by what they are."""

    found: list[str]
    missed: list[str]
    spared: list[str]
    accused: list[str]


class Reviewed(Struct, frozen=True):
    """Decisions of a run that people judged (the decision, its counterpart in the other run, or its subject), and of
    the subjects they called a violation those that the run acted upon.
    """

    precision: Share
    recall: Share


def quality(decisions: Iterable[Decision], known: Known, seen: Collection[str]) -> tuple[Quality, set[str], set[str]]:
    """A run against the truth, with the malicious merchants it found and the honest ones it accused.

    ``seen``: all merchants of the stream; honest ones that never appear do not count.
    """
    honest = {merchant for merchant in seen if merchant not in known.malicious}
    if known.honest is not None:
        honest &= known.honest
    found: set[str] = set()
    accused: set[str] = set()
    restricted: set[str] = set()
    for decision in decisions:
        merchant = decision.merchant_id
        if not decision.accuses or decision.creator_id:
            continue
        if merchant in honest:
            accused.add(merchant)
            if decision.restricts:
                restricted.add(merchant)
        elif merchant in known.malicious and decision.starts_at >= known.malicious[merchant][1]:
            found.add(merchant)
    by_pattern: dict[str, list[str]] = {}
    for merchant, (pattern, _) in known.malicious.items():
        by_pattern.setdefault(pattern, []).append(merchant)
    return (
        Quality(
            recall=share(len(found), len(known.malicious)),
            precision=share(len(found), len(found) + len(accused)),
            honest=share(len(accused), len(honest)),
            restricted=share(len(restricted), len(honest)),
            by_pattern={
                pattern: share(sum(each in found for each in merchants), len(merchants))
                for pattern, merchants in sorted(by_pattern.items())
            },
        ),
        found,
        accused,
    )


def moved(baseline: tuple[set[str], set[str]], candidate: tuple[set[str], set[str]]) -> Moved:
    """Who was found or accused by one run alone: (found, accused) of each."""
    return Moved(
        found=sorted(candidate[0] - baseline[0]),
        missed=sorted(baseline[0] - candidate[0]),
        spared=sorted(baseline[1] - candidate[1]),
        accused=sorted(candidate[1] - baseline[1]),
    )


def reviewed(matches: Sequence[Match], trade: Trade, *, candidate: bool) -> Reviewed:
    """One of the runs against people's verdicts."""
    judged: list[bool] = []
    acted: set[tuple[str, str, str]] = set()
    for each in matches:
        decision = each.candidate if candidate else each.baseline
        if decision is None or not decision.accuses:
            continue
        acted.add((decision.merchant_id, decision.kind, decision.subject_id))
        verdict = trade.verdict(decision)
        if verdict is None:
            other = each.baseline if candidate else each.candidate
            verdict = None if other is None else trade.verdict(other)
        if verdict is not None:
            judged.append(verdict)
    violations = trade.violations()
    for each in matches:
        # A verdict on a decision is one on its subject.
        base = each.baseline
        if base is not None and trade.verdict(base):
            violations.add((base.merchant_id, base.kind, base.subject_id))
    return Reviewed(precision=share(sum(judged), len(judged)), recall=share(len(violations & acted), len(violations)))
