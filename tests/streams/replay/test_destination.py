from pathlib import Path

import pytest
from click.testing import CliRunner

from config.settings import Settings, SettingsError, load_settings
from config.topics import REPLAY_PREFIX, TopicSettings
from streams.commands.replay import command
from streams.replay.destination import DestinationError, ReplayFile, ReplayTopics, parse_destination

LIVE = [str(TopicSettings.model_fields[topic].default) for topic in TopicSettings.NAMES]


@pytest.mark.parametrize("name", [*LIVE, "eu.governance-events", "", "Replay-x", " replay-x"])
def test_live_names(name: str) -> None:
    """No name of a live topic, nor any other that is not a replay's, can be made a destination."""
    with pytest.raises(DestinationError, match="begin with 'replay-'"):
        ReplayTopics(name)


@pytest.mark.parametrize("name", ["replay-", "replay-a/b", "replay-ä", "replay-" + "x" * 300])
def test_impossible_names(name: str) -> None:
    """Names that Kafka would refuse are refused at once."""
    with pytest.raises(DestinationError, match="no name of a replay's topics"):
        ReplayTopics(name)


@pytest.mark.parametrize("topic", TopicSettings.NAMES)
def test_no_live_topic_of_that_kind(topic: str) -> None:
    """No topic of a deployment can be called as those of replays, nor by a prefix for all."""
    with pytest.raises(ValueError, match="those of replays"):
        TopicSettings(**{topic: f"{REPLAY_PREFIX}x.governance-events"})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="those of replays"):
        TopicSettings(prefix=REPLAY_PREFIX)


def test_by_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that would make a replay's topic the live one is refused, for the worker as for the replay."""
    monkeypatch.setenv("SHOPWARDEN_TOPICS__EVENTS", "replay-x.governance-events")
    with pytest.raises(SettingsError, match="those of replays"):
        load_settings()
    found = CliRunner().invoke(command, ["--out", "kafka:replay-x"])
    assert found.exit_code == 2
    assert "those of replays" in found.output


def test_by_file(tmp_path: Path) -> None:
    """So is a file of settings."""
    config = tmp_path / "shopwarden.toml"
    config.write_text('[topics]\nevents = "replay-x.governance-events"\n', encoding="utf-8")
    found = CliRunner().invoke(command, ["--config", str(config), "--out", "kafka:replay-x"])
    assert found.exit_code == 2
    assert "those of replays" in found.output


@pytest.mark.parametrize("name", LIVE)
def test_by_option(name: str, archive: Path) -> None:
    """An option that names a live topic is refused before anything is read or sent."""
    found = CliRunner().invoke(command, [str(archive), "--out", f"kafka:{name}"])
    assert found.exit_code == 2
    assert "begin with 'replay-'" in found.output


def test_renamed_deployment(archive: Path) -> None:
    """A deployment with names of its own makes no difference: its topics are no replay's either."""
    environment = {"SHOPWARDEN_TOPICS__EVENTS": "acts", "SHOPWARDEN_TOPICS__PREFIX": "eu."}
    for name in ("eu.acts", "acts", "governance-events"):
        found = CliRunner().invoke(command, [str(archive), "--out", f"kafka:{name}"], env=environment)
        assert found.exit_code == 2


@pytest.mark.parametrize("option", ["--namespace", "--mode", "--redis", "--group", "--worker.namespace"])
def test_no_such_options(option: str, archive: Path) -> None:
    """There is no option for a namespace, a mode or a store."""
    found = CliRunner().invoke(command, [str(archive), option, "live"])
    assert found.exit_code == 2
    assert "No such option" in found.output


def test_file(tmp_path: Path) -> None:
    """A file is an archive that does not exist yet, unless it may be replaced."""
    path = tmp_path / "out.jsonl"
    assert parse_destination(str(path), overwrite=False) == ReplayFile(path, overwrite=False)
    path.touch()
    with pytest.raises(DestinationError, match="exists already"):
        parse_destination(str(path), overwrite=False)
    with pytest.raises(DestinationError, match=r"NAME\.jsonl"):
        parse_destination(str(tmp_path / "out.csv"), overwrite=False)


def test_mode_of_the_settings(archive: Path, settings: Settings) -> None:
    """Whatever mode the settings have, a replay's judge has its own."""
    from streams.replay.shard_run import replay_judge

    live = settings.model_copy(update={"worker": settings.worker.model_copy(update={"mode": "live"})})
    assert replay_judge(live, 1).settings.mode == "replay"
