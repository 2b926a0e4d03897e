"""The report's sections, from the figures: ours, the references, and whether the goals are reached."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmarks.evaluation.creators_section import creators
from benchmarks.evaluation.credit_section import credit, fairness, gaming
from benchmarks.evaluation.experiments import ANOMALY_SETS, TASKS
from benchmarks.evaluation.goals import Verdict
from benchmarks.evaluation.plots import bars, diagram
from benchmarks.evaluation.section import Section, Table, interval, number, paragraph, percent, spread
from streams.simulator import ATTACK_NAMES

#: What others reach: who, AUC and AP on the last 20 %, AUC and AP on the last 60 %. Published ones are on all of Olist,
#: the measured ones on the development rows (a sixth of the orders).
_OLIST_REFERENCES: Final = (
    ("published, late at purchase, all of Olist, 80/20", "0.586 to 0.720", "0.07 to 0.15", "–", "–"),
    ("River: plain online logistic, 20 figures", "0.695", "0.163", "0.612", "0.153"),
    ("boosted trees, batch, 20 figures", "0.61", "0.092", "–", "–"),
    ("logistic, batch, 20 figures", "0.63", "0.097", "–", "–"),
    ("boosted trees, twelve times, label delay ignored", "–", "–", "0.628", "0.188"),
)
_ANOMALY_REFERENCES: Final = {
    "shuttle": "HST, ECML 2022: 0.969 (sd 0.007), 25 trees 0.975; xStream 0.724, RRCF 0.947, autoencoder 0.981",
    "cover": "HST, ECML 2022: 0.854 (sd 0.066), 25 trees 0.905; xStream 0.754, RRCF 0.968, autoencoder 0.984",
    "cover_shuffled": "River's HST, 25 trees: 0.78",
    "mammography": "River's HST: 0.82, 25 trees 0.81",
    "http_shuffled": "–",
    "annthyroid": "–",
}
_GOAL_OF: Final[Mapping[str, float]] = {"shuttle": 0.975, "cover": 0.9, "cover_shuffled": 0.9, "mammography": 0.86}
_PATTERN_HEAD: Final = (
    "pattern", "merchants", "recall", "95 %", "at high", "by its rules", "precision", "95 %", "honest accused", "hours",
    "GMV lost",
)  # fmt: skip
_HOW_SIMULATED: Final = paragraph("""
Nothing was tuned on the default seeds, 101 to 110. All attacks and all honest trouble at intensity 1 and stealth 0.5.
Figures are means over seeds ± standard deviation; intervals (95 %, Wilson) are of all seeds together.""")
_WHAT_SIMULATED: Final = paragraph("""
Recall: from its start on named at level high or above for anything (itself, an order, a listing), or accused by a rule
about that pattern: the rule, of severity high, is a reason for such a level, or a decision rests on it that restricts
something, asks a person to look, or warns about a listing. At high: the first of the two alone. By its rules: the
second alone. Precision: of the merchants so accused, those that run the pattern. Honest accused: of all honest
merchants. Hours: median until found, those not found counting as not found yet. GMV lost: the part of the orders since
the start that was placed before it was found.""")
_HOW_OLIST: Final = paragraph("""
Test-then-train: every order is scored when it is placed, handed to the carrier or delivered, and learned when its label
is known. The batch models are trained on what was known when the first row to be judged came, boosting_retrained anew
for each twelfth of the last 60 %. ECE in ten bins of alike many rows.""")
_STAGES: Final = paragraph("""
The models are the worker's own, with the inputs of each stage; shards tell each other every hour what they counted, as
the worker's do. What was paid at the checkout comes from Olist's payments.""")
_HOW_ANOMALY: Final = paragraph("""
Each row is scored before it is learned; our model is of the worker's size, with ranges from the first 500 rows;
River's Half-Space Trees of default size stand behind its running min-max scaler. Nothing was tuned on http and
annthyroid. As given, 79 % of cover's anomalies are among its first 4,320 rows, where they are half of what comes: past
those rows, a second figure. Microseconds are the least of all
seeds, on a machine busy with the other experiments.""")
_HOW_FRAUD: Final = paragraph("""
Purchases of new accounts, test-then-train, a fraud taken as known 14 days later, or at once. All of January's fraud is
a purchase within a minute of the signup, so January is given apart.""")

_HOW_PRICERUNNER: Final = paragraph("""
Titles of merchants in seeded order, one in twenty in a wrong category; each is scored before it is learned, with its
category as it stands; figures are of the last 80 %. The batch model is trained anew eight times, on all titles before.
Pairs of titles of different merchants are nearly equal if the Jaccard index of their words is at least 0.8, and clear
if no merchant uses one of them for several products; right is what the site calls one product.""")
_HOW_OBFUSCATED: Final = paragraph("""
Forbidden terms in disguise, placed in titles of PriceRunner, by seeded chance; found is a variant whose list has a hit.
A hash parts terms and titles in two halves: the detection was tried out on one, the figures are of the other.""")


def sections(report: Mapping[str, Any], verdicts: Sequence[Verdict]) -> list[Section]:
    """All sections for which there are figures."""
    found = [_summary(report, verdicts)]
    for name, make in (
        ("simulator", _simulator),
        ("credit", credit),
        ("fairness", fairness),
        ("creators", creators),
        ("gaming_details", gaming),
        ("olist", _olist),
        ("anomaly", _anomaly),
        ("fraud", _fraud),
        ("pricerunner", _pricerunner),
        ("obfuscation", _obfuscation),
    ):
        if name in report:
            found.append(make(report[name]))
    return found


def _summary(report: Mapping[str, Any], verdicts: Sequence[Verdict]) -> Section:
    run = report["run"]
    machine = run["machine"]
    rows = [
        (
            each.goal.words,
            number(each.value),
            f"at {'most' if each.goal.at_most else 'least'} {each.goal.limit:g}",
            each.words,
        )
        for each in verdicts
    ]
    missed = sum(each.met is False for each in verdicts)
    measured = sum(each.met is not None for each in verdicts)
    words = [
        f"{measured - missed} of {measured} goals that were measured are met, {missed} are missed.",
        f"{run['seconds']:,.0f} s on {machine['processor']}, {machine['cores']} cores, Python {machine['python']}.",
        *(f"Left out: {word}." for word in run["left_out"]),
        *(f"Failed: {word}." for word in run["failed"]),
    ]
    if run["quick"]:
        words.insert(0, "A quick run on slices: it shows that everything works, not how good anything is.")
    return Section("Goals", words, [Table(["figure", "measured", "goal", "verdict"], rows)])


def _simulator(figures: Mapping[str, Any]) -> Section:
    names = [name for name in ATTACK_NAMES if name in figures]
    rows = [
        (
            name,
            f"{figures[name]['merchants']}",
            spread(figures[name], "recall"),
            interval(figures[name], "recall"),
            spread(figures[name], "recall_high"),
            spread(figures[name], "attributed_recall"),
            spread(figures[name], "precision"),
            interval(figures[name], "precision"),
            spread(figures[name], "honest_accused_share"),
            spread(figures[name], "median_hours_to_detection", share=False),
            spread(figures[name], "gmv_share_lost"),
        )
        for name in names
    ]
    honest = figures["honest"]
    others = [
        (words, f"{honest['merchants']}", spread(honest, name), interval(honest, name))
        for words, name in (
            ("all honest", "high_or_above_share"),
            ("by their own level", "own_level_high_share"),
            ("not named: reviewed or restricted in anything", "acted_on_share"),
        )
    ]
    for name, trap in honest["traps"].items():
        hits, total = trap["high_or_above_share_of"]
        named = percent(hits / total if total else None)
        others.append((name, f"{total}", named, interval(trap, "high_or_above_share")))
    bad = [
        (
            name,
            f"{each['listing_recall_of'][1]}",
            percent(each["listing_recall"]),
            interval(each, "listing_recall"),
            percent(each["listing_precision"]),
            interval(each, "listing_precision"),
        )
        for name in names
        if "listing_recall" in (each := figures[name])
    ]
    return Section(
        "Simulator",
        [
            f"Seeds {', '.join(map(str, figures['seeds']))}. {_HOW_SIMULATED}",
            _WHAT_SIMULATED,
            f"Honest merchants suspended: {honest['suspended']}, {honest['suspended_at_once']} without asking anybody.",
            *(
                f"Buyers, {name}: {percent(each['recall'])} found, precision {percent(each['precision'])}."
                for name, each in figures["buyers"].items()
            ),
            f"Of the listings at level high or above, forbidden: {interval(figures['listings'], 'precision')}.",
        ],
        [
            Table(_PATTERN_HEAD, rows),
            Table(["listings", "there", "found", "95 %", "precision", "95 %"], bad),
            Table(["honest merchants named at high or above", "merchants", "share", "95 %"], others),
        ],
        [
            bars(
                names,
                {what: [figures[name][key] for name in names] for what, key in _SIMULATOR_BARS.items()},
                spread={what: [figures[name][f"{key}_sd"] for name in names] for what, key in _SIMULATOR_BARS.items()},
                goals=[0.9] * len(names),
                label="share",
            )
        ],
    )


_SIMULATOR_BARS: Final = {"recall": "recall", "precision": "precision", "GMV lost": "gmv_share_lost"}
_COLUMNS: Final = ("auc", "ap", "auc_60", "ap_60", "ece", "ece_60")


def _olist(figures: Mapping[str, Any]) -> Section:
    tables, curves = [], {}
    for task in TASKS:
        ours = figures.get(task)
        if not ours:
            continue
        four = ours.get("four_shards")
        lines: list[Sequence[str]] = [("ours, one shard", *_cells(ours))]
        if four:
            lines.append(("ours, four shards", *_cells(four)))
        lines += [
            (f"batch on the same rows: {name}", *_cells(each))
            for name, each in figures.get("yardstick", {}).get(task, {}).items()
        ]
        if task == "late_at_purchase":
            lines += [(*reference, "–", "–") for reference in _OLIST_REFERENCES]
        if task == "negative_review_after_delivery":
            lines.append(("reference: once the delivery is known", "about 0.80", "–", "–", "–", "–", "–"))
        words = task.replace("_", " ")
        head = f"{words}: {ours['rows_60']:,} rows in the last 60 %, {percent(ours['positive_share_60'])} positive"
        tables.append(
            Table([head, "AUC, last 20 %", "AP", "AUC, last 60 %", "AP", "ECE, last 20 %", "ECE, last 60 %"], lines)
        )
        curves[task.replace("_", " ")] = ours["reliability"]
    tasks = [task for task in TASKS if task in figures]
    yardstick = figures.get("yardstick", {})
    return Section(
        "Olist",
        [_HOW_OLIST, _STAGES],
        tables,
        [
            bars(
                [task.replace("_", " ") for task in tasks],
                {
                    "ours": [figures[task]["auc"] for task in tasks],
                    "batch boosting": [yardstick.get(task, {}).get("boosting", {}).get("auc") for task in tasks],
                    "batch logistic": [yardstick.get(task, {}).get("logistic", {}).get("auc") for task in tasks],
                },
                goals=[{"late_at_purchase": 0.72, "negative_review_after_delivery": 0.8}.get(task) for task in tasks],
                label="AUC, last 20 %",
                low=0.4,
            ),
            diagram(curves),
        ],
    )


def _cells(figures: Mapping[str, Any]) -> list[str]:
    return [number(figures.get(name)) for name in _COLUMNS]


def _anomaly(figures: Mapping[str, Any]) -> Section:
    names = [name for name in ANOMALY_SETS if name in figures]
    rows = []
    for name in names:
        ours = figures[name]
        river = ours.get("river", {})
        rows.append(
            (
                f"{name}, {ours['order']}",
                f"{ours['rows']:,}, {percent(ours['anomalies'])}",
                _areas(ours),
                number(ours["us_per_event"], 1),
                _areas(river),
                number(river.get("us_per_event"), 1),
                _ANOMALY_REFERENCES[name],
            )
        )
    return Section(
        "Anomaly",
        [_HOW_ANOMALY],
        [Table(["set", "rows, anomalies", "our AUC", "us", "River's AUC", "us", "others"], rows)],
        [
            bars(
                names,
                {
                    "ours": [figures[name]["auc_mean"] for name in names],
                    "River": [figures[name].get("river", {}).get("auc_mean") for name in names],
                },
                spread={
                    "ours": [figures[name]["auc_sd"] for name in names],
                    "River": [figures[name].get("river", {}).get("auc_sd") for name in names],
                },
                goals=[_GOAL_OF.get(name) for name in names],
                label="AUC",
            )
        ],
    )


def _areas(found: Mapping[str, Any]) -> str:
    """AUC with its deviation, and past the first rows where it was taken there too."""
    words = f"{number(found.get('auc_mean'))} (sd {number(found.get('auc_sd'))})"
    late = found.get("settled_auc_mean")
    return words if late is None else f"{words}; {number(late)} past row {found['settled_after']:,}"


def _fraud(figures: Mapping[str, Any]) -> Section:
    rows = [
        (
            words,
            f"{figures[name]['rows']:,}, {percent(figures[name]['positive_share'])}",
            number(figures[name]["auc"]),
            number(figures[name]["ap"]),
            number(figures[name]["auc_known_at_once"]),
            number(figures[name]["anomaly_auc"]),
        )
        for name, words in (("january", "January"), ("rest", "the rest"), ("last_20", "last 20 %"))
    ]
    rows += [
        (f"batch on the last 20 %: {name}", "", number(each["auc"]), number(each["ap"]), "", "")
        for name, each in figures["yardstick"].items()
    ]
    low, high = figures["published"]["auc"]
    rows.append(("published, last 20 % (arXiv 2208.14417)", "", f"{low} to {high}", "–", "", ""))
    return Section(
        "Fraud set",
        [_HOW_FRAUD],
        [Table(["part", "rows, fraud", "AUC", "AP", "AUC, known at once", "AUC of the anomaly model"], rows)],
    )


def _pricerunner(figures: Mapping[str, Any]) -> Section:
    river, batch = figures["category_river"], figures["category_yardstick"]
    categories: list[Sequence[str]] = [
        (
            f"ours, mean of {figures['category_seeds']} seeds",
            number(figures["category_swapped_ap"]),
            number(figures["category_swapped_auc"]),
            number(figures["category_us_per_listing"], 0),
        ),
        ("ours, in the file's order of categories", number(figures["category_swapped_ap_as_given"]), "–", "–"),
        *(
            (f"River: {name.replace('_', ' ')}", number(each["ap"]), number(each["auc"]), number(each["us"], 0))
            for name, each in river.items()
        ),
        ("batch: TF-IDF, linear SVM", number(batch["ap"]), number(batch["auc"]), "–"),
        ("reference: accuracy of TF-IDF, linear SVM on the category itself", "0.91 to 0.96", "–", "–"),
    ]
    every = figures["duplicates_all_near"]
    duplicates = [
        (
            "clear pairs",
            f"{figures['duplicates_pairs']:,}",
            number(figures["duplicates_precision"]),
            number(figures["duplicates_recall"]),
        ),
        (
            "clear pairs, against the product's name",
            f"{figures['duplicates_pairs']:,}",
            number(figures["duplicates_by_name"]["precision"]),
            number(figures["duplicates_by_name"]["recall"]),
        ),
        ("all nearly equal pairs", f"{every['pairs']:,}", number(every["precision"]), number(every["recall"])),
        (
            "all that are called alike, unclear titles left out",
            f"{figures['duplicates_called']:,}",
            number(figures["duplicates_called_precision"]),
            "–",
        ),
    ]
    named = sorted(figures["untouched_alarms"].items(), key=lambda item: (-item[1], item[0]))
    alarms = [(rule, f"{count:,}") for rule, count in named]
    alarms += [(f"{rule} (in shadow)", f"{count:,}") for rule, count in figures["untouched_shadow"].items()]
    return Section(
        "PriceRunner",
        [
            _HOW_PRICERUNNER,
            (
                f"The rule on categories finds {percent(figures['category_rule_recall'])} of the swapped, and "
                f"{percent(figures['category_rule_precision'])} of what it names are swapped."
            ),
            (
                f"Of pairs with equal words, {percent(figures['duplicates_equal_words_precision'])} are one product to "
                "the site: more can't be reached by titles alone without leaving unclear ones out."
            ),
        ],
        [
            Table(["swapped categories", "AP", "AUC", "us per listing"], categories),
            Table(["duplicates across merchants", "pairs", "precision", "recall"], duplicates),
            Table([f"rule, on {figures['offers']:,} untouched titles", "listings named"], alarms),
        ],
    )


def _obfuscation(figures: Mapping[str, Any]) -> Section:
    rows = [(kind.replace("_", " "), percent(recall)) for kind, recall in figures["by_kind"].items()]
    rows.append((f"all {figures['variants']:,} variants of {figures['terms']} terms", percent(figures["recall"])))
    words = f"false alarms on {figures['titles']:,} untouched titles: {figures['false_alarms']}"
    rows.append((words, percent(figures["false_alarm_share"], 2)))
    return Section("Terms in disguise", [_HOW_OBFUSCATED], [Table(["kind", "found"], rows)])
