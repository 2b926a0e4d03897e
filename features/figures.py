"""Counts that shards share: what one has counted since it last told the others.

Sums alone travel, so a message costs as much as there were segments with anything new, however many orders. They are
counted at the time of the message: half-lives are weeks, and messages come every hour of event time.
"""

from msgspec import Struct, field


class Tally(Struct, array_like=True):
    """What a shard counted lately.

    Attributes
    ----------
    segments
        Segment -> orders whose outcome became known, and those of them that came late.
    durations
        Route or region (empty: all) -> finished deliveries, and the sum of their log days.
    placed, finished
        Orders placed, and orders under way no longer.
    priors
        Rate -> what was added to its moments: orders, defects, and pairs of each.
    """

    segments: dict[str, list[int]] = field(default_factory=dict)
    durations: dict[str, list[float]] = field(default_factory=dict)
    placed: int = 0
    finished: int = 0
    priors: dict[str, list[int]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.segments or self.durations or self.placed or self.finished or self.priors)

    def outcome(self, segment: str, late: bool) -> None:
        """Count an order's lateness."""
        counted = self.segments.get(segment)
        if counted is None:
            self.segments[segment] = [1, int(late)]
        else:
            counted[0] += 1
            counted[1] += late

    def duration(self, route: str, log_days: float) -> None:
        """Count a finished delivery."""
        counted = self.durations.get(route)
        if counted is None:
            self.durations[route] = [1.0, log_days]
        else:
            counted[0] += 1.0
            counted[1] += log_days

    def moments(self, rate: str, added: tuple[int, int, int, int]) -> None:
        """Count what was added to a rate's moments."""
        counted = self.priors.get(rate)
        if counted is None:
            self.priors[rate] = list(added)
        else:
            for index, each in enumerate(added):
                counted[index] += each
