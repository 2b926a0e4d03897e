"""Trees compiled into a function."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.tree_code import Node, compile_trees

INPUTS = 3
HEIGHT = 4
#: Few values, so that points lie on thresholds often.
values_of = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 1.0])
points = st.lists(values_of, min_size=INPUTS, max_size=INPUTS)


@st.composite
def trees(draw: st.DrawFn) -> Node:
    """A full tree of some splits, its leaves numbered from left to right."""
    numbers = iter(range(2**HEIGHT))

    def grow(height: int) -> Node:
        if not height:
            return next(numbers)
        split = draw(st.integers(0, INPUTS - 1)), draw(values_of)
        return *split, grow(height - 1), grow(height - 1)

    return grow(HEIGHT)


def walk(node: Node, point: Sequence[float]) -> int:
    """The leaf that a point reaches, step by step."""
    while not isinstance(node, int):
        position, threshold, left, right = node
        node = left if point[position] < threshold else right
    return node


@given(st.lists(trees(), min_size=1, max_size=3), st.lists(points, min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_the_function_finds_the_leaves_of_a_walk(roots: list[Node], given_points: list[list[float]]) -> None:
    """In every tree, on thresholds too; the leaves of the trees are numbered together."""
    leaves = compile_trees(roots, INPUTS, 2**HEIGHT)
    for point in given_points:
        assert leaves(point) == tuple(tree * 2**HEIGHT + walk(root, point) for tree, root in enumerate(roots))
