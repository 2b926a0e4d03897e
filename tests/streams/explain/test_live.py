"""`shopwarden explain` on a deployment: a worker has judged a marketplace, Kafka and Redis hold what it left."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from streams.archive import ArchiveRecord
from streams.cli import main
from streams.embedded import EmbeddedServices
from streams.recording import headers_of
from streams.simulator import Simulation, SimulatorConfig
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.fed import ends_of, feed
from tests.worker_process import Worker

pytestmark = pytest.mark.timeout(240)

Run = Callable[..., Result]
Outputs = list[tuple[dict[str, str], dict[str, Any]]]


@pytest.fixture(scope="module")
def records() -> list[ArchiveRecord]:
    """The marketplace."""
    simulation = Simulation(SimulatorConfig.for_events(5_000, seed=3, span_days=60))
    return [ArchiveRecord(one.topic, one.key, one.value, one.timestamp) for one in simulation]


@pytest.fixture(scope="module")
def deployment(
    services: EmbeddedServices, records: list[ArchiveRecord], tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    """What a worker left of it."""
    prefix = f"t{uuid.uuid4().hex[:10]}-"
    found = Deployment(services.brokers, services.redis_url, prefix, "x", 2)
    create_topics(found.settings)
    fed = feed(found, records)
    with Worker(found, tmp_path_factory.mktemp("explain")) as worker:
        worker.until_checkpointed(ends_of(fed))
        worker.stop()
    return found


@pytest.fixture(scope="module")
def outputs(deployment: Deployment) -> Outputs:
    """What it published."""
    messages = deployment.read(deployment.settings.topics.events)
    return [
        ({name: (value or b"").decode() for name, value in headers_of(one)}, json.loads(one.value() or b""))
        for one in messages
    ]


@pytest.fixture
def explain(deployment: Deployment) -> Run:
    """Run the command with the deployment's settings, and others."""

    def run(*arguments: object, **variables: str) -> Result:
        settings = {name: value for name, value in deployment.environment().items() if name.startswith("SHOPWARDEN_")}
        return CliRunner().invoke(main, ["explain", *map(str, arguments)], env=settings | variables)

    return run


def test_a_merchants_history_is_that_of_the_topic(explain: Run, outputs: Outputs) -> None:
    """Every output keyed by the merchant, in order; the state is that of the checkpoint."""
    merchant = max({body["merchant_id"] for _, body in outputs}, key=lambda one: _count(outputs, one))
    result = explain(merchant, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    expected = [headers["ce_id"] for headers, body in outputs if body["merchant_id"] == merchant]
    assert [entry["id"] for entry in found["timeline"]] == expected
    assert found["state"]["events_published"] == len(expected)
    assert len(found["rates"]) == 10
    assert found["notes"] == []


def _count(outputs: Outputs, merchant: str) -> int:
    return sum(body["merchant_id"] == merchant for _, body in outputs)


def test_an_order_or_listing_is_found_by_its_outputs(explain: Run, outputs: Outputs) -> None:
    """Whose it is is in the topic: the id alone will do."""
    for kind in ("order", "listing"):
        body = next(
            body
            for _, body in outputs
            if body["type"] == "shopwarden.risk.assessed.v1" and body["subject"]["kind"] == kind
        )
        subject = body["subject"]["id"]
        found = json.loads(explain(subject, "--json").stdout)
        assert (found["kind"], found["merchant_id"]) == (kind, body["merchant_id"])
        assert found["timeline"][0]["event"]["subject"] == body["subject"]
        assert all(entry["event"].get("subject", body["subject"]) == body["subject"] for entry in found["timeline"])


def test_an_order_of_which_nothing_was_published_is_found_in_the_store(
    explain: Run, outputs: Outputs, records: list[ArchiveRecord]
) -> None:
    """By the names of the stored orders; its contributions add up, its events come without persons."""
    spoken_of = {headers["ce_subject"] for headers, _ in outputs}
    events = [json.loads(record.value or b"") for record in records]
    order = next(one for one in reversed(events) if one["type"] == "order.created" and one["order_id"] not in spoken_of)
    result = explain(order["order_id"], "--events", "--json")
    found = json.loads(result.stdout)
    assert (found["kind"], found["merchant_id"], found["timeline"]) == ("order", order["merchant_id"], [])
    attribution = found["attributions"][0]
    total = attribution["base"] + sum(each["log_odds"] for each in attribution["contributions"])
    assert total == pytest.approx(attribution["log_odds"], abs=1e-4)
    assert attribution["scored"] == found["state"]["bad_order_probability"]
    about = [one["event_id"] for one in events if one.get("order_id") == order["order_id"]]
    assert sorted(one["event"]["event_id"] for one in found["events"]) == sorted(about)
    assert order["buyer_id"] not in result.stdout
    assert next(iter(found["events"]))["event"]["buyer_id"] == found["state"]["buyer"]
    by_merchant = explain(order["order_id"], "--merchant", order["merchant_id"], "--kind", "order")
    assert by_merchant.exit_code == 0
    assert "Where the probability at purchase comes from" in by_merchant.stdout


def test_without_the_key_the_rest_is_told(explain: Run, records: list[ArchiveRecord]) -> None:
    """No contributions and no buyers, and the page says why."""
    order = next(
        body for record in reversed(records) if (body := json.loads(record.value or b""))["type"] == "order.created"
    )
    result = explain(order["order_id"], "--events", SHOPWARDEN_PSEUDONYM_KEY="")
    assert result.exit_code == 0, result.stderr
    assert "note: without SHOPWARDEN_PSEUDONYM_KEY" in result.stdout
    assert "(hidden: no pseudonym key is set)" in result.stdout
    assert order["buyer_id"] not in result.stdout


def test_what_nobody_knows_is_an_error(explain: Run) -> None:
    """Exit code 1 with words; a pattern of Redis is an id like any other."""
    for id_ in ("nobody", "*", "[a-z]*"):
        result = explain(id_)
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"nothing is known of a merchant, a creator, an order or a listing {id_!r}" in result.stderr


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"SHOPWARDEN_KAFKA__BROKERS": "127.0.0.1:1"}, "no Kafka broker answered at 127.0.0.1:1"),
        ({"SHOPWARDEN_REDIS__URL": "redis://127.0.0.1:1/0"}, "Redis at redis://127.0.0.1:1/0 cannot be read"),
        ({"SHOPWARDEN_TOPICS__EVENTS": "elsewhere"}, "there is no topic"),
    ],
)
def test_services_that_are_away_are_named(explain: Run, variables: dict[str, str], words: str) -> None:
    """Exit code 1, no traceback."""
    result = explain("m1", **variables)
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
