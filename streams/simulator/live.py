"""A marketplace that goes on now: a history up to the present at once, then every event when its time has come."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from streams.simulator.config import HOLIDAY_DAYS, SimulatorConfig, staged_events
from streams.simulator.plans import Plan, attackers_of, default_counts
from streams.simulator.schedule import SimulatedRecord

#: Days that a live simulation goes on after its history.
LIVE_DAYS: Final = 365.0
#: Events that an order brings in the long run, those of listings and merchants included.
_EVENTS_PER_ORDER: Final = 8.1
_ORDERS_PER_MERCHANT_PER_DAY: Final = 0.52
#: Longest wait between two looks at whether to stop.
_WAIT_SECONDS: Final = 0.25


def live_config(rate: float, *, history_days: float, now: int, seed: int) -> SimulatorConfig:
    """A marketplace with ``rate`` events a second on average, ``history_days`` before ``now`` (ms) and a year after it.

    Attacks and honest trouble happen anew in every stretch of the length of the history.

    Raises
    ------
    ValueError
        The history is shorter than 21 days, or the rate leaves no marketplace.
    """
    orders_per_day = rate * 86_400 / _EVENTS_PER_ORDER
    if not history_days > 0:
        raise ValueError(f"the history must have at least 21 days, not {history_days:g}")
    seasons = 1 + max(1, round(LIVE_DAYS / history_days))
    merchants = max(20, round(orders_per_day / _ORDERS_PER_MERCHANT_PER_DAY))
    # Each stretch has a quarter of what a marketplace of 90 days would have, as shops are not replaced.
    counts = default_counts(max(4, round(merchants * history_days / 360)))
    attackers = seasons * sum(attackers_of(name, count) for name, count in counts.items())
    events_per_day = rate * 86_400
    staged, intensity = staged_events(counts, events_per_day * history_days)
    orders_per_day = (events_per_day - staged / history_days) / _EVENTS_PER_ORDER
    orders_per_day /= 1 + counts["holiday_peak"] * intensity * HOLIDAY_DAYS / history_days
    plans = {name: Plan(count, intensity) for name, count in counts.items()}
    return SimulatorConfig(
        seed=seed,
        merchants=merchants + attackers,
        orders_per_day=orders_per_day,
        span_days=history_days * seasons,
        seasons=seasons,
        end=now + int(history_days * (seasons - 1) * 86_400_000),
        **plans,  # type: ignore[arg-type]
    )


def run_live(
    records: Iterable[SimulatedRecord],
    send: Callable[[SimulatedRecord], None],
    wait: Callable[[float], None],
    *,
    stopped: Callable[[], bool],
    clock: Callable[[], float] = time.time,
) -> int:
    """Send each record when its time has come, at once if that is past; returns their number.

    ``wait(seconds)`` passes the time until the next one; ``stopped`` is asked at least four times a second; ``clock``
    gives seconds since the epoch.
    """
    count = 0
    for record in records:
        while (ahead := record.timestamp / 1000 - clock()) > 0 and not stopped():
            wait(min(ahead, _WAIT_SECONDS))
        if stopped():
            break
        send(record)
        count += 1
    return count
