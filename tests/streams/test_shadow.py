"""A shadow can touch nothing that is live, and says of itself what it is."""

from collections import Counter
from pathlib import Path

import msgspec
import orjson
import pytest
from click.testing import CliRunner

from config.settings import Settings
from config.topics import TopicSettings
from features.outputs import LEVELS
from streams.cli import main
from streams.local_process import LocalProcess
from streams.shadow import ShadowError, shadow_of
from streams.topics import create_topics
from tests.deployment import Deployment
from tests.fed import ends_of, feed
from tests.streams.policies.published import in_shadow
from tests.streams.policies.test_live_policies import folder_of, thirds
from tests.worker_process import COMMAND, Worker

PARTITIONS = 2


@pytest.mark.parametrize("prefix", ["", "eu."])
def test_nothing_is_shared_but_the_input(prefix: str) -> None:
    """Inputs have the live names; group, namespace and every other topic have names that nothing live has."""
    live = Settings(topics=TopicSettings(prefix=prefix))
    shadow = shadow_of(live, "mild", Path("mine")).settings
    assert shadow.worker.mode == "shadow"
    assert shadow.policies_path == Path("mine")
    assert shadow.topics.inputs == live.topics.inputs
    others = [field for field in TopicSettings.NAMES if field not in TopicSettings.INPUTS]
    names = {shadow.topics.name(field) for field in others}
    assert len(names) == len(others)
    assert names.isdisjoint(live.topics.name(field) for field in TopicSettings.NAMES)
    assert all(name.startswith("shadow-mild-") for name in names)
    assert shadow.worker.group_id == f"shadow-mild-{live.worker.group_id}"
    assert shadow.worker.namespace == f"shadow-mild-{live.worker.namespace}"


@pytest.mark.parametrize("name", ["", "-a", "A", "a_b", "a" * 32, "a.b", "a b"])
def test_names(name: str) -> None:
    """A name becomes part of topics' names and of keys, so it is short and plain."""
    with pytest.raises(ShadowError, match="cannot be a name"):
        shadow_of(Settings(), name)


def test_a_shadow_has_no_shadow() -> None:
    """Settings of a shadow are not those of the live deployment."""
    with pytest.raises(ShadowError, match="of a shadow already"):
        shadow_of(shadow_of(Settings(), "one").settings, "two")


def commonest_rule(deployment: Deployment) -> str:
    """The rule by which most was decided."""
    events = (orjson.loads(message.value() or b"") for message in deployment.read(deployment.settings.topics.events))
    rules = Counter(str(each["policy"]["id"]) for each in events if "action" in each)
    return rules.most_common(1)[0][0]


@pytest.mark.timeout(400)
def test_beside_the_live_worker(any_broker: str, redis_db: str, topic_prefix: str, tmp_path: Path) -> None:
    """A live worker and a shadow with another set read the same input. What is live stays as it would be alone; the
    comparison names what the shadow would not have done.
    """
    deployment = Deployment(
        any_broker, redis_db, topic_prefix, "live", PARTITIONS, {"publish_level": LEVELS[0], "holdout_rate": 0.0}
    )
    create_topics(deployment.settings)
    fed = feed(deployment, [record for part in thirds() for record in part])
    with Worker(deployment, tmp_path) as worker:
        worker.until_checkpointed(ends_of(fed))
        assert worker.stop() == 0
    before, keys = deployment.outputs(), deployment.shards()
    rule = commonest_rule(deployment)
    milder = folder_of(tmp_path / "milder", in_shadow(rule))

    shadow = Deployment(any_broker, redis_db, topic_prefix, "live", PARTITIONS)
    vars(shadow)["settings"] = shadow_of(deployment.settings, "mild", milder).settings
    process = LocalProcess("shadow", tmp_path / "shadow")
    process.start([*COMMAND[:-1], "shadow", "run", "mild", str(milder)], deployment.environment())
    try:
        following = Worker(shadow, tmp_path, "unused")
        following._process = process
        following.until_checkpointed(ends_of(fed))
        assert following.stop() == 0
    finally:
        process.end()
    content = [(message.topic(), message.partition(), message.offset(), message.value()) for message in before]
    assert [(m.topic(), m.partition(), m.offset(), m.value()) for m in deployment.outputs()] == content
    assert deployment.shards() == keys
    outputs = [orjson.loads(message.value() or b"") for message in shadow.read(shadow.settings.topics.events)]
    assert len(outputs) > 100
    assert {each["mode"] for each in outputs if "mode" in each} == {"shadow"}

    result = CliRunner().invoke(
        main,
        ["shadow", "compare", "mild", "--policies", str(milder), "--json", str(tmp_path / "c.json")],
        env=deployment.environment(),
    )
    assert result.exit_code == 0, result.output
    found = msgspec.json.decode((tmp_path / "c.json").read_bytes())
    assert found["outcomes"]["equal"] > 20
    (group,) = [each for each in found["rules"] if each["name"] == rule]
    assert (group["baseline"] > 1, group["candidate"]) == (True, 0)
    causes = {line["cause"] for each in found["touched"] for line in each["lines"]}
    assert f"in the candidate the rule {rule} is in shadow" in causes

    # Followed, it comes to the same, tells each difference once, and goes on with what is decided meanwhile.
    words = ["shadow", "compare", "mild", "--policies", str(milder), "--follow", "--every", "1", "--duration", "2"]
    followed = CliRunner().invoke(main, [*words, "--json", str(tmp_path / "f.json")], env=deployment.environment())
    assert followed.exit_code == 0, followed.output
    told = msgspec.json.decode((tmp_path / "f.json").read_bytes())["outcomes"]
    lines = followed.stdout.splitlines()
    assert sum(f"by {rule} (in the candidate the rule {rule} is in shadow)" in line for line in lines) >= 1
    assert lines[-1].endswith(", ".join(f"{count:,} {name}" for name, count in told.items()))
    assert told["equal"] > 20
    assert len(lines) == len(set(lines))
