"""The report's sections on credit, fairness and gaming."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.evaluation.plots import diagram
from benchmarks.evaluation.section import Section, Table, number, paragraph, percent
from streams.simulator import GAMING_NAMES

_HOW_CREDIT: Final = paragraph("""
Credit of all merchants as it would be if it were looked at just then, every 30 days on Olist from the ninth month on,
every 15 days from day 30 on in the simulations; against the orders of the next 60 days whose outcome is due by the end.
Every order weighs the same: Gini and KS are those of bad and good orders, ranked by the probability of harm of who
sells them. Intervals are by merchant. In the simulations the truth also says who attacks; who begins later is left
out.""")
_HOW_TIERS: Final = paragraph("""
Tiers from the worst to the best; probation, where who is new waits, is no rank. Deciles by probability, the worst
first. Calibrated: the mean prediction lies in the interval.""")
_HOW_FAIR: Final = paragraph("""
A false alarm is a decision about an honest merchant, or something of its, that restricts or asks a person to look.
Small merchants have the median number of orders or fewer; new ones registered while the simulation ran.""")
_HOW_GAMING: Final = paragraph("""
Shops of bad service with a trick and the same shops without it, two runs of each seed; mean over the weeks from a month
after the onset on, and how it differs with the trick (standard error over pairs). Points and rank above 0 are gains,
harm, restricted days and decisions below 0.""")
_SEPARATIONS: Final = (
    ("probability of harm", ()),
    ("the same as last published", ("published",)),
    ("own late rate, raw", ("raw_late",)),
    ("bad-order rate of 90 days, shrunk", ("shrunk",)),
    ("points, where there are any", ("points",)),
    ("probability, same merchants", ("points", "probability")),
    ("batch logistic, from when it could be trained", ("batch",)),
    ("probability, same snapshots", ("batch", "score")),
)
_CEILINGS: Final = (
    ("service", "how each serves at the time, by the truth"),
    ("known", "and the attacks that have begun"),
    ("future", "and those that begin later, which nobody can know"),
)


def credit(figures: Mapping[str, Any]) -> Section:
    """Separation, tiers and deciles on both, and what changes over time."""
    tables: list[Table] = []
    words = [_HOW_CREDIT, _HOW_TIERS]
    curves: dict[str, list[dict[str, Any]]] = {}
    for name, found in (("Olist", figures.get("olist")), ("simulator", figures.get("simulator", {}).get("orders"))):
        if not found:
            continue
        rows = []
        for what, place in _SEPARATIONS:
            at: Any = found
            for each in place:
                at = at.get(each, {})
            if at.get("gini") is not None:
                rows.append((what, number(at["gini"]), number(at["ks"])))
        rows.append(("probability, mean within the times", number(found["gini_within_times"]), "–"))
        rows += [
            (f"ceiling: {what}", number(found["ceiling"][key]), "–")
            for key, what in _CEILINGS
            if found.get("ceiling", {}).get(key) is not None
        ]
        tables.append(Table([f"{name}: bad orders of the next 60 days", "Gini", "KS"], rows))
        tables.append(_groups(f"{name}: tier", found["tiers"]))
        tables.append(_groups(f"{name}: decile", found["deciles"]))
        words.append(_about(name, found))
        curves[name] = [
            {"rows": each["orders"], "predicted": each["predicted"], "observed": each["rate"]}
            for each in found["deciles"]
            if each["rate"] is not None
        ]
    simulator = figures.get("simulator")
    if simulator:
        low, high = simulator["gini_interval"] or (None, None)
        words.append(
            f"Simulator: of {simulator['snapshots']:,} snapshots {simulator['attacking']:,} are of merchants whose "
            f"attack has begun. Gini of who attacks {number(simulator['gini'])} ({number(low)} to {number(high)}), "
            f"KS {number(simulator['ks'])}; by points {number(simulator['gini_points'])}."
        )
        tables.append(
            Table(
                ["tier", "honest", "attacking"],
                [(tier, f"{each['honest']:,}", f"{each['attacking']:,}") for tier, each in simulator["tiers"].items()],
            )
        )
    return Section("Credit", words, tables, [diagram(curves)] if curves else [])


def _about(name: str, found: Mapping[str, Any]) -> str:
    low, high = found["gini_interval"] or (None, None)
    stable, moves = found["stability"], found["migration"]
    relative = stable["relative"]
    told = found.get("told_per_month")
    often = "" if told is None else f"A credit is told {number(told, 2)} times a month of a merchant. "
    return (
        f"{name}: {found['snapshots']:,} snapshots of {found['merchants']:,} merchants at {found['times']} times, "
        f"{found['orders']:,} orders, {percent(found['bad_rate'])} of them bad. Gini {number(found['gini'])} "
        f"({number(low)} to {number(high)}). Tiers {'monotone' if found['monotone'] else 'not monotone'} "
        f"(z {number(found['trend']['z'], 1)}), deciles with {found['deciles_trend']['violations']} neighbours that "
        f"rise (z {number(found['deciles_trend']['z'], 1)}); calibration error {number(found['calibration_error'])}. "
        f"PSI from one time to the next {number(stable['probability']['psi_mean'])} on average; of the probability "
        f"as a multiple of that of all, which tiers rest on, {number(relative['psi_mean'])} on average and "
        f"{number(relative['psi_max'])} at most (by chance alone up to {number(relative['bound_max'])}); "
        f"{percent(moves['stable'])} stay in their tier. {often}"
    )


def _groups(head: str, groups: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        [head, "merchants", "orders", "bad", "95 %", "predicted", "calibrated"],
        [
            (
                each["name"],
                f"{each['merchants']:,}",
                f"{each['orders']:,}",
                percent(each["rate"]),
                _between(each["interval"]),
                percent(each["predicted"]),
                {True: "yes", False: "no", None: "–"}[each["calibrated"]],
            )
            for each in groups
        ],
    )


def _between(interval: Sequence[float] | None) -> str:
    return "–" if interval is None else f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"


def fairness(figures: Mapping[str, Any]) -> Section:
    """Honest merchants, small and large, and the circuit breaker."""
    words = [_HOW_FAIR]
    tables = []
    if "honest" in figures:
        ratio, newcomers = figures["small_to_large"], figures["new_to_old"]
        words.append(
            f"Seeds {', '.join(map(str, figures['seeds']))}: of {figures['honest']:,} honest merchants "
            f"{figures['suspended']} suspended (of {figures['suspension_asked']} a person was asked to), "
            f"{figures['severe_before_review']} severe actions before review, "
            f"{figures['held']} with payouts held for up to two weeks. False alarms of small to large merchants "
            f"{_ratio(ratio)}, of new to old {_ratio(newcomers)}."
        )
        tables.append(
            Table(
                ["honest merchants", "there", "false alarms", "share", "95 %"],
                [
                    (
                        name,
                        f"{each['merchants']:,}",
                        f"{each['false_alarms']:,}",
                        percent(each["share"]),
                        _between(each["interval"]),
                    )
                    for name in ("small", "large", "new", "old")
                    for each in (figures[name],)
                ],
            )
        )
    breaker = figures.get("breaker")
    if breaker:
        words.append(
            f"Circuit breaker forced to {breaker['cap']} severe action a day: {breaker['most']} at most within a day "
            f"(without it {breaker['most_without']}), {breaker['severe_with']} in all (without it "
            f"{breaker['severe_without']}), {breaker['to_review']} sent to a person by it; it opened "
            f"{breaker['opened']} times. Decisions that were dropped: {breaker['dropped']}."
        )
    return Section("Fairness and safety", words, tables)


def _ratio(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "–"
    low, high = found["interval"]
    return f"{found['value']:.2f} times ({low:.2f} to {high:.2f})"


def gaming(details: Mapping[str, Any]) -> Section:
    """What each trick gains, at each stealth."""
    tables = []
    for stealth, found in details.items():
        rows = [
            (
                name,
                f"{found[name]['shops']}",
                *(_gain(found[name][figure]) for figure in ("points", "rank", "probability", "restricted_days")),
                _gain(found[name]["decisions"]),
            )
            for name in GAMING_NAMES
            if name in found
        ]
        head = [f"stealth {stealth}", "shops", "points", "rank of tier", "harm", "days restricted", "decisions"]
        tables.append(Table(head, rows))
    return Section("Gaming", [_HOW_GAMING], tables)


def _gain(found: Mapping[str, Any]) -> str:
    if found["gain"] is None:
        return "–"
    error = "" if found["error"] is None else f" ± {found['error']:.2f}"
    return f"{found['left']:.2f}, {found['gain']:+.2f}{error}"
