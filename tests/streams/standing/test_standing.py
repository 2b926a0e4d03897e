"""`shopwarden standing`: the latest message of the compacted topics, or what an archive leads to."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Producer

from config.settings import Settings
from streams.archive import read_archive
from streams.cli import main
from streams.clients import producer_config
from streams.embedded import EmbeddedServices
from streams.evaluation.archive_run import evaluation_judge, run_archive
from streams.simulator import Simulation, SimulatorConfig
from streams.standing.found import Found
from streams.standing.page import page
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.streams.commands.archives import write_simulation

Run = Callable[..., Result]
AT = 1_704_067_200_000
STANDING: dict[str, Any] = {
    "merchant_id": "m1",
    "sequence": 1204,
    "level": "elevated",
    "as_of": AT,
    "enforcements": [
        {
            "decision_id": "orders-0-7-1",
            "action": "hold_payout",
            "policy": "not-received",
            "subject": {"kind": "merchant", "id": "m1"},
            "expires_at": AT + 86_400_000,
            "requires_review": True,
        },
        {
            "decision_id": "listings-0-9-1",
            "action": "remove_listing",
            "policy": "replica-terms",
            "subject": {"kind": "listing", "id": "l\x1b[31m"},
            "expires_at": None,
        },
    ],
    "mode": "shadow",
    "credit": {"score": 184, "tier": "watch", "since": AT, "limits": {"reserve_share": 0.1, "daily_orders": 1000}},
    "duties": [{"law": "inform", "duty": "collect", "state": "overdue", "due_at": AT}],
    "appeals": [{"decision_id": "orders-0-7-1", "due_at": AT + 1_000}],
}
CREATOR = {"creator_id": "c1", "sequence": 2, "level": "low", "as_of": AT, "enforcements": [], "mode": "live"}


def test_a_standing_in_words() -> None:
    """Everything that it holds, one thing a line; what came from outside does not speak to the terminal."""
    assert list(page(Found("merchant", "m1", STANDING, "merchant-standing"))) == [
        "merchant m1: level elevated",
        "as of 2024-01-01T00:00:00.000Z, event 1,204 (merchant-standing, shadow: not to be acted on)",
        "",
        "Credit",
        "  score: 184 of 1,000",
        "  tier: watch, since 2024-01-01T00:00:00.000Z",
        "  reserve share: 0.1",
        "  daily orders: 1,000",
        "",
        "In force",
        "  hold_payout of merchant m1, until 2024-01-02T00:00:00.000Z, waits for a person: not-received (orders-0-7-1)",
        "  remove_listing of listing l\\x1b[31m, until it is reversed: replica-terms (listings-0-9-1)",
        "",
        "Duties of the law",
        "  inform: collect, overdue by 2024-01-01T00:00:00.000Z",
        "",
        "Open appeals",
        "  orders-0-7-1, to be decided by 2024-01-01T00:00:01.000Z",
    ]


def test_what_is_not_known_is_not_low() -> None:
    """A creator without credit, and one with too few orders for a score."""
    assert list(page(Found("creator", "c1", CREATOR, "creator-standing")))[2:] == ["", "In force", "  nothing"]
    few = CREATOR | {"credit": {"score": None, "tier": "probation", "since": 0, "limits": {}}}
    assert "  score: none yet (too few orders are known, which is not a low score)" in page(
        Found("creator", "c1", few, "")
    )


# -- out of an archive ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulation."""
    path = tmp_path_factory.mktemp("standing") / "run.jsonl.zst"
    write_simulation(Simulation(SimulatorConfig.for_events(5_000, seed=3, span_days=60)), path)
    return path


