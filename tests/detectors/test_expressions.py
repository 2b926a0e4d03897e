import ast
import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detectors.expressions import MAX_DEPTH, MAX_LENGTH, ExpressionError, parse
from detectors.policy import PolicySet
from detectors.rule_code import Condition, bind_conditions, compile_conditions
from features.feature import Attribute, Element
from features.listing import ListingRecord
from features.merchant import Merchant, MerchantRecord
from features.order import OrderRecord
from features.population import Population
from features.registry import FEATURES, Context
from tests.detectors.expression_trees import NAMES, DivisionByZeroError, Tree, conditions, evaluate, render

KNOWN = ("late_ship_rate_30d", "late_ship_rate_30d_lower", "orders_30d", *NAMES)
#: Random expressions may outgrow the bounds; that is no failure of what is tested with them.
TOO_LARGE = re.compile("nested|at most")
FINITE = st.one_of(
    st.just(0.0), st.integers(-3, 60).map(float), st.floats(allow_nan=False, allow_infinity=False), st.just(1e308)
)
VALUES = st.fixed_dictionaries({name: st.one_of(st.none(), FINITE) for name in NAMES})


def fires(text: str, values: Mapping[str, float | None], nulls: dict[str, float] | None = None) -> bool:
    """Whether a condition alone fires on some values."""
    condition = Condition("fired", parse(text, KNOWN), {}, nulls or {})
    features = list(values)
    return bool(compile_conditions([condition], features)([values[name] for name in features]))


def fires_lazily(text: str, values: Mapping[str, float | None], nulls: dict[str, float] | None = None) -> bool:
    """Whether a condition alone fires when its features are computed one after another."""
    condition = Condition("fired", parse(text, KNOWN), {}, nulls or {})
    getters = {name: lambda context, name=name: context[name] for name in values}
    return bool(bind_conditions([condition], getters)(values))


def faults(text: str) -> list[tuple[int, str]]:
    """Columns and messages of what is wrong with a text."""
    with pytest.raises(ExpressionError) as caught:
        parse(text, KNOWN)
    return [(fault.column, fault.message) for fault in caught.value.faults]


def has_division_by_zero_constant(tree: object) -> bool:
    """Whether a tree divides by the number 0, which is refused when it is parsed."""
    if isinstance(tree, tuple) and tree[:1] == ("/",) and tree[2] == ("number", 0.0):
        return True
    return isinstance(tree, tuple | list) and any(has_division_by_zero_constant(part) for part in tree)


@given(tree=conditions(), values=VALUES)
@example(
    tree=("compare", ("name", "alpha"), [(">", ("-", ("*", ("number", 1e300), ("name", "gamma")), ("name", "gamma")))]),
    values={"alpha": 1.0, "beta_30d": None, "gamma": 1e308, "delta_lower": 0.0},
)
def test_compiled_conditions_equal_a_slow_interpreter(tree: Tree, values: dict[str, float | None]) -> None:
    """Any condition has the truth value that an independent interpreter gives it; nulls and divisions by zero don't
    fire.
    """
    text = render(tree)
    if has_division_by_zero_constant(tree):
        return
    try:
        expression = parse(text, KNOWN)
    except ExpressionError as error:
        if not TOO_LARGE.search(str(error)):
            raise
        return
    if any(values[name] is None for name in expression.names):
        expected = False
    else:
        try:
            expected = evaluate(tree, {name: value for name, value in values.items() if value is not None})
        except DivisionByZeroError:
            expected = False
    assert fires(text, values) is bool(expected)
    assert fires_lazily(text, values) is bool(expected)


@given(tree=conditions(), values=VALUES, stand_in=st.floats(-100, 100))
def test_a_stand_in_takes_the_place_of_null(tree: Tree, values: dict[str, float | None], stand_in: float) -> None:
    """With a stand-in for every feature, a null is the same as the stand-in."""
    if has_division_by_zero_constant(tree):
        return
    text = render(tree)
    filled = {name: stand_in if value is None else value for name, value in values.items()}
    nulls = dict.fromkeys(NAMES, stand_in)
    try:
        assert fires(text, values, nulls) is fires(text, filled)
        assert fires_lazily(text, values, nulls) is fires(text, filled)
    except ExpressionError as error:
        if not TOO_LARGE.search(str(error)):
            raise


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """No text makes the parser fail in another way than with an ExpressionError."""
    try:
        names = parse(text, KNOWN).names
    except ExpressionError as error:
        names = tuple("fault" for _ in error.faults)
    assert names


