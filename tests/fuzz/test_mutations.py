"""No record, however broken, crashes the live path or is lost on it."""

from itertools import islice

import pytest

from detectors.judge import Judge
from detectors.outbox import Outbox
from tests.builders import make_judge
from tests.fuzz.live_path import PROCESSED, check_finite, run
from tests.fuzz.mutations import MUTATIONS, mutated_records

#: ``make fuzz`` feeds 200,000.
RECORDS = 12_000
#: A record takes 20 to 200 microseconds; what costs a thousand times as much would let one seller stop a shard. The
#: slowest one takes 15 ms here.
SLOWEST_S = 0.2


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge who publishes all that there is to say, so that all of it is checked."""
    return make_judge(publish_level=1, audit_rate=0.05, all_features=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_mutated_record_is_processed_or_a_dead_letter(judge: Judge, seed: int) -> None:
    """Nothing crashes, each record is accounted for, and what is stored and published is finite."""
    outcome = run(mutated_records(seed, RECORDS), judge)
    assert outcome.fed == outcome.processed + outcome.dead_letters == RECORDS
    assert outcome.counts.keys() == set(MUTATIONS)
    assert outcome.outputs > RECORDS / 20
    assert outcome.counts["none"].keys() == {PROCESSED, "inapplicable"}
    assert outcome.counts["tombstone"].keys() == {"empty"}
    reasons = set().union(*outcome.counts.values())
    assert reasons == {
        *(PROCESSED, "empty", "oversize", "undecodable", "invalid"),
        *("unknown_type", "wrong_topic", "wrong_key", "future", "inapplicable"),
    }
    assert outcome.slowest.seconds < SLOWEST_S, outcome.slowest


def test_a_lost_dead_letter_is_noticed(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account is a real one: without dead letters it does not balance."""
    monkeypatch.setattr(Outbox, "reject", lambda *_: None)
    with pytest.raises(ValueError, match="unpack"):
        run(mutated_records(1, 200), judge)


@pytest.mark.parametrize("value", [b'{"a": [1, {"b": 1e400}]}', b"[18446744073709551616]", b"[-9223372036854775809]"])
def test_numbers_that_others_cannot_read_are_noticed(value: bytes) -> None:
    """The check of outputs looks at every number, wherever it stands."""
    with pytest.raises((AssertionError, ValueError)):
        check_finite(value)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """What failed once can be fed again; another seed gives other records."""
    first, again, other = (list(islice(mutated_records(seed), 300)) for seed in (5, 5, 6))
    assert first == again != other
