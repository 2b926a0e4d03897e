"""`shopwarden explain --from`: subjects of an archive, judged in memory."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from streams.archive import ArchiveRecord, read_archive, write_archive
from streams.cli import main
from streams.simulator import Simulation, SimulatorConfig
from tests.streams.commands.archives import write_simulation

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulation."""
    path = tmp_path_factory.mktemp("explain") / "run.jsonl.zst"
    write_simulation(Simulation(SimulatorConfig.for_events(5_000, seed=3, span_days=60)), path)
    return path


@pytest.fixture(scope="module")
def events(archive: Path) -> list[dict[str, Any]]:
    """Its events."""
    return [json.loads(record.value or b"") for record in read_archive(archive)]


@pytest.fixture
def explain(archive: Path) -> Run:
    """Run the command on the archive."""

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, ["explain", *map(str, arguments), "--from", str(archive)])

    return run


@pytest.fixture(scope="module")
def accused(archive: Path) -> str:
    """A merchant that something was done against, and ended."""
    from config.settings import Settings
    from streams.evaluation.archive_run import evaluation_judge, run_archive

    counts: dict[str, Counter[str]] = {}

    class Witness:
        """Counts the types of outputs of each merchant."""

        def event(self, event: object, time: int) -> None:
            """Nothing to be done."""

        def outputs(self, emits: Any, time: int) -> None:
            """Count."""
            for emit in emits:
                if emit.stream == "events":
                    counts.setdefault(emit.key.decode(), Counter())[dict(emit.headers)["ce_type"].decode()] += 1

    run_archive(read_archive(archive), evaluation_judge(Settings()), Witness(), seed=Settings().worker.seed)
    return max(counts, key=lambda merchant: (len(counts[merchant]), counts[merchant].total()))


def test_a_merchant_has_its_whole_history(explain: Run, accused: str) -> None:
    """Every output about it by sequence, without gaps, and what the state says now."""
    found = json.loads(explain(accused, "--json").stdout)
    assert (found["kind"], found["merchant_id"]) == ("merchant", accused)
    sequences = [entry["event"]["sequence"] for entry in found["timeline"]]
    assert sequences == list(range(1, found["state"]["events_published"] + 1))
    assert {entry["event"]["type"] for entry in found["timeline"]} >= {
        "shopwarden.risk.assessed.v1",
        "shopwarden.enforcement.decided.v1",
    }
    assert all(entry["event"]["merchant_id"] == accused for entry in found["timeline"])
    for rate in found["rates"]:
        assert 0 <= rate["at_least"] <= rate["estimate"] <= 1
        assert rate["orders"] == 0 or rate["observed"] == pytest.approx(rate["defects"] / rate["orders"], abs=1e-5)
    assert found["features"]["orders_90d"] == found["state"]["orders"]["90d"]
    assert found["events"] is None


def test_the_page_says_it_in_words(explain: Run, accused: str) -> None:
    """Levels, reasons with figures, decisions with policy and appeal."""
    result = explain(accused, "--last", 0)
    assert result.exit_code == 0, result.output
    for words in ("What is known", "Rates", "usual is", "because ", "observed ", "facts: ", "can be appealed until"):
        assert words in result.stdout
    shorter = explain(accused, "--last", 2)
    assert "earlier ones (--last 0 shows all)" in shorter.stdout
    assert len(shorter.stdout) < len(result.stdout)


def test_an_orders_probability_is_taken_apart(explain: Run, events: list[dict[str, Any]]) -> None:
    """Base and contributions add up to the log-odds of the probability that it was given."""
    orders = [one for one in events if one["type"] == "order.created"]
    stages: list[str] = []
    delivered = next(one for one in events if one["type"] == "order.delivered")
    for order in (orders[0], orders[-1], next(one for one in orders if one["order_id"] == delivered["order_id"])):
        found = json.loads(explain(order["order_id"], "--json").stdout)
        assert (found["kind"], found["merchant_id"]) == ("order", order["merchant_id"])
        stages = [each["stage"] for each in found["attributions"]]
        assert stages[0] == "purchase"
        for attribution in found["attributions"]:
            total = attribution["base"] + sum(each["log_odds"] for each in attribution["contributions"])
            assert total == pytest.approx(attribution["log_odds"], abs=1e-4)
            assert attribution["as_scored"]
            assert attribution["probability"] == pytest.approx(attribution["scored"], abs=2e-5)
    assert stages == ["purchase", "dispatch", "delivery"]
    page = explain(orders[-1]["order_id"]).stdout
    assert "base" in page and "as it was scored" in page


