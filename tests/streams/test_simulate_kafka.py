import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from click.testing import CliRunner
from confluent_kafka import Message

from config.settings import Settings, load_settings
from streams.clients import kafka_config
from streams.commands.simulate import command
from streams.embedded import EmbeddedServices
from streams.reading import TopicReader, read_to_end
from streams.simulator import Simulation, SimulatorConfig, read_truth
from streams.topics import create_topics

END = "2025-12-01"


@pytest.fixture
def settings(
    services: EmbeddedServices, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Settings:
    """Settings with topics of this test's own on the embedded broker, in the environment too."""
    monkeypatch.chdir(tmp_path)
    for name, value in services.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SHOPWARDEN_TOPICS__PREFIX", topic_prefix)
    monkeypatch.setenv("SHOPWARDEN_TOPICS__PARTITIONS", "3")
    settings = load_settings()
    create_topics(settings)
    return settings


def _read(settings: Settings) -> list[Message]:
    with TopicReader(kafka_config(settings), settings.topics.inputs) as reader:
        return list(read_to_end(reader))


def test_the_stream_gets_into_the_topics_with_its_times(settings: Settings) -> None:
    """Every record arrives once, with key and time, in order per merchant, a merchant's on one partition number."""
    result = CliRunner().invoke(command, ["--to", "kafka", "--events", "5000", "--end", END, "--rate", "5000"])
    assert result.exit_code == 0, result.output
    expected = list(Simulation(SimulatorConfig.for_events(5000, end=1_764_547_200_000)))
    messages = _read(settings)
    prefix = settings.topics.prefix
    assert sorted((m.topic(), m.key(), m.value(), m.timestamp()[1]) for m in messages) == sorted(
        (prefix + r.topic, r.key, r.value, r.timestamp) for r in expected
    )
    partitions = defaultdict(set)
    last: dict[tuple[str | None, bytes], int] = {}
    for message in messages:
        key = message.key()
        assert isinstance(key, bytes)
        partitions[key].add(message.partition())
        assert last.get((message.topic(), key), 0) <= message.timestamp()[1]
        last[message.topic(), key] = message.timestamp()[1]
    assert {len(found) for found in partitions.values()} == {1}


def test_live_sends_the_history_and_goes_on_until_it_is_stopped(settings: Settings, tmp_path: Path) -> None:
    """The history ends at the present; SIGTERM ends it with exit code 0, everything confirmed and the truth written."""
    truth = tmp_path / "live.truth.json"
    options = ["--to", "kafka", "--live", "--rate", "0.005", "--truth", str(truth)]
    before = time.time()
    process = subprocess.Popen(
        [sys.executable, "-c", "from streams.cli import main; main()", "simulate", *options],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        count = -1
        while len(found := _read(settings)) != count or not count:  # the history is there when no more comes
            count = len(found)
            time.sleep(1.5)
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, output = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, output
    messages = _read(settings)
    assert f"stopped; {len(messages):,} records delivered" in output
    times = [message.timestamp()[1] / 1000 for message in messages]
    assert before - 31 * 86_400 < min(times) < before - 29 * 86_400
    assert before - 86_400 / 4 < max(times) <= time.time()
    assert read_truth(truth).attacks["bust_out"].orders > 0


def test_missing_topics_are_named(services: EmbeddedServices, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without topics the command fails, with exit code 1, and says how to make them."""
    for name, value in services.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SHOPWARDEN_TOPICS__PREFIX", "nowhere-")
    result = CliRunner().invoke(command, ["--to", "kafka", "--events", "5000"])
    assert result.exit_code == 1
    assert "shopwarden topics create" in result.output
