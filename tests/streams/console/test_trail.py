import sqlite3
from pathlib import Path

import pytest

from config.settings import Settings
from streams.console.acts.act import Act, ActError
from streams.console.acts.desk import Desk, RefusedError
from streams.console.acts.sender import FeedbackSender
from streams.console.index.harm import Harm
from streams.console.index.reading import IndexReader
from streams.console.index.schema import open_index
from streams.console.proposals import ProposalError, Proposals
from streams.console.trail import Trail
from streams.console.users import User

ACT = Act(kind="take", party_kind="merchant", party="m1", action="suspend_merchant", policy="fraud", why="found out")


def test_entries_are_only_added(tmp_path: Path) -> None:
    """The newest come first, and the table refuses to change or drop any."""
    trail = Trail(tmp_path / "trail.db", lambda: 5.0)
    assert trail.add("alice", "signed in") == 1
    assert trail.add("alice", "sent", "d1", act="verdict: clean", event="e1") == 2
    assert [(entry.number, entry.what, entry.at) for entry in trail.entries()] == [
        (2, "sent", 5_000),
        (1, "signed in", 5_000),
    ]
    assert [entry.number for entry in trail.entries(subject="d1")] == [2]
    found = trail.of_event("e1")
    assert found is not None and found.number == 2
    for statement in ("UPDATE trail SET actor = 'bob'", "DELETE FROM trail"):
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            trail._connection.execute(statement)
    assert trail.verify() is None
    trail.close()


def test_who_confirmed_a_decision_never_decides_its_appeal(tmp_path: Path) -> None:
    """However often it is tried: each try is an entry about the decision too."""
    trail, settings = Trail(tmp_path / "trail.db"), Settings()
    open_index(tmp_path / "index.db", "here").close()
    index = IndexReader(tmp_path / "index.db")
    sender, harm = FeedbackSender(settings), Harm({}, {})
    desk = Desk(settings.console, index, trail, Proposals(trail, 1), sender, harm)
    trail.add("rita", "sent", "d1", act="verdict: violation", event="e1")
    act = Act(kind="appeal_decision", party_kind="merchant", party="m1", decision_id="d1", outcome="upheld")
    for _ in range(120):
        with pytest.raises(RefusedError, match="confirmed this decision yourself"):
            desk.do(User("rita", "reviewer"), act)
    with pytest.raises(ActError, match="no decision 'd1'"):
        desk.do(User("rob", "reviewer"), act)
    index.close()
    trail.close()


@pytest.mark.parametrize(
    "damage", ["UPDATE trail SET actor = 'bob' WHERE number = 2", "DELETE FROM trail WHERE number = 2"]
)
def test_an_entry_that_was_changed_is_found(tmp_path: Path, damage: str) -> None:
    """Whoever gets round the triggers breaks the chain of hashes."""
    trail = Trail(tmp_path / "trail.db")
    for number in range(4):
        trail.add("alice", "did", str(number))
    trail._connection.executescript("DROP TRIGGER trail_stays; DROP TRIGGER trail_kept;")
    trail._connection.execute(damage)
    assert trail.verify() == 2
    trail.close()


def test_a_trail_goes_on_where_it_ended(tmp_path: Path) -> None:
    """After a restart numbers and hashes continue."""
    first = Trail(tmp_path / "trail.db")
    first.add("alice", "did")
    first.close()
    second = Trail(tmp_path / "trail.db")
    assert second.add("bob", "did") == 2
    assert second.verify() is None
    second.close()


def test_a_second_person_agrees_once(tmp_path: Path) -> None:
    """Not the one who proposed it, and not twice; all of it is in the trail."""
    trail = Trail(tmp_path / "trail.db")
    proposals = Proposals(trail, 1)
    number = proposals.make("alice", ACT, "it is severe")
    with pytest.raises(ProposalError, match="proposed it yourself"):
        proposals.settle(number, "alice", "agreed")
    with pytest.raises(ProposalError, match="only alice can withdraw"):
        proposals.settle(number, "bob", "withdrawn")
    assert proposals.settle(number, "bob", "agreed").act == ACT
    with pytest.raises(ProposalError, match="was agreed before by bob"):
        proposals.settle(number, "carol", "refused")
    with pytest.raises(ProposalError, match="no proposal 99"):
        proposals.settle(99, "bob", "agreed")
    assert [entry.what for entry in trail.entries()] == ["agreed", "proposed"]
    assert proposals.open() == [] and proposals.latest()[0].second == "bob"
    trail.close()


def test_a_proposal_lapses(tmp_path: Path) -> None:
    """What nobody agrees to in time can't be agreed to later."""
    now = [0.0]
    trail = Trail(tmp_path / "trail.db", lambda: now[0])
    proposals = Proposals(trail, 1)
    number = proposals.make("alice", ACT, "it is severe")
    now[0] = 3_600.0
    assert proposals.open() == []
    with pytest.raises(ProposalError, match="was lapsed before"):
        proposals.settle(number, "bob", "agreed")
    assert trail.entries()[0].what == "lapsed"
    trail.close()