@given(
    st.lists(
        st.sampled_from(["alpha", "1", "(", ")", "not", "and", "or", "-", "+", "/", "*", "<", "==", " "]), max_size=40
    )
)
def test_any_tokens_are_parsed_or_refused(tokens: list[str]) -> None:
    """No order of allowed tokens gets past the parser with anything but a clean tree."""
    try:
        expression = parse(" ".join(tokens), KNOWN)
    except ExpressionError:
        return
    allowed = (
        ast.BoolOp | ast.UnaryOp | ast.BinOp | ast.Compare | ast.Name | ast.Constant
        | ast.boolop | ast.operator | ast.unaryop | ast.cmpop | ast.expr_context
    )  # fmt: skip
    assert all(isinstance(node, allowed) for node in ast.walk(expression.tree))


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "alpha.__class__ > 1",
        "alpha(1) > 1",
        "(alpha)(1) > 1",
        "alpha[0] > 1",
        "lambda: 1",
        "(lambda: alpha)() > 1",
        "(x := 5) > alpha",
        "alpha > 1 if alpha else beta_30d",
        "[a for a in alpha] > 1",
        "alpha ** alpha > 1",
        "9**9**9**9 > alpha",
        "alpha // 2 > 1",
        "alpha % 2 > 1",
        "alpha << 2000000000 > 1",
        "~alpha > 1",
        "alpha > 1 & alpha > 2",
        "alpha in beta_30d",
        "alpha is not gamma",
        "alpha == None",
        "alpha > True",
        "alpha > 'a'",
        'alpha > "a"',
        "alpha > f'{gamma}'",
        "alpha > b'a'",
        "alpha > 1j",
        "alpha > 0x10",
        "alpha > 1e999",
        "alpha > 1" + "0" * 400,
        "*alpha > 1",
        "alpha, gamma",
        "alpha > 1; gamma > 2",
        "alpha > 1 # gamma",
        "alpha > \\\n 1",
        "await alpha > 1",
        "yield alpha",
        "import os",
        "ａｌｐｈａ > 1",
        "alpha > ١",
        "alpha\u200b > 1",
        "alpha > ...",
        "alpha\x00 > 1",
    ],
)
def test_what_is_not_in_the_subset_is_refused(text: str) -> None:
    """Calls, attributes, powers, assignments, text and other Python are refused, with a column inside the text."""
    for column, message in faults(text):
        assert 1 <= column <= len(text) + 1
        assert message


@pytest.mark.parametrize(
    "text",
    [
        "alpha > 1 or " * 100_000 + "alpha > 1",
        "(" * 500_000 + "alpha" + ")" * 500_000,
        "(" * (MAX_DEPTH + 1) + "alpha" + ")" * (MAX_DEPTH + 1) + " > 1",
        "-" * 280 + "alpha > 1",
        "not " * 200 + "alpha > 1",
        "alpha + " * 140 + "alpha > 1",
        "9" * 1_000_000 + " > alpha",
    ],
)
def test_huge_and_deep_texts_are_refused_quickly(text: str) -> None:
    """A megabyte of text, or nesting beyond the bound, is refused without trouble."""
    assert any("at most" in message or "nested" in message for _, message in faults(text))


def test_unknown_features_are_named_with_a_suggestion() -> None:
    """Every unknown name is reported at its column, with the nearest name that exists."""
    assert faults("late_ship_rat_30d > 0.04 and order_30d >= 20 and zzz > 1") == [
        (1, 'unknown feature "late_ship_rat_30d"; did you mean "late_ship_rate_30d"?'),
        (30, 'unknown feature "order_30d"; did you mean "orders_30d"?'),
        (50, 'unknown feature "zzz"'),
    ]


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "empty"),
        ("orders_30d", 1, "not a number"),
        ("orders_30d and alpha > 1", 1, "takes conditions"),
        ("not alpha", 5, "takes conditions"),
        ("(alpha > 1) + 1 > 2", 2, "takes numbers"),
        ("-(alpha > 1) > 1", 3, "takes numbers"),
        ("(alpha > 1) == (gamma > 1)", 2, "takes numbers"),
        ("1 < 2", 1, "names no feature"),
        ("alpha / 0 > 1", 1, "division by zero"),
        ("alpha = 1", 7, 'write "=="'),
        ("alpha >= 4%", 11, "0.04, not 4%"),
        ("alpha > 1 and (gamma > 2", 15, "never closed"),
        ("alpha > 1)", 10, "never opened"),
        ("alpha > > 1", 9, "invalid syntax"),
    ],
)
def test_mistakes_are_explained_where_they_are(text: str, column: int, words: str) -> None:
    """A mistake is reported at its column in words that say what to do."""
    found = faults(text)
    assert found[0][0] == column
    assert words in found[0][1]


