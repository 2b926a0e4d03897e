"""One archive, or any records in event-time order, scored against its labels."""

from collections.abc import Callable, Iterable, Sequence

from detectors.apply import Core
from detectors.evaluation.governance import GovernanceScore, Malicious, score
from detectors.evaluation.observations import Observations
from detectors.judge import Judge
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import Witness, Witnesses, run_archive
from streams.evaluation.patterns import rules_about
from streams.evaluation.truth import Labels


def score_records(
    records: Iterable[ArchiveRecord],
    labels: Labels | Callable[[], Labels],
    judge: Judge,
    *,
    watched: Iterable[str] | None = None,
    shards: int = 1,
    seed: int = 0,
    advance: Callable[[], object] = lambda: None,
    also: Witness | None = None,
    begun: Callable[[Sequence[Core]], object] = lambda _: None,
) -> tuple[GovernanceScore, Observations]:
    """Run the records through the core and score what came out.

    ``labels`` may be a function that is called at the end, for a stream whose truth is complete only then; then
    ``watched`` names the malicious merchants. ``also`` watches the run as well; ``begun`` as of
    :func:`~streams.evaluation.archive_run.run_archive`.
    """
    if watched is None and not callable(labels):
        watched = labels.merchants
    seen = Observations(
        rules_about(judge.policies), frozenset(watched or ()), buyers=callable(labels) or bool(labels.buyers)
    )
    witness = seen if also is None else Witnesses(seen, also)
    run_archive(records, judge, witness, shards=shards, seed=seed, advance=advance, begun=begun)
    known = labels() if callable(labels) else labels
    malicious = {
        merchant: Malicious(each.pattern, each.start_ms, frozenset(each.also))
        for merchant, each in known.merchants.items()
    }
    # Honest merchants that never appear would only make the shares look better.
    honest = seen.merchants - malicious.keys()
    if known.honest is not None:
        honest &= set(known.honest)
    traps = {name: honest & set(merchants) for name, merchants in known.traps.items()}
    return score(seen, malicious, honest, known.listings, traps, known.buyers), seen
