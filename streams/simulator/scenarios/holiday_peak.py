"""Holiday peak: for some days all of the marketplace sells more, as before a feast or on a day of offers."""

from streams.simulator.scenarios.base import Scenario

#: The larger half of the merchants have enough orders to be told from their usual.
_NOTICEABLE = 0.5


class HolidayPeak(Scenario):
    """Demand of everybody doubles and more; whoever takes each burst for a bust-out accuses everybody at once."""

    name = "holiday_peak"

    def stage(self) -> None:
        """Plan one peak."""
        world = self.world
        start = self.onset(0.4, 0.8)
        until = start + self.days(4, 7)
        world.peaks.append((start, until, 1 + 1.2 * self.intensity * self.random.uniform(0.8, 1.2)))
        ranked = sorted(world.honest, key=lambda merchant: merchant.weight)
        for merchant in ranked[int(len(ranked) * _NOTICEABLE) :]:
            if merchant.opens < start:
                self.episode.join(merchant.id, start)
