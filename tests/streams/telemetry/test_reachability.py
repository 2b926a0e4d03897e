"""Whether services can be reached."""

from config.settings import load_settings
from streams.embedded import LOOPBACK, EmbeddedServices, free_port
from streams.telemetry.reachability import Reachability, looks_of


def test_what_does_not_answer_is_away() -> None:
    """As of the last look; nothing is away before the first."""
    answers = {"Kafka": True, "Redis": False}
    reachability = Reachability({name: lambda name=name: answers[name] for name in answers}, 10)  # type: ignore[misc]
    assert reachability.away() == []
    reachability.look()
    assert reachability.away() == ["Redis"]
    answers["Redis"] = True
    reachability.look()
    assert reachability.away() == []


def test_services_that_are_there_answer(services: EmbeddedServices, topic_prefix: str) -> None:
    """A topic that is not there is no reason to take Kafka for away."""
    settings = load_settings(
        kafka={"brokers": services.brokers}, redis={"url": services.redis_url}, topics={"prefix": topic_prefix}
    )
    assert {name: look() for name, look in looks_of(settings).items()} == {"Kafka": True, "Redis": True}


def test_services_that_are_not_there_do_not() -> None:
    """Nobody listens: false, and no error."""
    port = free_port()
    settings = load_settings(
        kafka={"brokers": f"{LOOPBACK}:{port}"},
        redis={"url": f"redis://{LOOPBACK}:{port}/0", "retries": 0, "connect_timeout_s": 1},
    )
    assert {name: look() for name, look in looks_of(settings).items()} == {"Kafka": False, "Redis": False}