def test_input_events_are_shown_without_persons(explain: Run, events: list[dict[str, Any]]) -> None:
    """Each event of the order in its order; the buyer is a keyed hash, the same as in the state."""
    reviewed = next(one for one in events if one["type"] == "order.reviewed")
    order = reviewed["order_id"]
    about = [one for one in events if one.get("order_id") == order]
    result = explain(order, "--events", "--json")
    found = json.loads(result.stdout)
    assert [one["event"]["event_id"] for one in found["events"]] == [one["event_id"] for one in about]
    buyer = next(one["buyer_id"] for one in about if one["type"] == "order.created")
    assert buyer not in result.stdout
    shown = next(one["event"]["buyer_id"] for one in found["events"] if one["event"]["type"] == "order.created")
    assert shown == found["state"]["buyer"]
    assert shown.startswith("buyer-")


def test_a_listing_has_its_versions(explain: Run, events: list[dict[str, Any]]) -> None:
    """Its last version and the events about it, orders included."""
    ordered = next(one["items"][0]["listing_id"] for one in events if one["type"] == "order.created")
    found = json.loads(explain(ordered, "--events", "--json").stdout)
    assert found["kind"] == "listing"
    assert found["state"]["title"]
    types = {one["event"]["type"] for one in found["events"]}
    assert {"listing.created", "order.created"} <= types
    assert "What came in" in explain(ordered, "--events").stdout


def test_what_nobody_knows_is_an_error(explain: Run) -> None:
    """Exit code 1 with words."""
    result = explain("nobody")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the archive has no merchant, creator, order or listing 'nobody'" in result.stderr
    assert explain("nobody", "--kind", "order", "--merchant", "m").exit_code == 1


def test_an_id_of_two_things_has_to_be_told_apart(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    """The same order id at two merchants: bad usage, with what to write."""
    order = next(one for one in events if one["type"] == "order.created")
    path = tmp_path / "two.jsonl"
    with write_archive(path) as archive:
        for merchant in ("m1", "m2"):
            body = order | {"merchant_id": merchant, "event_id": merchant, "order_id": "same"}
            archive.write(ArchiveRecord("orders", merchant.encode(), json.dumps(body).encode()))
    runner = CliRunner()
    result = runner.invoke(main, ["explain", "same", "--from", str(path)])
    assert result.exit_code == 2
    assert "--kind order --merchant m1; --kind order --merchant m2" in result.stderr
    one = runner.invoke(main, ["explain", "same", "--merchant", "m2", "--from", str(path)])
    assert one.exit_code == 0
    assert one.stdout.startswith("order same of merchant m2")


def test_a_creator_is_explained(explain: Run, events: list[dict[str, Any]]) -> None:
    """What is known of who drove orders: how many, at which merchants, how credit stands; and as data."""
    driven = Counter(event["creator_id"] for event in events if event.get("creator_id"))
    creator, orders = driven.most_common(1)[0]
    result = explain(creator)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"creator {creator}\n")
    assert "merchants" in result.stdout
    data = json.loads(explain(creator, "--kind", "creator", "--json").stdout)
    assert (data["kind"], data["merchant_id"]) == ("creator", "")
    told = sum(each["orders"] for each in data["state"]["merchants"])
    # The last ones are not told yet.
    assert 0.9 * orders <= told <= orders
    assert data["features"]["creator_merchants_90d"] >= 1


@pytest.mark.parametrize(
    "arguments",
    [["x", "--kind", "buyer"], ["x", "--kind", "merchant", "--merchant", "y"], [""], ["x", "--from", "/no/such"]],
)
def test_mistakes_are_told(arguments: list[str]) -> None:
    """Exit code 2, and no traceback."""
    result = CliRunner().invoke(main, ["explain", *arguments])
    assert result.exit_code == 2
    assert "Error: " in result.stderr
