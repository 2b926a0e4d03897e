"""The decision table of remedies: the first row whose cause and evidence fit an order decides what its buyer gets.

Checked as it is compiled: every name must be known, every case of every cause must be decided, and every row must
decide some case that no row before it does. Cases are few (the evidence that a cause's rows name, each there or not),
so all of them are tried.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from config.policies import Place, PolicyFiles, Problem, did_you_mean
from config.remedy_specs import Fault, Payer, RemediesSpec, RemedyKind, RemedyRowSpec
from features.windows import days_in_ms

Cause: TypeAlias = Literal[
    "cancelled_by_seller",
    "cancelled_by_platform",
    "not_shipped",
    "lost",
    "late",
    "not_received",
    "not_as_described",
    "damaged",
    "wrong_item",
    "counterfeit",
    "dispute_lost",
]
#: What goes wrong with an order, as the table names it.
CAUSES: Final[tuple[Cause, ...]] = Cause.__args__  # type: ignore[attr-defined]

#: What is known of a case, by name, with its bit.
EVIDENCE: Final[dict[str, int]] = {
    name: 1 << bit
    for bit, name in enumerate(
        (
            "shipped",
            "shipped_late",
            "scanned",
            "delivered",
            "overdue",
            "light",
            "doubtful_tracking",
            "cheap",
            "trusted_seller",
            "doubted_seller",
            "doubtful_buyer",
            "abusive_buyer",
        )
    )
}
#: What can't be without something else: a parcel that was scanned was sent.
_IMPLIES: Final = (
    ("scanned", "shipped"),
    ("delivered", "shipped"),
    ("shipped_late", "shipped"),
    ("abusive_buyer", "doubtful_buyer"),
)
#: What can't be together.
_EXCLUDE: Final = (("trusted_seller", "doubted_seller"),)


class RemedyRow(Struct, frozen=True, kw_only=True):
    """A row as compiled: it fits a case whose evidence, masked with ``named``, is ``wanted``. Without a ``kind`` it
    gives nothing.
    """

    id: str
    causes: frozenset[str]
    named: int
    wanted: int
    kind: RemedyKind | None
    share: float
    fault: Fault
    charge_to: Payer
    review: bool
    why: str


class RemedyTable(Struct, frozen=True, kw_only=True):
    """All rows by cause, in order, and the limits in minor units of each currency; times in ms."""

    rows: dict[str, tuple[RemedyRow, ...]]
    #: Minor units of a currency that are worth a dollar.
    units: dict[str, float]
    cheap_up_to: float
    late: int
    doubtful_buyer: float
    abusive_buyer: float
    trusted_tiers: frozenset[str]
    doubted_tiers: frozenset[str]
    review_above: dict[RemedyKind, float]

    def row(self, cause: Cause, evidence: int) -> RemedyRow:
        """The row that decides a case."""
        for row in self.rows[cause]:
            if evidence & row.named == row.wanted:
                return row
        raise LookupError(f"no row decides {cause} with evidence {evidence:#x}")  # never, once compiled

    def dollars(self, amount: int, currency: str) -> float | None:
        """What an amount in minor units is worth in dollars; None for a currency that the table doesn't know."""
        unit = self.units.get(currency)
        return None if unit is None else amount / unit


def compile_remedies(files: PolicyFiles, tiers: Iterable[str], problems: list[Problem]) -> RemedyTable | None:
    """The table that the files hold, or None if they hold none or a wrong one; what is wrong goes to ``problems``.

    ``tiers`` are the known tiers of credit; without any, no tier's name is checked.
    """
    if files.remedies is None:
        return None
    spec, place = files.remedies
    before = len(problems)
    _check_tiers(spec, frozenset(tiers), place, problems)
    if spec.abusive_buyer < spec.doubtful_buyer:
        problems.append(place.problem("remedies: abusive_buyer is below doubtful_buyer", "abusive_buyer"))
    rows = [_row(row, place, problems) for row in spec.rows]
    seen: set[str] = set()
    for row in spec.rows:
        if row.id in seen:
            problems.append(place.problem(f"remedies: two rows have the id {row.id}", "rows"))
        seen.add(row.id)
    by_cause: dict[str, tuple[RemedyRow, ...]] = {
        cause: tuple(row for row in rows if cause in row.causes) for cause in CAUSES
    }
    if len(problems) == before:
        _check_cases(by_cause, place, problems)
    if len(problems) > before:
        return None
    return _table(spec, by_cause)


