from hypothesis import given, settings
from hypothesis import strategies as st

from features.keys import entity_key, split_key

#: Ids made of what could be taken for the separator or its escape, and of anything else.
_ids = st.text(alphabet=":%3A25aé/", min_size=1, max_size=6) | st.text(min_size=1, max_size=20)


@given(_ids, _ids)
@settings(max_examples=300, deadline=None)
def test_keys_read_back(merchant_id: str, entity_id: str) -> None:
    """A key says whose it is and which, whatever the ids hold."""
    assert split_key(entity_key(merchant_id, entity_id)) == (merchant_id, entity_id)


@given(st.lists(st.tuples(_ids, _ids), unique=True, max_size=30))
@settings(deadline=None)
def test_keys_never_collide(pairs: list[tuple[str, str]]) -> None:
    """Different pairs of ids have different keys: no merchant can reach another's orders."""
    assert len({entity_key(*pair) for pair in pairs}) == len(pairs)


def test_usual_keys_are_plain() -> None:
    """Ids without a separator stand as they are."""
    assert entity_key("m1", "o:1") == "m1:o:1"
    assert entity_key("a:b", "o1") == "a%3Ab:o1"
