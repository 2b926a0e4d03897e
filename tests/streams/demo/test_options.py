"""What was asked for, and the settings that follow."""

from pathlib import Path

import pytest

from config.settings import load_settings
from streams.demo.options import DemoOptions, demo_settings, demo_values, worker_environment


def options(**given: object) -> DemoOptions:
    """Options of a short demo."""
    asked: dict[str, object] = {"duration": 10.0, "rate": 1000.0, "seed": 7, "partitions": 3, **given}
    return DemoOptions(**asked)  # type: ignore[arg-type]


def test_marketplace_fills_the_time() -> None:
    """Duration times rate events of 90 days are simulated, with every attack among them."""
    config = options(duration=30.0, rate=2000.0).marketplace()
    assert config.span_days == 90
    assert all(
        plan.count > 0
        for name, plan in config.plans().items()
        if name in ("bust_out", "counterfeit", "fake_tracking", "brushing")
    )
    assert config == options(duration=60.0, rate=1000.0).marketplace()


def test_too_few_events_are_refused() -> None:
    """A demo too short for a marketplace with attacks says so, and what to do."""
    with pytest.raises(ValueError, match=r"10 s at 100 events/s are 1,000 events.*at least 5,000; play longer"):
        options(rate=100.0)


def test_worker_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the worker finds in its environment are the settings of the demo, and nothing that the user had set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOPWARDEN_KAFKA__BROKERS", "production:9092")
    monkeypatch.setenv("SHOPWARDEN_WORKER__AUDIT_RATE", "1")
    monkeypatch.setenv("UNRELATED", "kept")
    values = demo_values(options(policies=tmp_path), "127.0.0.1:1234", "redis://127.0.0.1:5678/0")
    environment = worker_environment(values)
    assert environment["UNRELATED"] == "kept"
    for name in ("SHOPWARDEN_KAFKA__BROKERS", "SHOPWARDEN_WORKER__AUDIT_RATE"):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings == demo_settings(values)
    assert settings.kafka.brokers == "127.0.0.1:1234"
    assert settings.worker.audit_rate != 1
    assert settings.topics.partitions == 3
    assert settings.policies_path == tmp_path


def test_every_demo_has_its_own_key() -> None:
    """No pseudonym key is used twice, and none is in the source."""
    first, second = (demo_values(options(), "h:1", "redis://h:1/0")["pseudonym_key"] for _ in range(2))
    assert first != second
    assert len(first) == 64