def test_a_text_over_several_lines_is_one_expression() -> None:
    """Folded YAML text with line breaks is read as one condition."""
    assert fires("\n  alpha > 1\n  and gamma < 2\n", {"alpha": 2.0, "gamma": 1.0})


def test_the_longest_allowed_text_is_accepted() -> None:
    """The bound on the length is the one that is stated."""
    text = "alpha > 1"
    assert parse(text + " " * (MAX_LENGTH - len(text)), KNOWN).names == ("alpha",)
    assert "at most" in faults(text + " " * (MAX_LENGTH - len(text) + 1))[0][1]


def test_a_division_that_is_not_reached_does_no_harm() -> None:
    """Evaluation stops where the answer is known, so a guard before a division works."""
    guarded = "gamma == 0 or alpha / gamma > 2"
    assert fires(guarded, {"alpha": 1.0, "gamma": 0.0})
    assert not fires("not alpha / gamma > 2", {"alpha": 1.0, "gamma": 0.0})


def test_compiling_twice_leaves_the_expression_as_it_was() -> None:
    """One expression can be compiled into several groups with different variables."""
    expression = parse("alpha > 1 and gamma < alpha", KNOWN)
    before = ast.dump(expression.tree)
    for features in (["alpha", "gamma"], ["gamma", "beta_30d", "alpha"]):
        fired = compile_conditions([Condition(1, expression, {}, {"alpha": 0.0})], features)
        values = {"alpha": 2.0, "gamma": 1.0, "beta_30d": None}
        assert fired([values[name] for name in features]) == [1]
    assert ast.dump(expression.tree) == before


def test_features_are_computed_only_when_a_rule_comes_to_them() -> None:
    """Without the evidence, what the condition names is never asked for."""
    asked: list[str] = []

    def getter(name: str, value: float | None) -> Callable[[object], float | None]:
        def get(_: object) -> float | None:
            asked.append(name)
            return value

        return get

    condition = Condition("fired", parse("alpha > 1 and gamma > 1", KNOWN), {"orders_30d": 20.0}, {"gamma": 5.0})
    for orders, expected, order in ((19.0, [], ["orders_30d"]), (20.0, ["fired"], ["orders_30d", "alpha", "gamma"])):
        asked.clear()
        getters = {
            "orders_30d": getter("orders_30d", orders),
            "alpha": getter("alpha", 2.0),
            "gamma": getter("gamma", None),
        }
        assert bind_conditions([condition], getters)(None) == expected
        assert asked == order


@given(data=st.data())
def test_packaged_groups_fire_alike_on_values_and_on_contexts(packaged: PolicySet, data: st.DataObject) -> None:
    """Every packaged group gives the same rules whether values are handed over or computed on the way."""
    group = data.draw(st.sampled_from(sorted(packaged.groups(), key=repr)))
    value = st.one_of(st.none(), st.sampled_from([0.0, 0.03, 0.6, 1.0, 2.0, 5.0, 30.0, 500.0]))
    values = data.draw(st.fixed_dictionaries(dict.fromkeys(group.features, value)))
    getters = {name: lambda context, name=name: context[name] for name in group.features}
    assert group.bind(getters)(values) == group.fired([values[name] for name in group.features])


@given(data=st.data())
def test_elements_of_lists_are_read_where_they_stand(packaged: PolicySet, data: st.DataObject) -> None:
    """A feature that stands in a list needs no call, and decides the same; nulls and evidence included."""
    group = data.draw(st.sampled_from(sorted(packaged.groups(), key=repr)))
    value = st.sampled_from([0.0, 0.03, 0.6, 1.0, 2.0, 5.0, 30.0, 500.0])
    values = data.draw(st.lists(value, min_size=len(group.features), max_size=len(group.features)))
    context: Any = SimpleNamespace(merchant=SimpleNamespace(sums=values), others=values)
    listed = data.draw(st.sets(st.sampled_from(group.features)))
    getters = {
        name: Element(("merchant", "sums") if index % 2 else ("others",), index)
        if name in listed
        else lambda context, index=index: context.others[index]
        for index, name in enumerate(group.features)
    }
    assert group.bind(getters)(context) == group.fired(values)
    assert [getters[name](context) for name in group.features] == values


