"""Tables stay bounded, and lose what is worth least."""

from features.room import make_room


def test_a_table_with_room_is_left_alone() -> None:
    """Nothing leaves before the limit is reached."""
    table = {f"k{number}": number for number in range(39)}
    make_room(table, 40, float)
    assert len(table) == 39


def test_the_least_twentieth_leaves() -> None:
    """Of forty, the two worth least; the same ones whatever the order in which they came."""
    table = {f"k{number}": -number for number in range(40)}
    turned = dict(reversed(table.items()))
    for each in (table, turned):
        make_room(each, 40, float)
        assert each.keys() == {f"k{number}" for number in range(38)}


def test_keys_decide_between_equals() -> None:
    """Which of those worth the same leave does not hang on the order of the table."""
    table = dict.fromkeys(reversed(range(20)), 0)
    make_room(table, 20, float)
    assert 0 not in table and len(table) == 19
