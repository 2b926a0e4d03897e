from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from detectors.comparison.overlap import overlap
from tests.detectors.comparison.made import decision


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("mnopq")), max_size=30))
def test_overlap_is_that_of_sets(pairs: list[tuple[str, str]]) -> None:
    """Reach, alone, both and Jaccard are those of plain sets of merchants."""
    found = overlap([decision(rule=rule, merchant_id=merchant) for rule, merchant in pairs])
    touched = {rule: {merchant for each, merchant in pairs if each == rule} for rule, _ in pairs}
    assert {each.rule: each.parties for each in found.reach} == {rule: len(its) for rule, its in touched.items()}
    for each in found.reach:
        others = set[str]().union(*(its for rule, its in touched.items() if rule != each.rule))
        assert each.alone == len(touched[each.rule] - others)
    expected = {
        (one, other): (len(touched[one] & touched[other]), len(touched[one] | touched[other]))
        for one, other in combinations(sorted(touched), 2)
        if touched[one] & touched[other]
    }
    assert {(each.one, each.other): each.both for each in found.pairs} == {
        key: both for key, (both, _) in expected.items()
    }
    assert all(abs(each.jaccard - each.both / expected[each.one, each.other][1]) < 1e-4 for each in found.pairs)
    assert [each.jaccard for each in found.pairs] == sorted((each.jaccard for each in found.pairs), reverse=True)
