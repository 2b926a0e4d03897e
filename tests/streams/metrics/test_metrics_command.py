"""``shopwarden metrics``: the topics' days as estimates, once each, the same bytes whoever reads them."""

import uuid
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from config.settings import Settings, load_settings
from features.contract_schema import json_schema
from streams.archive import read_archive, write_archive
from streams.cli import main
from streams.clients import kafka_config, producer_config
from streams.embedded import EmbeddedServices
from streams.producing import ArchiveProducer, produce
from streams.reading import TopicReader, read_to_end
from streams.recording import headers_of
from streams.topic_names import deployed_names
from streams.topics import create_topics

#: Enough for some weeks.
RECORDS = 1_500


@pytest.fixture(scope="module")
def settings(services: EmbeddedServices, marketplace: Path) -> Settings:
    """Topics with some weeks of the marketplace, in two partitions."""
    prefix = f"m{uuid.uuid4().hex[:10]}-"
    found = load_settings(kafka={"brokers": services.brokers}, topics={"partitions": 2, "prefix": prefix})
    create_topics(found)
    producer = ArchiveProducer(producer_config(found), names=deployed_names(found.topics))
    report = produce(islice(read_archive(marketplace), RECORDS), producer)
    assert (report.delivered, report.failed) == (RECORDS, 0)
    return found


def run(settings: Settings, *arguments: str) -> Result:
    """Run the command in the settings' deployment."""
    return CliRunner().invoke(main, ["metrics", *arguments], env=_environment(settings))


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "SHOPWARDEN_KAFKA__BROKERS": settings.kafka.brokers,
        "SHOPWARDEN_TOPICS__PREFIX": settings.topics.prefix,
    }


def published(settings: Settings) -> list[tuple[str, bytes]]:
    """Ids and bodies in the topic of metrics, in order."""
    with TopicReader(kafka_config(settings), [settings.topics.metrics]) as reader:
        return [
            ((dict(headers_of(message))["ce_id"] or b"").decode(), message.value() or b"")
            for message in read_to_end(reader)
        ]


@pytest.mark.broker
def test_a_report_of_the_topics_says_what_one_of_an_archive_says(
    settings: Settings, marketplace: Path, tmp_path: Path
) -> None:
    """Of the same records, whatever partitions they came through."""
    part = tmp_path / "part.jsonl"
    with write_archive(part) as archive:
        for record in islice(read_archive(marketplace), RECORDS):
            archive.write(record)
    estimates = []
    for number, archives in enumerate(([], [str(part)])):
        out = tmp_path / str(number)
        result = CliRunner().invoke(main, ["report", *archives, "--out", str(out)], env=_environment(settings))
        assert result.exit_code == 0, result.output
        estimates.append(msgspec.json.decode((out / "scorecard.json").read_bytes())["estimates"])
    assert estimates[0] == estimates[1]


@pytest.mark.broker
def test_each_day_is_published_once_and_a_replay_gives_the_same_bytes(settings: Settings) -> None:
    """A second run adds nothing; one that reads the topics anew says the same, byte for byte and in the same order."""
    first = run(settings)
    assert first.exit_code == 0, first.output
    found = published(settings)
    assert len({identifier for identifier, _ in found}) == len(found) > 500
    schema = {**json_schema(), "$ref": "#/$defs/shopwarden.metric.estimated.v1"}
    validator = Draft202012Validator(schema)
    for _, value in found[:: len(found) // 50]:
        validator.validate(msgspec.json.decode(value))
    again = run(settings)
    assert again.exit_code == 0, again.output
    assert "0 estimates were published" in again.stderr
    assert published(settings) == found
    anew = run(settings, "--dry-run")
    assert [line.encode() for line in anew.stdout.splitlines()] == [value for _, value in found]
