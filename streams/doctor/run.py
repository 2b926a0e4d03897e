"""All checks together."""

from config.settings import Settings
from streams.doctor.findings import Finding, run_checks
from streams.doctor.kafka import check_kafka
from streams.doctor.local import check_packages, check_policies, check_pseudonym_key, check_settings
from streams.doctor.redis import check_redis


def diagnose(settings: Settings, origins: dict[str, str], timeout_s: float = 5) -> list[Finding]:
    """Everything the doctor looks at. ``timeout_s`` bounds each question to a server, four times it the whole."""
    return run_checks(
        [
            ("settings", lambda: check_settings(settings, origins)),
            ("pseudonyms", lambda: check_pseudonym_key(settings)),
            ("policies", lambda: check_policies(settings)),
            ("packages", check_packages),
            ("kafka", lambda: check_kafka(settings, timeout_s)),
            ("redis", lambda: check_redis(settings, timeout_s)),
        ],
        deadline_s=4 * timeout_s,
    )
