"""Two runs side by side: what the candidate would have decided, and what the baseline did."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from detectors.comparison.causes import ELSEWHERE, SILENT, Causes, PolicyPair
from detectors.comparison.matching import OUTCOMES, Match, match
from detectors.comparison.migration import Migration, levels, tiers
from detectors.comparison.outage import Outage, outage
from detectors.comparison.overlap import Overlap, overlap
from detectors.comparison.published import Decision, Level, PartyRef, Published, Tier
from detectors.comparison.quality import Known, Moved, Quality, Reviewed, moved, quality, reviewed
from detectors.comparison.sums import Group, Sums
from detectors.comparison.trade import Money, Trade
from detectors.evaluation.proportions import Share
from features.windows import DAY_MS, HOUR_MS

#: In a group by tier or category: nobody said.
NOT_KNOWN: Final = "not known"


class Run(Struct, frozen=True):
    """One of the two runs in figures.

    ``restricted``: worth of the orders that its restrictions touch, each counted once. ``parties``: how many merchants
    and creators it decided against. ``policies``: versions, with assessments. Times in ms, None
    where nothing was published.
    """

    name: str
    outputs: dict[str, int]
    decisions: int
    actions: dict[str, int]
    parties: int
    restricted: Money
    policies: dict[str, int]
    modes: dict[str, int]
    first: int | None
    last: int | None
    repeats: int
    unread: int


class Line(Struct, frozen=True):
    """A matched decision; ``restricted`` is the worth of the orders that it touches, ``cause`` why it is not equal."""

    match: Match
    category: str
    restricted: Money
    cause: str


class Touched(Struct, frozen=True):
    """A merchant or creator (``kind``) that either run decided against: the decisions, and what is known of it in the
    baseline and in the candidate. ``label`` is what the truth says, where there is one.
    """

    kind: str
    id: str
    category: str
    lines: list[Line]
    restricted: tuple[Money, Money]
    levels: tuple[list[Level], list[Level]]
    tiers: tuple[list[Tier], list[Tier]]
    label: str = ""

    @property
    def differences(self) -> int:
        """How many decisions about it are not the same in both runs."""
        return sum(line.match.outcome != "equal" for line in self.lines)


class Day(Struct, frozen=True):
    """Decisions of a day (UTC; ``start`` in ms): how many each run took, lost and gained ones apart."""

    start: int
    baseline: int
    candidate: int
    lost: int
    gained: int


class Truths(Struct, frozen=True):
    """Both runs against the truth, and whom only one of them accused."""

    baseline: Quality
    candidate: Quality
    moved: Moved


class Verdicts(Struct, frozen=True):
    """Both runs against people's verdicts."""

    baseline: Reviewed
    candidate: Reviewed


class Comparison(Struct, frozen=True, kw_only=True):
    """Everything that is known about two runs; ``shopwarden compare --json`` writes it as it is.

    ``traded`` is the worth of all orders of the stream, empty where the input was not given; then no amounts and no
    categories are known. ``changed`` counts what differs in changed decisions. ``truth``, ``verdicts``, ``policy`` and
    ``tiers`` are None where nothing is known to make them of.
    """

    baseline: Run
    candidate: Run
    outcomes: dict[str, int]
    changed: dict[str, int]
    traded: Money
    rules: list[Group]
    policies: list[Group]
    actions: list[Group]
    tiers_of: list[Group]
    categories: list[Group]
    overlap_baseline: Overlap
    overlap_candidate: Overlap
    levels: Migration
    tiers: Migration | None
    truth: Truths | None
    verdicts: Verdicts | None
    outage: Outage
    days: list[Day]
    touched: list[Touched]
    policy: PolicyPair | None = None


class Background(Struct, frozen=True, kw_only=True):
    """What is known besides the outputs.

    Attributes
    ----------
    names
        What to call the runs.
    trade
        Their input, closed; without it no amounts, categories and verdicts are known.
    known
        Who is malicious.
    codes
        Policy of each rule, by its code.
    blameless
        Rules that accuse no merchant, since they are about buyers.
    causes
        What differs between the policy sets.
    silence
        How long (ms) the baseline must publish nothing to be called silent.
    """

    names: tuple[str, str] = ("baseline", "candidate")
    trade: Trade | None = None
    known: Known | None = None
    codes: Mapping[str, str] = {}
    blameless: frozenset[str] = frozenset()
    causes: Causes | None = None
    silence: int = HOUR_MS


#: The outputs alone.
NOTHING_KNOWN: Final = Background()


