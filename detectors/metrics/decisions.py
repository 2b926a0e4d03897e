"""What was decided, and how it stood up to people: precision where they looked, appeals, corrections, reports."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from detectors.metrics.estimate import Estimate, Period, count, of_slice, proportion
from detectors.metrics.facts import WRONG, Ruling, State

_FULLY: Final = "AUTOMATED_DECISION_FULLY"


def decisions(state: State, period: Period) -> Iterator[Estimate]:
    """Numbers by action, precision of what was judged by rule, appeals, corrections, and who saw it first."""
    made = [(key, ruling) for key, ruling in sorted(state.rulings.items()) if ruling.at in period]
    yield count("decisions", period, len(made))
    for action, number in sorted(Counter(ruling.action for _, ruling in made).items()):
        yield count("decisions", period, number, slice_=of_slice(action=action))
    yield count("withheld", period, sum(ruling.at in period for ruling in state.withheld.values()))
    yield from _precision(state, period, made)
    # What waits for a person restricts nothing; what the person confirms comes as a decision of its own.
    restricting = [(key, ruling) for key, ruling in made if ruling.restricts and not ruling.waiting]
    total = len(restricting)
    yield proportion("proactive_rate", period, sum(not ruling.notified for _, ruling in restricting), total)
    yield proportion("automation_rate", period, sum(_automatic(ruling) for _, ruling in restricting), total)
    restored = sum(ruling.why_reversed == "correction" for _, ruling in restricting)
    yield proportion("restored_without_appeal_rate", period, restored, total)
    yield from _appeals(state, period, restricting)


def _automatic(ruling: Ruling) -> bool:
    """Whether no person took part: its statement of reasons says so."""
    return ruling.statement.get("automated_decision", _FULLY) == _FULLY


def right(ruling: Ruling, appeal: str) -> bool | None:
    """Whether a decision was right, by the last that people said of it; ``None`` where nobody said anything."""
    if ruling.why_reversed in WRONG or ruling.verdict == "clean" or appeal == "overturned":
        return False
    if ruling.verdict == "violation" or appeal == "upheld":
        return True
    return None


def _precision(state: State, period: Period, made: list[tuple[str, Ruling]]) -> Iterator[Estimate]:
    judged: dict[str, list[bool]] = defaultdict(list)
    of_rule: Counter[str] = Counter()
    for key, ruling in made:
        if not ruling.accuses:
            continue
        appeal = state.appeals.get(key)
        found = right(ruling, "" if appeal is None else appeal.state)
        of_rule[ruling.rule] += 1
        if found is not None:
            judged[""].append(found)
            judged[ruling.rule].append(found)
    total = of_rule.total()
    for rule in ("", *sorted(of_rule)):
        if rule:
            yield count("decisions", period, of_rule[rule], slice_=of_slice(rule=rule))
        verdicts = judged.get(rule, [])
        if rule and not verdicts:
            continue
        yield proportion(
            "precision",
            period,
            sum(verdicts),
            len(verdicts),
            slice_=of_slice(rule=rule),
            note=f"{len(verdicts):,} of {of_rule[rule] if rule else total:,} decisions were judged",
        )


def _appeals(state: State, period: Period, restricting: list[tuple[str, Ruling]]) -> Iterator[Estimate]:
    of_rule: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for key, ruling in restricting:
        appeal = state.appeals.get(key)
        for name in ("", ruling.rule):
            sums = of_rule[name]
            sums[0] += 1
            if appeal is not None:
                sums[1] += 1
                sums[2] += appeal.state in ("upheld", "overturned")
                sums[3] += appeal.state == "overturned"
                sums[4] += appeal.overdue
    for rule in ("", *sorted(name for name in of_rule if name and of_rule[name][1])):
        total, filed, decided, overturned, overdue = of_rule[rule]
        slice_ = of_slice(rule=rule)
        yield proportion("appeal_rate", period, filed, total, slice_=slice_)
        yield proportion(
            "overturn_rate",
            period,
            overturned,
            decided,
            slice_=slice_,
            completeness=decided / filed if filed else 0.0,
        )
        if not rule:
            yield proportion("overdue_appeal_rate", period, overdue, filed)
