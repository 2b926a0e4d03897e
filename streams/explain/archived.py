"""Explains out of an archive of events: judged in memory, as ``shopwarden evaluate`` does it.

Needs neither Kafka nor Redis. The models are as they were when they judged, so an order's contributions are those of
its score.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from config.policies import PolicyError
from config.settings import Settings
from detectors.apply import ApplyError, Core
from detectors.flush import Emit
from features.events import InputEvent, OrderCreated, SubjectKind
from features.keys import entity_key
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge, run_archive
from streams.evaluation.partitioner import shard_of
from streams.explain.inputs import concerns, input_entry, parse_event
from streams.explain.judgement import STAGES, attribute_order
from streams.explain.present import describe
from streams.explain.story import AmbiguousError, Attribution, ExplainError, Explanation, Wanted
from streams.explain.timeline import Published, entries_of, published_of


def explain_archive(
    settings: Settings,
    records: Iterable[ArchiveRecord],
    wanted: Wanted,
    name: str,
    *,
    shards: int = 1,
    advance: Callable[[], object] = lambda: None,
) -> Explanation:
    """Everything about a subject at the end of an archive, which ``name`` names.

    Raises
    ------
    ExplainError
        The archive knows nothing of it, or it could not be judged; an AmbiguousError where it is more than one thing.
    streams.archive.ArchiveError
        The archive cannot be read.
    """
    try:
        judge = evaluation_judge(settings)
    except PolicyError as error:
        raise ExplainError(str(error)) from error
    watch = _Watch(wanted, shards)
    try:
        run_archive(
            watch.tap(records),
            judge,
            watch,
            shards=shards,
            seed=settings.worker.seed,
            advance=advance,
            begun=watch.begun,
        )
    except ApplyError as error:
        raise ExplainError(f"{error}; please report it") from error
    kind, merchant = watch.found()
    shard = shard_of(merchant.encode(), shards)
    explanation = Explanation(
        kind=kind,
        id=wanted.id,
        merchant_id="" if kind == "creator" else merchant,
        shard=shard,
        source=name,
        timeline=entries_of(watch.published, kind, wanted.id, merchant),
        attributions=watch.attributions(merchant) if kind == "order" else [],
    )
    describe(explanation, watch.cores[shard])
    if wanted.events:
        pseudonyms = judge.pseudonyms
        explanation.events = [
            input_entry(record, event, shard, offset, pseudonyms)
            for offset, record, event in watch.inputs
            if event.get("merchant_id") == merchant and concerns(event, kind, wanted.id)
        ]
        if settings.pseudonym_key is None:
            explanation.notes.append("no SHOPWARDEN_PSEUDONYM_KEY is set: pseudonyms are not those of a deployment")
    return explanation


#: Kinds that belong to nobody else, as they are looked for.
_PARTIES: Final[tuple[SubjectKind, ...]] = ("merchant", "creator")


class _Watch:
    """Collects what concerns an id, while it is not known yet what that is."""

    def __init__(self, wanted: Wanted, shards: int) -> None:
        self._wanted = wanted
        self._shards = shards
        self._record: ArchiveRecord | None = None
        self._count = 0
        self.cores: Sequence[Core] = ()
        self.published: list[Published] = []
        #: Number of the record in the archive, the record, and what it says.
        self.inputs: list[tuple[int, ArchiveRecord, dict[str, Any]]] = []
        #: By merchant and stage, each as the model had it when the order was scored then.
        self._attributions: dict[tuple[str, int], Attribution] = {}
        #: Merchants that have an order of that id.
        self._ordered: dict[str, None] = {}
        self._things: dict[tuple[SubjectKind, str], None] = {}

    def begun(self, cores: Sequence[Core]) -> None:
        """The run begins."""
        self.cores = cores

    def tap(self, records: Iterable[ArchiveRecord]) -> Iterator[ArchiveRecord]:
        """The records, each noted before it is taken."""
        for self._count, record in enumerate(records):
            self._record = record
            yield record

    def event(self, event: InputEvent, time: int) -> None:
        """An event that is about to be applied."""
        wanted = self._wanted
        merchant = event.merchant_id
        if wanted.merchant not in (None, merchant):
            return
        things = [kind for kind, entity in _named(event) if entity == wanted.id and wanted.kind in (None, kind)]
        for kind in things:
            self._things[kind, wanted.id if kind == "creator" else merchant] = None
        if things and self._record is not None:
            parsed = parse_event(self._record)
            if parsed is not None:
                self.inputs.append((self._count, self._record, parsed))
        if type(event) is OrderCreated and event.order_id == wanted.id:
            self._ordered[merchant] = None

    def outputs(self, emits: Sequence[Emit], time: int) -> None:
        """What applying it published."""
        wanted = self._wanted
        for emit in emits:
            if emit.stream != "events":
                continue
            one = published_of(ArchiveRecord("", emit.key, emit.value, time, emit.headers), 0)
            if one is not None and wanted.id in (one.merchant, one.subject):
                self.published.append(one)
        for merchant in self._ordered:
            self._attribute(merchant)

    def _attribute(self, merchant: str) -> None:
        """Note where the order's probabilities come from, when it was scored just now."""
        core = self.cores[shard_of(merchant.encode(), self._shards)]
        order = core.state.orders.get(entity_key(merchant, self._wanted.id))
        if order is None:
            return
        judged = (order.probability, order.probability_dispatch, order.probability_delivery)
        for stage, scored in enumerate(judged):
            known = self._attributions.get((merchant, stage))
            if scored is None or (known is not None and known.scored == scored):
                continue
            found = attribute_order(order, core.models, stage)
            if found is not None:
                self._attributions[merchant, stage] = found

    def attributions(self, merchant: str) -> list[Attribution]:
        """Those of a merchant's order."""
        found = [self._attributions.get((merchant, stage)) for stage in range(len(STAGES))]
        return [each for each in found if each is not None]

    def found(self) -> tuple[SubjectKind, str]:
        """What the id is, and whose."""
        wanted = self._wanted
        for party in _PARTIES:
            if (party, wanted.id) in self._things:
                return party, wanted.id
        if not self._things:
            what = wanted.kind or "merchant, creator, order or listing"
            whose = f" of merchant {wanted.merchant!r}" if wanted.merchant is not None else ""
            raise ExplainError(f"the archive has no {what} {wanted.id!r}{whose}; ids are told apart by case")
        if len(self._things) > 1:
            listed = "; ".join(f"--kind {kind} --merchant {merchant}" for kind, merchant in list(self._things)[:10])
            raise AmbiguousError(f"{wanted.id!r} is {len(self._things)} things; say which: {listed}")
        return next(iter(self._things))


def _named(event: InputEvent) -> Iterator[tuple[SubjectKind, str]]:
    """What an event is about."""
    creator = getattr(event, "creator_id", None)
    if creator is not None:
        yield "creator", creator
    if creator is None or type(event) is OrderCreated:
        yield "merchant", event.merchant_id
    order = getattr(event, "order_id", None)
    if order is not None:
        yield "order", order
    listing = getattr(event, "listing_id", None)
    if listing is not None:
        yield "listing", listing
    about = getattr(event, "subject", None)
    if about is not None:
        yield about.kind, about.id
    if type(event) is OrderCreated:
        for item in event.items:
            yield "listing", item.listing_id