def compare(baseline: Published, candidate: Published, background: Background = NOTHING_KNOWN) -> Comparison:
    """Compare two runs."""
    trade, known, causes, codes = background.trade, background.known, background.causes, background.codes
    matches = match(baseline.decisions, candidate.decisions, policies=codes)
    sums = Sums((baseline, candidate), trade, matches)
    seen = _seen((baseline, candidate), trade)
    precision = None
    if known is not None:
        truth, blameless = known, background.blameless

        def precision(decisions: Sequence[Decision]) -> Share:
            return quality([each for each in decisions if each.rule not in blameless], truth, seen)[0].precision

    missed = outage(baseline, candidate, matches, silence=background.silence)
    return Comparison(
        baseline=_run(background.names[0], baseline, sums.restricted(0)),
        candidate=_run(background.names[1], candidate, sums.restricted(1)),
        outcomes={name: sum(each.outcome == name for each in matches) for name in OUTCOMES},
        changed=dict(Counter(name for each in matches for name in each.differs).most_common()),
        traded={} if trade is None else dict(sorted(trade.gmv.items())),
        rules=sums.groups(lambda each: each.rule, precision),
        policies=sums.groups(lambda each: codes.get(each.rule, NOT_KNOWN), precision),
        actions=sums.groups(lambda each: each.action, precision),
        tiers_of=sums.groups(lambda each: each.tier or NOT_KNOWN, precision),
        categories=sums.groups(lambda each: sums.category(each).split("/")[0] or NOT_KNOWN, precision),
        overlap_baseline=overlap(baseline.decisions),
        overlap_candidate=overlap(candidate.decisions),
        levels=levels(baseline, candidate),
        tiers=tiers(baseline, candidate),
        truth=None if known is None else _truths((baseline, candidate), known, seen, background.blameless),
        verdicts=None if trade is None else _verdicts(matches, trade),
        outage=missed,
        days=_days(matches),
        touched=_touched((baseline, candidate), matches, sums, background, missed),
        policy=None if causes is None else PolicyPair(*causes.versions, causes.changes),
    )


def _run(name: str, published: Published, restricted: Money) -> Run:
    decisions = published.decisions
    return Run(
        name=name,
        outputs=dict(sorted(published.counts.items())),
        decisions=len(decisions),
        actions=dict(Counter(each.action for each in decisions).most_common()),
        parties=len({each.party for each in decisions}),
        restricted=restricted,
        policies=dict(published.policies.most_common()),
        modes=dict(published.modes.most_common()),
        first=min(published.times, default=None),
        last=max(published.times, default=None),
        repeats=published.repeats,
        unread=published.unread,
    )


def _seen(runs: tuple[Published, Published], trade: Trade | None) -> set[str]:
    """All merchants of the stream, as far as they are known."""
    seen = set() if trade is None else set(trade.merchants)
    for run in runs:
        seen.update(name for kind, name in run.levels if kind == "merchant")
        seen.update(each.merchant_id for each in run.decisions if not each.creator_id)
    return seen


def _truths(runs: tuple[Published, Published], known: Known, seen: set[str], blameless: frozenset[str]) -> Truths:
    one, other = (quality([d for d in run.decisions if d.rule not in blameless], known, seen) for run in runs)
    return Truths(one[0], other[0], moved(one[1:], other[1:]))


def _verdicts(matches: Sequence[Match], trade: Trade) -> Verdicts | None:
    found = Verdicts(reviewed(matches, trade, candidate=False), reviewed(matches, trade, candidate=True))
    judged = (found.baseline.precision, found.baseline.recall, found.candidate.precision, found.candidate.recall)
    return found if any(each.total for each in judged) else None


def _days(matches: Sequence[Match]) -> list[Day]:
    counts: dict[int, Counter[str]] = {}
    for each in matches:
        counts.setdefault(each.decision.starts_at // DAY_MS, Counter())[each.outcome] += 1
    return [
        Day(
            start=day * DAY_MS,
            baseline=count["equal"] + count["changed"] + count["lost"],
            candidate=count["equal"] + count["changed"] + count["gained"],
            lost=count["lost"],
            gained=count["gained"],
        )
        for day, count in sorted(counts.items())
    ]


def _touched(
    runs: tuple[Published, Published], matches: Sequence[Match], sums: Sums, background: Background, missed: Outage
) -> list[Touched]:
    """Those touched: first those decided upon differently, with the most differences first."""
    causes = background.causes
    silent = {name for silence in missed.silences for name in silence.decisions}
    lines: dict[PartyRef, list[Line]] = {}
    for each in matches:
        its = lines.setdefault(each.decision.party, [])
        cause = "" if causes is None else causes.of(each, [line.match for line in its])
        if each.decision.id in silent and cause in ("", ELSEWHERE):
            cause = SILENT
        its.append(Line(each, sums.category(each.decision), sums.worth(each), cause))
    found = [
        Touched(
            kind=party[0],
            id=party[1],
            category=sums.category_of(party),
            lines=its,
            restricted=sums.of_party(party),
            levels=(runs[0].levels.get(party, []), runs[1].levels.get(party, [])),
            tiers=(runs[0].tiers.get(party, []), runs[1].tiers.get(party, [])),
            label=_label(party, background.known),
        )
        for party, its in lines.items()
    ]
    return sorted(found, key=lambda each: (-each.differences, -len(each.lines), each.kind, each.id))


def _label(party: PartyRef, known: Known | None) -> str:
    kind, name = party
    if known is None or kind != "merchant":
        return ""
    if name in known.malicious:
        return known.malicious[name][0]
    return "honest" if known.honest is None or name in known.honest else ""