def _check_tiers(spec: RemediesSpec, known: frozenset[str], place: Place, problems: list[Problem]) -> None:
    for key, named in (("trusted_tiers", spec.trusted_tiers), ("doubted_tiers", spec.doubted_tiers)):
        unknown = [tier for tier in named if known and tier not in known]
        problems += [
            place.problem(f'remedies: {key}: unknown tier "{tier}"{did_you_mean(tier, known)}', key) for tier in unknown
        ]
    for tier in sorted({*spec.doubted_tiers} & {*spec.trusted_tiers}):
        problems.append(place.problem(f'remedies: "{tier}" can\'t be both trusted and doubted', "doubted_tiers"))


def _table(spec: RemediesSpec, rows: dict[str, tuple[RemedyRow, ...]]) -> RemedyTable:
    return RemedyTable(
        rows=rows,
        units=dict(spec.currencies),
        cheap_up_to=spec.cheap_up_to,
        late=days_in_ms(spec.late_days),
        doubtful_buyer=spec.doubtful_buyer,
        abusive_buyer=spec.abusive_buyer,
        trusted_tiers=frozenset(spec.trusted_tiers),
        doubted_tiers=frozenset(spec.doubted_tiers),
        review_above=dict(spec.review_above),
    )


def _row(spec: RemedyRowSpec, place: Place, problems: list[Problem]) -> RemedyRow:
    label = f"remedies: row {spec.id}"
    problems += [
        place.problem(f'{label}: unknown cause "{cause}"{did_you_mean(cause, CAUSES)}', "rows")
        for cause in spec.cause
        if cause not in CAUSES
    ]
    named = wanted = 0
    for word, there in spec.given.items():
        bit = EVIDENCE.get(word)
        if bit is None:
            hint = did_you_mean(word, EVIDENCE) or f"; known are {', '.join(EVIDENCE)}"
            problems.append(place.problem(f'{label}: unknown evidence "{word}"{hint}', "rows"))
            continue
        named |= bit
        if there:
            wanted |= bit
    return RemedyRow(
        id=spec.id,
        causes=frozenset(spec.cause),
        named=named,
        wanted=wanted,
        kind=None if spec.kind == "none" else spec.kind,
        share=spec.share,
        fault=spec.fault,
        charge_to=spec.charge_to,
        review=spec.review,
        why=spec.why,
    )


def _check_cases(rows: Mapping[str, tuple[RemedyRow, ...]], place: Place, problems: list[Problem]) -> None:
    """Try every case of every cause: each must be decided, and each row must decide one."""
    deciding: set[str] = set()
    for cause, candidates in rows.items():
        mask = 0
        for row in candidates:
            mask |= row.named
        for evidence in _cases(mask):
            row_id = next((row.id for row in candidates if evidence & row.named == row.wanted), None)
            if row_id is None:
                words = ", ".join(f"{name}: {str(bool(evidence & EVIDENCE[name])).lower()}" for name in _names(mask))
                case = f"with {{{words}}} " if words else ""
                problems.append(place.problem(f"remedies: no row decides {cause} {case}".rstrip(), "rows"))
                break
            deciding.add(row_id)
    for row in dict.fromkeys(row for candidates in rows.values() for row in candidates):
        if row.id not in deciding:
            message = f"remedies: row {row.id} decides nothing: rows before it take every case, or there is none"
            problems.append(place.problem(message, "rows"))


def _names(mask: int) -> list[str]:
    return [name for name, bit in EVIDENCE.items() if mask & bit]


def _cases(mask: int) -> Iterator[int]:
    """Every combination of the evidence in a mask that there can be."""
    names = _names(mask)
    for present in product((False, True), repeat=len(names)):
        there = {name for name, yes in zip(names, present, strict=True) if yes}
        if any(a in there and b in names and b not in there for a, b in _IMPLIES):
            continue
        if any(a in there and b in there for a, b in _EXCLUDE):
            continue
        yield sum(EVIDENCE[name] for name in there)