def test_what_is_computed_for_one_rule_is_kept_for_the_next() -> None:
    """A feature that several conditions name is computed once, whatever it gives; where none comes to it, never."""
    asked: list[object] = []

    def get(context: object) -> float | None:
        asked.append(context)
        return None if context == "null" else 3.0

    conditions = [
        Condition("a", parse("alpha > 1 and gamma > 0", KNOWN), {"orders_30d": 1.0}, {"gamma": 1.0}),
        Condition("b", parse("gamma > 2", KNOWN), {"orders_30d": 1.0}, {}),
    ]
    getters = {"gamma": get, "alpha": lambda _: 2.0, "orders_30d": lambda context: 0.0 if context == "none" else 1.0}
    for context, expected, times in (("some", ["a", "b"], 1), ("null", ["a"], 1), ("none", [], 0)):
        asked.clear()
        assert bind_conditions(conditions, getters)(context) == expected
        assert len(asked) == times


def test_cheap_evidence_is_asked_for_first() -> None:
    """What is read where it stands comes before what has to be computed."""
    condition = Condition("fired", parse("alpha > 1", KNOWN), {"alpha": 1.0, "orders_30d": 5.0}, {})

    def refuse(_: object) -> float:
        raise AssertionError("computed although the evidence was missing")

    getters: dict[str, Callable[[Any], float | None]] = {"alpha": refuse, "orders_30d": Element(("sums",), 0)}
    assert bind_conditions([condition], getters)(SimpleNamespace(sums=[4.0])) == []


ORDERS = st.none() | st.builds(
    OrderRecord,
    created=st.none() | st.just(1),
    probability=st.none() | st.sampled_from([0.0, 0.75, 1.0]),
    tracking_reused=st.booleans(),
    quantity=st.integers(0, 3),
)
LISTINGS = st.none() | st.builds(
    ListingRecord, brand_unauthorised=st.booleans(), category_mismatch=st.none() | st.sampled_from([0.0, 0.99])
)


@given(order=ORDERS, listing=LISTINGS, overdue=st.integers(0, 2))
def test_attributes_are_read_where_they_stand(
    order: OrderRecord | None, listing: ListingRecord | None, overdue: int
) -> None:
    """Rules decide alike whether attributes are read or asked for; those of what is not known are null."""
    attributes = {
        "alpha": Attribute(("order", "probability")),
        "beta_30d": Attribute(("listing", "category_mismatch")),
        "gamma": Attribute(("order", "tracking_reused")),
        "delta_lower": Attribute(("listing", "brand_unauthorised")),
        "orders_30d": Attribute(("merchant", "record", "overdue")),
    }
    conditions = [Condition(name, parse(f"{name} >= 0.5", KNOWN), {}, {}) for name in attributes]
    conditions += [Condition(f"nulls {name}", parse(f"{name} >= 0.5", KNOWN), {}, {name: 1.0}) for name in attributes]
    context = Context(Merchant("m", MerchantRecord(overdue=overdue)), Population(), order, listing)
    called = {name: lambda context, get=get: get(context) for name, get in attributes.items()}
    fired = bind_conditions(conditions, attributes)(context)
    assert fired == bind_conditions(conditions, called)(context)
    assert ("alpha" in fired) == (order is not None and order.created is not None and (order.probability or 0.0) >= 0.5)
    assert ("gamma" in fired) == (order is not None and order.created is not None and order.tracking_reused)
    assert ("beta_30d" in fired) == (listing is not None and (listing.category_mismatch or 0) >= 0.5)
    assert ("orders_30d" in fired) == (overdue > 0)


def test_every_attribute_of_the_features_can_be_read() -> None:
    """Each path leads to a number, a truth value or nothing; a truth value is asked for as 0 or 1."""
    context = Context(Merchant("m", MerchantRecord()), Population(), OrderRecord(created=1), ListingRecord())
    attributes = [feature.get for feature in FEATURES.values() if isinstance(feature.get, Attribute)]
    assert len(attributes) > 20
    for get in attributes:
        assert type(get(context)) in (int, float, type(None)), get.path
