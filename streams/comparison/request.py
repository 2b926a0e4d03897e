"""What is to be compared, read and judged: from paths to a comparison."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from config.policies import PolicyError, load_policies
from config.settings import Settings
from detectors.apply import ApplyError
from detectors.comparison.causes import Causes, Policies
from detectors.comparison.comparison import Background, Comparison, compare
from detectors.comparison.published import Published
from detectors.comparison.quality import Known
from detectors.comparison.trade import Trade
from detectors.judge import Judge
from detectors.policy import compile_policies
from features.outputs import Mode
from features.registry import FEATURES
from streams.archive import ArchiveRecord, read_archive
from streams.clients import kafka_config
from streams.comparison.reading import OUTPUTS, judge_side_by_side, read_published, read_trade
from streams.evaluation.archive_run import evaluation_judge
from streams.evaluation.patterns import BUYER_POLICIES
from streams.evaluation.truth import Labels, LabelsError, read_labels
from streams.reading import TopicReader, read_to_end
from streams.recording import archive_record

#: Event time without any output of the baseline that counts as a silence.
SILENCE_MS: Final = 3_600_000


class CompareError(Exception):
    """Something that cannot be compared; the message says what to do."""


class RunSource(Struct, frozen=True):
    """A run: an archive of governance events, or a folder of policies that are to judge the input events.

    ``policies``: the folder that an archive's run was judged by. ``mode``: of the outputs to take. ``topic``: read them
    from this topic in Kafka; ``path`` is then what to call the run.
    """

    path: Path
    policies: Path | None = None
    mode: Mode | None = None
    topic: str | None = None


class Request(Struct, frozen=True, kw_only=True):
    """Two runs and what there is about them; ``silence`` in ms, ``shards`` of what is judged in memory.

    ``start``: decisions before this event time (ms) are left out. ``common``: those too that come before both runs have
    published, as one may have begun later.
    """

    baseline: RunSource
    candidate: RunSource
    events: Path | None = None
    truth: Path | None = None
    silence: int = SILENCE_MS
    shards: int = 1
    start: int | None = None
    common: bool = False


def compare_runs(settings: Settings, request: Request, *, advance: Callable[[], object] = lambda: None) -> Comparison:
    """Read, judge and compare.

    Raises
    ------
    CompareError
        The request makes no sense, or what it names has nothing to compare.
    streams.archive.ArchiveError, streams.reading.ReadError
        An archive or a topic cannot be read.
    """
    sources = request.baseline, request.candidate
    judged = [source for source in sources if source.topic is None and source.path.is_dir()]
    if judged and request.events is None:
        raise CompareError(f"{judged[0].path} is a folder of policies: --events names the archive that it is to judge")
    for source in judged:
        if source.policies is not None or source.mode is not None:
            raise CompareError(f"{source.path} is a folder of policies: it has no other policies, and no mode")
    labels = known_labels(request.truth)
    policies = [_policies(source) for source in sources]
    published = _published(settings, request, judged, advance)
    begun = request.start or 0
    if request.common:
        begun = max(begun, *(min(run.times, default=0) for run in published))
    if begun:
        for run in published:
            run.decisions = [each for each in run.decisions if each.starts_at >= begun]
            run.times = [time for time in run.times if time >= begun]
    trade = None
    if request.events is not None:
        trade = read_trade(read_archive(request.events), merchants_of(published), advance=advance)
    names = request.baseline.path.name, request.candidate.path.name
    return compare_published(settings, names, published, policies, trade=trade, known=labels, silence=request.silence)


def merchants_of(published: Iterable[Published]) -> set[str]:
    """Merchants that runs decided about."""
    return {each.merchant_id for run in published for each in run.decisions if each.merchant_id}


def compare_published(
    settings: Settings,
    names: tuple[str, str],
    published: tuple[Published, Published],
    policies: Sequence[Policies | None],
    *,
    trade: Trade | None = None,
    known: Known | None = None,
    silence: int = SILENCE_MS,
) -> Comparison:
    """Compare what a baseline and a candidate published; ``policies`` are those that judged, where they are known.

    Raises
    ------
    CompareError
        The policies of the settings can't be used.
    """
    # Codes for matching: those of the settings where nobody says which policies judged.
    sets = [each.compiled for each in policies if each is not None] or [known_policies(settings.policies_path).compiled]
    codes = {rule.id: rule.policy for each in sets for rule in (*each.rules.values(), *each.by_score.values())}
    causes = None
    if policies[0] is not None and policies[1] is not None:
        causes = Causes(policies[0], policies[1])
    return compare(
        published[0],
        published[1],
        Background(
            names=names,
            trade=trade,
            known=known,
            codes=codes,
            blameless=frozenset(rule for rule, code in codes.items() if code in BUYER_POLICIES),
            causes=causes,
            silence=silence,
        ),
    )


def _published(
    settings: Settings, request: Request, judged: Sequence[RunSource], advance: Callable[[], object]
) -> tuple[Published, Published]:
    live: list[Published] = []
    if judged and request.events is not None:
        judges = [_judge(settings, source.path) for source in judged]
        records = read_archive(request.events)
        try:
            live = judge_side_by_side(
                records, judges, shards=request.shards, seed=settings.worker.seed, advance=advance
            )
        except ApplyError as error:
            raise CompareError(f"{error}; please report it") from error
    found = [
        live.pop(0) if source in judged else read_recorded(settings, source, advance)
        for source in (request.baseline, request.candidate)
    ]
    return found[0], found[1]


def read_recorded(
    settings: Settings,
    source: RunSource,
    advance: Callable[[], object] = lambda: None,
    wanted: Callable[[ArchiveRecord], bool] = lambda _: True,
) -> Published:
    """What a run that is on record published, as far as it is wanted; errors as :func:`compare_runs`."""
    modes = frozenset() if source.mode is None else frozenset({str(source.mode)})
    left_out = 0

    def chosen(record: ArchiveRecord) -> bool:
        nonlocal left_out
        found = wanted(record)
        left_out += not found
        return found

    if source.topic is None:
        published = read_published(filter(chosen, read_archive(source.path)), modes, advance=advance)
    else:
        with TopicReader(kafka_config(settings), [source.topic]) as reader:
            records = (msgspec.structs.replace(archive_record(m), topic=OUTPUTS) for m in read_to_end(reader))
            published = read_published(filter(chosen, records), modes, advance=advance)
    # None that is wanted is something else than none.
    if not published.counts and not left_out:
        of_mode = f" of mode {source.mode}" if source.mode else ""
        raise CompareError(
            f'{source.path} holds no output event{of_mode}: its records need the topic "{OUTPUTS}" and the headers '
            "ce_type, ce_id and ce_time, as `shopwarden record --topics governance-events` writes them"
        )
    return published


def _judge(settings: Settings, folder: Path) -> Judge:
    base = evaluation_judge(settings)
    judged = msgspec.structs.replace(base.settings, mode="replay")
    return Judge(judged, known_policies(folder).compiled, base.pseudonyms, base.signer)


def _policies(source: RunSource) -> Policies | None:
    folder = source.path if source.topic is None and source.path.is_dir() else source.policies
    return None if folder is None else known_policies(folder)


def known_policies(folder: Path) -> Policies:
    """The policies in a folder; raises CompareError with all that is wrong."""
    try:
        files = load_policies(folder)
        return Policies(files, compile_policies(files, FEATURES))
    except PolicyError as error:
        raise CompareError(f"{folder}: {error}") from error


def known_labels(file: Path | None) -> Known | None:
    """What a truth file says; raises CompareError if it can't be read."""
    if file is None:
        return None
    try:
        labels: Labels = read_labels(file)
    except LabelsError as error:
        raise CompareError(str(error)) from error
    return Known(
        {merchant: (each.pattern, each.start_ms) for merchant, each in labels.merchants.items()},
        None if labels.honest is None else frozenset(labels.honest),
    )
