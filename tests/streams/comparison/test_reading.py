from pathlib import Path

from config.settings import Settings
from streams.archive import ArchiveRecord, read_archive
from streams.comparison.reading import judge_side_by_side, read_published, read_trade
from streams.evaluation.archive_run import evaluation_judge
from streams.simulator import Simulation, SimulatorConfig
from tests.detectors.comparison.made import START, decision
from tests.streams.comparison.recorded import decided, write


def test_only_output_events_are_read(tmp_path: Path) -> None:
    """Records of other topics are passed over; one without its headers is said to be unreadable."""
    bare = ArchiveRecord("governance-events", b"k", b"{}", START)
    broken = ArchiveRecord(
        "governance-events", b"k", b"{}", START, (("ce_id", b"1"), ("ce_type", b"t"), ("ce_time", b"?"))
    )
    records = [ArchiveRecord("orders", b"m1", b"{}", START), decided(decision()), bare, broken]
    found = read_published(read_archive(write(tmp_path / "a.jsonl", records)))
    assert [each.id for each in found.decisions] == [decision().id]
    assert (found.unread, found.times) == (2, [START])


def test_how_late_a_record_was_is_known_where_it_has_a_time_of_its_own() -> None:
    """A timestamp that repeats the event's time tells nothing."""
    found = read_published([decided(decision(0), written=START + 300), decided(decision(1))])
    assert found.delays == {decision(0).id: 300}


def test_one_pass_judges_as_two_do(tmp_path: Path) -> None:
    """Two policy sets side by side decide what each decides alone."""
    records = [
        ArchiveRecord(each.topic, each.key, each.value, each.timestamp)
        for each in Simulation(SimulatorConfig.for_events(6_000, seed=3, span_days=45))
    ]
    judge = evaluation_judge(Settings())
    together = judge_side_by_side(records, [judge, judge], shards=2)
    (alone,) = judge_side_by_side(records, [judge], shards=2)
    assert alone.decisions and alone.levels
    for each in together:
        assert each.decisions == alone.decisions
        assert each.levels == alone.levels
    trade = read_trade(records, {each.merchant_id for each in alone.decisions})
    assert trade.gmv.total() > 0
    assert any(trade.category(each.merchant_id) for each in alone.decisions)
