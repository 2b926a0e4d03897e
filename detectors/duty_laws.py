"""The law's duties as compiled from the policy files: whom a law is about, what it asks, by when."""

from collections.abc import Collection, Set
from typing import Final, get_args

from msgspec import Struct

from config.duty_specs import DutyName, LawSpec
from config.policies import Place, PolicyFiles, Problem, did_you_mean
from features.exchange import COMMON_KINDS
from features.inform import Threshold, Thresholds
from features.windows import days_in_ms

#: What may be overdue so that a merchant is to be suspended.
_SUSPENDABLE: Final = frozenset(get_args(DutyName)) - {"suspend", "disclose"}


class Law(Struct, frozen=True, kw_only=True):
    """One law; times in ms."""

    id: str
    title: str
    #: Sales and dollars of any twelve months; None for a law about who registered.
    sales: tuple[int, float] | None
    #: Minor units of each currency that are worth a dollar.
    units: dict[str, float]
    kinds: frozenset[str]
    countries: frozenset[str]
    items: dict[str, frozenset[str]]
    #: Words by the change of the account that makes them doubtful.
    changes: dict[str, frozenset[str]]
    collect: int
    verify: int
    notice: int
    notice_words: frozenset[str]
    suspend_for: frozenset[str]
    recertify_every: int | None
    recertify_within: int
    recertify_words: frozenset[str]
    disclose_from: float | None
    disclose_within: int
    disclose_words: frozenset[str]

    def missing(self, known: Set[str]) -> list[str]:
        """Items for which none of their words is known."""
        return [item for item, words in self.items.items() if not words & known]


class Counting(Struct, frozen=True, kw_only=True):
    """What is counted of merchants who sell in a currency: the thresholds of all laws, and where each law's stand."""

    thresholds: Thresholds
    #: Law -> numbers of its threshold and of the one for disclosure (-1: none).
    of_law: dict[str, tuple[int, int]]


class DutyLaws(Struct, frozen=True, kw_only=True):
    """All laws, what is counted by currency, and the policy under which who doesn't meet them is suspended."""

    policy: str
    laws: dict[str, Law]
    counting: dict[str, Counting]
    #: Words that any law asks for.
    words: frozenset[str]


def compile_duties(files: PolicyFiles, problems: list[Problem]) -> DutyLaws | None:
    """The laws that the files hold, or None if they hold none or wrong ones; what is wrong goes to ``problems``."""
    if files.duties is None:
        return None
    spec, place = files.duties
    before = len(problems)
    known = files.statements[0].policies if files.statements is not None else {}
    if known and spec.policy not in known:
        hint = did_you_mean(spec.policy, known)
        problems.append(place.problem(f'duties: unknown policy "{spec.policy}"{hint}', "policy"))
    laws = {name: _law(name, law, place, problems) for name, law in spec.laws.items()}
    if len(problems) > before:
        return None
    currencies = sorted({currency for law in laws.values() for currency in law.units})
    words = frozenset(
        word
        for law in laws.values()
        for group in (*law.items.values(), law.notice_words, law.recertify_words, law.disclose_words)
        for word in group
    )
    return DutyLaws(
        policy=spec.policy,
        laws=laws,
        counting={each: _counting(laws.values(), each) for each in currencies},
        words=words,
    )


def _law(name: str, spec: LawSpec, place: Place, problems: list[Problem]) -> Law:
    label = f"duties: {name}"
    if (spec.sales is None) == (spec.registered is None):
        problems.append(place.problem(f'{label}: give either "sales" or "registered"', "laws"))
    for change, item in spec.changes.items():
        if change not in COMMON_KINDS:
            hint = did_you_mean(change, COMMON_KINDS) or f"; known are {', '.join(COMMON_KINDS)}"
            problems.append(place.problem(f'{label}: changes: unknown change "{change}"{hint}', "laws"))
        if item not in spec.items:
            hint = did_you_mean(item, spec.items)
            problems.append(place.problem(f'{label}: changes: unknown item "{item}"{hint}', "laws"))
    for duty in spec.suspend_for:
        if duty not in _SUSPENDABLE:
            message = (
                f'{label}: suspend_for: nobody is suspended for "{duty}"; known are {", ".join(sorted(_SUSPENDABLE))}'
            )
            problems.append(place.problem(message, "laws"))
    if spec.disclose is not None and spec.sales is None:
        problems.append(place.problem(f'{label}: "disclose" needs "sales"', "laws"))
    elif spec.disclose is not None and spec.sales is not None and spec.disclose.turnover < spec.sales.turnover:
        problems.append(place.problem(f"{label}: disclose: turnover is below that of the law itself", "laws"))
    return Law(
        id=name,
        title=spec.title,
        sales=None if spec.sales is None else (spec.sales.least, spec.sales.turnover),
        units={} if spec.sales is None else dict(spec.sales.currencies),
        kinds=frozenset(() if spec.registered is None else spec.registered.kinds),
        countries=frozenset(() if spec.registered is None else spec.registered.countries),
        items={item: frozenset(words) for item, words in spec.items.items()},
        changes={change: frozenset(spec.items.get(item, ())) for change, item in spec.changes.items()},
        collect=days_in_ms(spec.collect_days),
        verify=days_in_ms(spec.verify_days),
        notice=days_in_ms(spec.notice.days),
        notice_words=frozenset(spec.notice.words),
        suspend_for=frozenset(spec.suspend_for),
        recertify_every=None if spec.recertify is None else days_in_ms(spec.recertify.every_days),
        recertify_within=0 if spec.recertify is None else days_in_ms(spec.recertify.within_days),
        recertify_words=frozenset(() if spec.recertify is None else spec.recertify.words),
        disclose_from=None if spec.disclose is None else spec.disclose.turnover,
        disclose_within=0 if spec.disclose is None else days_in_ms(spec.disclose.within_days),
        disclose_words=frozenset(() if spec.disclose is None else spec.disclose.words),
    )


def _counting(laws: Collection[Law], currency: str) -> Counting:
    thresholds: list[Threshold] = []
    of_law: dict[str, tuple[int, int]] = {}
    for law in laws:
        unit = law.units.get(currency)
        if law.sales is None or unit is None:
            continue
        own = len(thresholds)
        thresholds.append((law.sales[0], round(law.sales[1] * unit)))
        shown = -1
        if law.disclose_from is not None:
            shown = len(thresholds)
            thresholds.append((law.sales[0], round(law.disclose_from * unit)))
        of_law[law.id] = own, shown
    return Counting(thresholds=Thresholds.of(thresholds), of_law=of_law)
