from pathlib import Path

import pytest

from config.policies import PACKAGED, PolicyError, load_policies
from detectors.policy import PolicySet, compile_policies
from features.registry import FEATURES
from tests.detectors.policy_folders import KNOWN, RULE, compile_folder

ORDER_RULE = RULE.replace("subject: merchant", "subject: order\n    on: [order.created]").replace(
    "action: order_limit", "action: order_review"
)


def problems(folder: Path, rules: str, **sections: str) -> list[str]:
    """What is wrong with a folder."""
    with pytest.raises(PolicyError) as caught:
        compile_folder(folder, rules, **sections)
    return [str(problem) for problem in caught.value.problems]


def test_a_rule_is_compiled_with_all_it_says(tmp_path: Path) -> None:
    """A compiled rule carries its file's contents, its place and every feature it names."""
    rule = compile_folder(tmp_path, RULE).rules["a-rule"]
    assert rule.version == "3"
    assert rule.place == "rules.yaml:3"
    assert rule.features == ("orders_30d", "late_ship_rate_30d")
    reason = rule.explain({"late_ship_rate_30d": 0.1234567891, "orders_30d": 1234})
    assert reason.text == "12.3% of 1234 orders"
    assert (reason.observed, reason.expected, reason.window) == (0.123457, 0.04, "30 d")


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ("> 0.04", "> 0.04 and late_ship_rat_30d > 0", 8,
         'when, column 31: unknown feature "late_ship_rat_30d"; did you mean "late_ship_rate_30d"?'),
        ("{orders_30d: 20}", "{order_30d: 20}", 9,
         'evidence: unknown feature "order_30d"; did you mean "orders_30d"?'),
        ("{orders_30d: 20}", "{orders_30d: .inf}", 9, "evidence: orders_30d must be a finite number"),
        ("elevated", "elevatd", 10, 'unknown level "elevatd"; did you mean "elevated"?'),
        ("late_dispatch", "late_dispach", 6, 'unknown policy "late_dispach"; did you mean "late_dispatch"?'),
        ("{orders_30d:d}", "{order_30d:d}", 12, 'reason: unknown feature "order_30d"; did you mean "orders_30d"?'),
        ("{orders_30d:d}", "{orders_30d.real}", 12,
         'reason: unknown feature "orders_30d.real"; did you mean "orders_30d"?'),
        ("{orders_30d:d}", "{orders_30d:>99999999d}", 12, "reason: the format of"),
        ("{orders_30d:d}", "{orders_30d!r}", 12, "reason: the format of"),
        ("{orders_30d:d}", "{orders_30d", 12, "reason: expected '}' before end of string"),
        ("observed: late", "observed: lat", 13, "observed: unknown feature"),
        ("action: order_limit", "action: order_limits", 17,
         'action: unknown ladder "order_limits"; did you mean "order_limit"?'),
        ("action: order_limit", "action: listing_removal", 17,
         'action: "remove_listing" cannot be taken against a rule\'s merchant'),
        ("subject: merchant", "subject: merchant\n    on: [order.created]", 8, "on: leave it out"),
        ("mode: enforce", "mode: enforce\n    null: {order_total: 0}", 17,
         'null: the rule does not use "order_total"'),
        ("    evidence: {orders_30d: 20}\n", "", 3, "a rule that acts against merchants needs evidence"),
    ],
)  # fmt: skip
def test_mistakes_in_rules_are_named_with_their_place(
    tmp_path: Path, old: str, new: str, line: int, expected: str
) -> None:
    """Each mistake is reported with file, line and rule, and a suggestion where one is near."""
    found = problems(tmp_path, RULE.replace(old, new, 1))
    assert any(problem.startswith(f"rules.yaml:{line}: rule a-rule: {expected}") for problem in found), found


def test_rules_on_orders_need_events_of_orders(tmp_path: Path) -> None:
    """A rule on orders names the events that trigger it, and only events of orders."""
    assert "name at least one event" in problems(tmp_path, ORDER_RULE.replace("on: [order.created]", "on: []"))[0]
    (found,) = problems(tmp_path, ORDER_RULE.replace("order.created", "order.create"))
    assert found.endswith('unknown event of a rule on orders "order.create"; did you mean "order.created"?')
    (found,) = problems(tmp_path, ORDER_RULE.replace("order.created", "listing.created"))
    assert 'unknown event of a rule on orders "listing.created"' in found


def test_every_problem_is_in_one_error(tmp_path: Path) -> None:
    """One error lists what is wrong in all files, in the order of files and lines."""
    bad = RULE.replace("elevated", "bad").replace("late_dispatch", "bad").replace("> 0.04", "> nothing")
    found = problems(tmp_path, bad, levels="levels: {probability: {low: 0.1}, anomaly: {high: 0.5, critical: 0.4}}")
    assert len(found) == 5
    assert found == sorted(found, key=lambda text: (text.split(":")[0], int(text.split(":")[1])))


@pytest.mark.parametrize(
    ("ladder", "words"),
    [
        ("steps: [{action: wrn}]", 'step 1: unknown action "wrn"; did you mean "warn"?'),
        (
            "steps: [{action: limit_orders, days: 7}, {action: warn}]",
            "step 2: milder than the step before it (limit_orders)",
        ),
        ("steps: [{action: limit_orders, days: 7}, {action: limit_orders, days: 3}]", "step 2: milder"),
        ("steps: [{action: warn, days: 7}]", '"warn" is done at once and takes no days'),
        ("steps: [{action: warn}], look_back_days: 900", "look_back_days is above the 730 days"),
    ],
)
def test_ladders_must_make_sense(tmp_path: Path, ladder: str, words: str) -> None:
    """Ladders go from mild to harsh, over known actions, within the memory of strikes."""
    ladder = f"{{{ladder}{'' if 'look_back' in ladder else ', look_back_days: 180'}, cool_down_days: 7}}"
    rules = RULE.replace("action: order_limit", "action: mine")
    enforcement = (PACKAGED / "enforcement.yaml").read_text().replace("ladders:\n", f"ladders:\n  mine: {ladder}\n")
    assert any(words in problem for problem in problems(tmp_path, rules, enforcement=enforcement))


