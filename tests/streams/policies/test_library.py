import pytest

from detectors.judge import Judge
from features.policy_notices import PolicyNotice
from streams.policies.library import PolicyLibrary
from streams.policies.publication import MAX_BYTES, compile_files, encode, read_publication
from tests.streams.policies.published import BROKEN, MILDER, files, known, publication
from tests.streams.shard_fakes import make_judge


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A judge by the packaged policies."""
    return make_judge()


def test_without_publications_the_folder_rules(judge: Judge) -> None:
    """And a shard has nothing to note."""
    library = PolicyLibrary(judge)
    assert library.judge is judge
    assert library.judge_of(judge.policies.version) is judge
    assert library.news(0, "") == [] and library.news(7, "x") == []


def test_the_latest_that_can_be_used_rules(judge: Judge) -> None:
    """A broken one changes nothing, and each set is known by its version from then on."""
    library = PolicyLibrary(judge)
    library.add([known(0, MILDER), known(1, BROKEN)])
    milder = compile_files(MILDER).version
    assert library.judge.policies.version == milder != judge.policies.version
    assert library.judge.settings is judge.settings
    assert library.judge_of(judge.policies.version) is judge
    assert library.judge_of(milder) is library.judge
    assert library.judge_of("of another world") is None
    library.add([known(0, BROKEN), known(2, files())])
    assert library.judge is judge, "the packaged set again, by the same judge"


def test_a_shard_notes_what_is_new_to_it(judge: Judge) -> None:
    """Broken ones with why, of the others the latest alone; and nothing twice."""
    library = PolicyLibrary(judge)
    library.add([known(0, files()), known(1, BROKEN), known(2, MILDER)])
    milder = compile_files(MILDER).version
    broken, taken = library.news(0, "before")
    assert (broken.publication, broken.version) == (1, "") and 'unknown level "elevatd"' in broken.detail
    assert taken == PolicyNotice(2, milder, "before", "")
    assert library.news(2, "before") == [taken]
    assert library.news(3, milder) == []


def test_a_topic_that_was_made_anew_is_noted_from_its_beginning(judge: Judge) -> None:
    """A shard that noted more than there is begins again."""
    library = PolicyLibrary(judge)
    library.add([known(0, MILDER)])
    assert [each.publication for each in library.news(9, "x")] == [0]


def test_a_record_that_is_none() -> None:
    """Something else in the topic is a publication that can't be used; a deleted one is nothing."""
    found = read_publication(4, b"{}")
    assert found is not None and found.policies is None
    assert "no publication of policies" in found.why
    assert read_publication(5, None) is None


def test_a_publication_comes_back_as_it_was() -> None:
    """Through its record; keys are in the order of publication, and differ."""
    made = publication(12, MILDER, rolls_back_to=3)
    found = read_publication(0, encode(made))
    assert found is not None and found.publication == made and found.policies is not None
    assert made.key == f"000012-{made.version}".encode()


def test_a_set_that_is_too_large_is_refused() -> None:
    """Before the broker does it."""
    with pytest.raises(ValueError, match="at most"):
        encode(publication(1, {"a.yaml": "x" * MAX_BYTES}))