def test_an_archive_gives_the_standing_that_its_run_publishes_last(archive: Path) -> None:
    """`--from` judges in memory; `--json` is the standing as it was published."""
    latest: dict[str, bytes] = {}

    class Witness:
        """Keeps the latest standings."""

        def event(self, event: object, time: int) -> None:
            """Nothing to be done."""

        def outputs(self, emits: Any, time: int) -> None:
            """Keep them."""
            latest.update({emit.key.decode(): emit.value for emit in emits if emit.stream == "standing"})

    settings = Settings()
    run_archive(read_archive(archive), evaluation_judge(settings), Witness(), seed=settings.worker.seed)
    merchant = max(latest, key=lambda one: len(latest[one]))
    result = CliRunner().invoke(main, ["standing", merchant, "--from", str(archive), "--json"])
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == json.loads(latest[merchant])
    shown = CliRunner().invoke(main, ["standing", merchant, "--from", str(archive)])
    assert shown.stdout.startswith(f"merchant {merchant}: level ")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nobody"], 1, "there is no standing of a merchant or creator 'nobody'"),
        (["nobody", "--kind", "creator"], 1, "there is no standing of creator 'nobody'"),
        ([""], 2, "an id has at least one character"),
    ],
)
def test_who_is_unknown_is_said_to_be(archive: Path, arguments: list[str], code: int, words: str) -> None:
    """Exit code 1 and words where there is no standing, 2 for what can't be meant."""
    result = CliRunner().invoke(main, ["standing", *arguments, "--from", str(archive)])
    assert result.exit_code == code
    assert words in result.stderr


def test_a_file_that_is_not_there_is_named() -> None:
    """Exit code 2."""
    result = CliRunner().invoke(main, ["standing", "m1", "--from", "nowhere.jsonl"])
    assert result.exit_code == 2
    assert "there is no file nowhere.jsonl" in result.stderr


# -- out of Kafka -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def deployment(services: EmbeddedServices) -> Deployment:
    """Topics with standings: one that was renewed, a creator's, and an id that is both."""
    found = Deployment(services.brokers, services.redis_url, f"t{uuid.uuid4().hex[:10]}-", "x", 3)
    create_topics(found.settings)
    producer = Producer(producer_config(found.settings))
    topics = found.settings.topics
    for topic, party, standing in (
        (topics.merchant_standing, "m1", STANDING | {"level": "low", "sequence": 1}),
        (topics.merchant_standing, "other", STANDING | {"merchant_id": "other"}),
        (topics.merchant_standing, "m1", STANDING),
        (topics.creator_standing, "c1", CREATOR),
        (topics.merchant_standing, "both", STANDING | {"merchant_id": "both"}),
        (topics.creator_standing, "both", CREATOR | {"creator_id": "both"}),
    ):
        producer.produce(topic, json.dumps(standing).encode(), party.encode())
    assert producer.flush(30) == 0
    return found


@pytest.fixture
def standing(deployment: Deployment) -> Run:
    """Run the command with the deployment's settings."""

    def run(*arguments: str) -> Result:
        settings = {name: value for name, value in deployment.environment().items() if name.startswith("SHOPWARDEN_")}
        return CliRunner().invoke(main, ["standing", *arguments], env=settings)

    return run


def test_the_latest_message_of_the_key_is_the_standing(standing: Run) -> None:
    """Earlier ones, and those of others in the partition, are passed over; a creator is found without being told."""
    assert json.loads(standing("m1", "--json").stdout) == STANDING
    assert json.loads(standing("c1", "--json").stdout) == CREATOR


def test_an_id_that_is_two_things_must_be_told_apart(standing: Run) -> None:
    """Exit code 2 with what to write; with it, the one that is meant."""
    result = standing("both")
    assert result.exit_code == 2
    assert "--kind merchant, --kind creator" in result.stderr
    assert json.loads(standing("both", "--kind", "creator", "--json").stdout)["creator_id"] == "both"


def test_an_unknown_id_has_no_standing(standing: Run) -> None:
    """Exit code 1, and ids are told apart by case."""
    result = standing("M1")
    assert result.exit_code == 1
    assert "there is no standing" in result.stderr


def test_a_deployment_without_topics_is_told(services: EmbeddedServices) -> None:
    """Exit code 1, naming the topic that is missing."""
    absent = Deployment(services.brokers, services.redis_url, "absent-", "x", 1)
    settings = {name: value for name, value in absent.environment().items() if name.startswith("SHOPWARDEN_")}
    result = CliRunner().invoke(main, ["standing", "m1"], env=settings)
    assert result.exit_code == 1
    assert "absent-x-merchant_standing" in result.stderr