def test_missing_sections_are_named(tmp_path: Path) -> None:
    """A folder without levels, limits, terms or statements says which are missing."""
    found = problems(tmp_path, RULE, levels="", terms="")
    assert any('no file has a section "levels"' in problem for problem in found)
    assert any('no file has a section "terms"' in problem for problem in found)


def test_the_version_depends_on_the_meaning_alone(tmp_path: Path) -> None:
    """Comments, blanks, sources and the order of keys leave the version as it is; a changed figure does not."""
    versions = []
    for number, rules in enumerate(
        [
            RULE,
            "# a comment\n" + RULE.replace("evidence: {orders_30d: 20}", "evidence:\n      orders_30d: 20.0"),
            RULE.replace("    version: 3\n", "").replace("weight: 0.5", "weight: 0.5\n    version: 3"),
            RULE + "    source: somebody\n",
            RULE.replace("20}", "21}"),
            RULE.replace("enforce", "shadow"),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        versions.append(compile_folder(folder, rules).version)
    assert len(set(versions[:4])) == 1
    assert len(set(versions)) == 3


def test_the_version_does_not_depend_on_how_files_are_cut(tmp_path: Path) -> None:
    """The same rules in another file, or in another order, are the same version."""
    second = RULE.replace("a-rule", "b-rule").replace("\nrules:\n", "")
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    one = compile_folder(tmp_path / "x", RULE + second)
    (tmp_path / "y" / "a.yaml").write_text("rules:\n" + second)
    two = compile_folder(tmp_path / "y", RULE)
    assert one.version == two.version


def test_groups_hold_the_rules_for_a_subject_and_event(tmp_path: Path) -> None:
    """Rules are found by subject and event; those that are off are in no group, those in shadow are."""
    shadow = RULE.replace("a-rule", "b-rule").replace("mode: enforce", "mode: shadow").replace("\nrules:\n", "")
    off = RULE.replace("a-rule", "c-rule").replace("mode: enforce", "mode: off").replace("\nrules:\n", "")
    order = ORDER_RULE.replace("a-rule", "d-rule").replace("\nrules:\n", "")
    policies = compile_folder(tmp_path, RULE + shadow + off + order)
    merchant = policies.group("merchant", "whatever")
    assert merchant is not None
    assert {rule.id for rule in merchant.rules} == {"a-rule", "b-rule"}
    orders = policies.group("order", "order.created")
    assert orders is not None
    assert [rule.id for rule in orders.rules] == ["d-rule"]
    assert policies.group("order", "order.shipped") is None
    assert policies.group("listing", "listing.created") is None
    assert set(policies.groups()) == {merchant, orders}
    assert set(policies.rules) == {"a-rule", "b-rule", "c-rule", "d-rule"}


def test_the_worst_rule_comes_first(tmp_path: Path) -> None:
    """Rules that fire together are returned by severity, worst first."""
    worse = RULE.replace("a-rule", "z-rule").replace("elevated", "critical").replace("\nrules:\n", "")
    group = compile_folder(tmp_path, RULE + worse).group("merchant")
    assert group is not None
    values = {"late_ship_rate_30d": 0.5, "orders_30d": 30.0}
    row = [values[name] for name in group.features]
    fired = group.fired(row)
    assert [rule.id for rule in fired] == ["z-rule", "a-rule"]
    assert group.reason(fired[0], row).text == "50.0% of 30 orders"


def test_a_row_of_another_length_is_refused(packaged: PolicySet) -> None:
    """Values that do not match the features of a group are an error, not a wrong answer."""
    group = packaged.group("merchant")
    assert group is not None
    with pytest.raises(ValueError, match="unpack"):
        group.fired([1.0])


def test_levels_begin_at_their_cut_off(packaged: PolicySet) -> None:
    """A score at a cut-off has the level that begins there, and no score makes a level that is left out."""
    assert packaged.probability_levels.of(0.2999) == "low"
    assert packaged.probability_levels.of(0.3) == "guarded"
    assert packaged.level_of_probability(0.5) == 2
    assert packaged.level_of_probability(1.0) == 2
    assert packaged.level_of_anomaly(1.0) == 2
    assert packaged.anomaly_levels.of(None) == "low"


def test_reason_texts_show_units(tmp_path: Path) -> None:
    """Shares, counts, decimals and missing values each read as people write them."""
    template = (
        "{late_ship_rate_30d:.2%} {orders_30d:,d} {order_total:,.2f} "
        "{orders_30d} {late_ship_rate_30d} {distinct_buyers_30d}"
    )
    rules = RULE.replace("{late_ship_rate_30d:.1%} of {orders_30d:d} orders", template)
    rule = compile_folder(tmp_path, rules).rules["a-rule"]
    values = {"late_ship_rate_30d": 0.12345, "orders_30d": 12345.0, "order_total": 1234.5, "distinct_buyers_30d": None}
    assert rule.explain(values).text == "12.35% 12,345 1,234.50 12,345 0.123 unknown"


def test_the_packaged_set_compiles_against_the_registry() -> None:
    """Every feature that the packaged rules name is in the registry."""
    assert compile_policies(load_policies(), FEATURES).rules
    with pytest.raises(PolicyError, match="unknown feature"):
        compile_policies(load_policies(), KNOWN)
