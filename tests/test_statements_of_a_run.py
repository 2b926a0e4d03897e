"""Every statement of reasons of a simulated marketplace with all attacks and all honest trouble would be taken by the
DSA Transparency Database, and none holds personal data.
"""

import json
from collections import Counter
from typing import Any

import pytest

from features.outputs import EnforcementDecided
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import run_archive
from streams.simulator import SCENARIO_NAMES, Plan, Simulation, SimulatorConfig
from tests.builders import DAY, START, Shard, event, make_judge, placed
from tests.dsa_v2 import faults, personal_data


class Collected:
    """What a run published, and what sellers and buyers wrote in it."""

    def __init__(self) -> None:
        self.decisions: list[dict[str, Any]] = []
        self.titles: set[str] = set()
        self.buyers: set[str] = set()

    def event(self, event: Any, time: int) -> None:
        """Keep what must not be quoted."""
        self.titles.add(getattr(event, "title", ""))
        self.buyers.add(getattr(event, "buyer_id", ""))

    def outputs(self, emits: Any, time: int) -> None:
        """Keep the decisions."""
        for emit in emits:
            if emit.stream == "events" and b"enforcement.decided" in emit.value[:64]:
                self.decisions.append(json.loads(emit.value))


@pytest.fixture(scope="module")
def run() -> Collected:
    """A small marketplace in which everything that the simulator can do happens."""
    plans: dict[str, Any] = dict.fromkeys(SCENARIO_NAMES, Plan(1))
    simulation = Simulation(SimulatorConfig(seed=11, merchants=90, orders_per_day=30.0, span_days=45.0, **plans))
    seen = Collected()
    records = (ArchiveRecord(each.topic, each.key, each.value, each.timestamp) for each in simulation)
    run_archive(records, make_judge(audit_rate=0.0, holdout_rate=0.0), seen, shards=2)
    return seen


def test_every_statement_would_be_taken(run: Collected) -> None:
    """Fields, lengths, values, conditions and dates; and there are statements of each kind of restriction."""
    wrong, kinds = [], Counter[str]()
    for decision in run.decisions:
        statement = decision.get("statement_of_reasons")
        if not statement:
            assert decision["action"] in ("warn", "require_review")
            continue
        kinds[decision["action"]] += 1
        wrong += [f"{decision['decision_id']} ({decision['policy']['id']}): {fault}" for fault in faults(statement)]
    assert wrong == []
    assert {"remove_listing", "limit_orders", "hold_payout"} <= set(kinds)
    assert sum(kinds.values()) > 100


def test_identifiers_are_used_once(run: Collected) -> None:
    """No two statements share the platform's identifier, which may never be used again."""
    identifiers = [one["statement_of_reasons"]["puid"] for one in run.decisions if one.get("statement_of_reasons")]
    assert len(set(identifiers)) == len(identifiers)


def test_no_statement_holds_personal_data(run: Collected) -> None:
    """No address, number, link or handle, no buyer, and nothing that a seller wrote: not in the statement, not in the
    facts and the evidence beside it.
    """
    titles = {title for title in run.titles if len(title) > 8}
    buyers = run.buyers - {""}
    assert titles
    assert buyers
    for decision in run.decisions:
        statement = decision.get("statement_of_reasons", {})
        assert personal_data(statement) == [], decision["policy"]["id"]
        beside = {"decision_facts": " ".join([decision["facts"], *(each["what"] for each in decision["evidence"])])}
        assert personal_data(beside) == [], decision["policy"]["id"]
        text = " ".join([*map(str, statement.values()), *beside.values()])
        assert not [title for title in titles if title in text], decision["policy"]["id"]
        assert not [buyer for buyer in buyers if buyer in text], decision["policy"]["id"]


def test_statements_say_who_decided(run: Collected) -> None:
    """What waits for a person is partly automated, all else fully; nothing was reported, so all of it was voluntary."""
    for decision in run.decisions:
        statement = decision.get("statement_of_reasons")
        if statement:
            partly = statement["automated_decision"] == "AUTOMATED_DECISION_PARTIALLY"
            assert partly == decision["requires_review"]
            assert statement["source_type"] == "SOURCE_VOLUNTARY"
            assert statement["application_date"] >= statement["content_date"]


@pytest.mark.parametrize(
    "action", ["limit_orders", "block_new_listings", "hold_payout", "suspend_merchant", "close_merchant"]
)
@pytest.mark.parametrize("days", [None, 30, 9_000])
def test_what_people_decide_by_hand_is_stated_as_well(action: str, days: int | None) -> None:
    """An action that a person sets has a valid statement, which says that no machine decided; an end beyond what the
    database takes is left out.
    """
    shard = Shard(make_judge(audit_rate=0.0))
    until = {} if days is None else {"until": START + days * DAY}
    by_hand = event(
        "enforcement.overridden",
        DAY,
        action=action,
        by="team",
        why="call me: +49 170 1234567",
        policy="bust_out",
        **until,
    )
    shard.apply(placed(), by_hand)
    (decided,) = shard.outputs(EnforcementDecided)
    statement = decided.statement_of_reasons
    assert decided.action == action
    assert faults(statement) == []
    assert personal_data(statement) == []
    assert statement["automated_decision"] == "AUTOMATED_DECISION_NOT_AUTOMATED"
    assert any(name.startswith("end_date") for name in statement) == (days == 30)
