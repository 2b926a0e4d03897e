"""What all parts of a simulation share: time, the stream, the merchants, the truth."""

from random import Random

from features.currencies import Currency
from streams.simulator.config import SimulatorConfig
from streams.simulator.ids import IdMaker, opaque
from streams.simulator.plans import ATTACK_NAMES, CREATOR_NAMES, GAMING_NAMES, HARD_NEGATIVE_NAMES
from streams.simulator.products import Makers
from streams.simulator.schedule import Action, Schedule
from streams.simulator.shop import Merchant, OrderWatch
from streams.simulator.truth import Episode, GroundTruth


class Strike:
    """A carrier that hardly works between ``start`` and ``until`` (ms): ``delay`` is the longest extra time, ms.

    ``on_parcel`` is told of the merchant and the order's time for every parcel that is caught in it.
    """

    __slots__ = ("carrier", "delay", "on_parcel", "start", "until")

    def __init__(self, carrier: str, start: int, until: int, delay: int, on_parcel: OrderWatch) -> None:
        self.on_parcel = on_parcel
        self.carrier = carrier
        self.start = start
        self.until = until
        self.delay = delay


class World:
    """Time, stream, merchants and truth of one simulation."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.start = config.start
        self.end = config.end
        self.currency: Currency = config.currency  # type: ignore[assignment]  # checked by the configuration
        self.schedule = Schedule(config.start, config.end)
        self.put = self.schedule.put
        salts = self.random("ids")
        self.new_merchant_id = IdMaker(salts.getrandbits(64))
        self.new_listing_id = IdMaker(salts.getrandbits(64))
        self.new_creator_id = IdMaker(salts.getrandbits(64))
        self.new_order_id = IdMaker(salts.getrandbits(64))
        self.buyer_salt = salts.getrandbits(64)
        self.device_salt = salts.getrandbits(64)
        self.new_account_value = IdMaker(salts.getrandbits(64))
        self.makers = Makers(self.random("makers"))
        #: Number of ordinary buyers; attackers' own buyers have higher numbers.
        self.buyers = max(50, int(config.orders_per_day * config.span_days / 2.5))
        self._outsiders = self.buyers
        self.honest: list[Merchant] = []
        self.attackers: list[Merchant] = []
        self.creators = [self.new_creator_id() for _ in range(max(3, config.merchants // 8))]
        #: Ids of honest merchants that have their part in a scenario; nobody has two.
        self.involved: set[str] = set()
        self.strikes: list[Strike] = []
        #: Times (ms) between which all demand is a multiple of the usual.
        self.peaks: list[tuple[int, int, float]] = []
        self.truth = GroundTruth(
            seed=config.seed,
            start=config.start,
            end=config.end,
            attacks={name: Episode() for name in ATTACK_NAMES if config.plans()[name].count},
            hard_negatives={name: Episode() for name in HARD_NEGATIVE_NAMES if config.plans()[name].count},
            gaming={name: Episode() for name in GAMING_NAMES if config.plans()[name].count},
            promotions={name: Episode() for name in CREATOR_NAMES if config.plans()[name].count},
            merchants=config.merchants,
            honest_merchants=config.merchants - config.attackers,
        )

    def random(self, name: str) -> Random:
        """Random numbers for one part, so that switching off another doesn't change them."""
        return Random(f"{self.config.seed}/{name}")

    def at(self, time: int, action: Action) -> None:
        """Call ``action(time)`` when its time has come."""
        self.schedule.at(time, action)

    def outsiders(self, count: int) -> list[int]:
        """Numbers of new buyers who belong to no ordinary demand."""
        first = self._outsiders
        self._outsiders += count
        return list(range(first, first + count))

    def device(self, buyer: int) -> str:
        """The device that a buyer orders from. Half of all live in households of two or three that share one."""
        place = buyer % 10
        head = buyer - (0 if place > 4 else place % 2 if place < 2 else place - 2)
        return opaque(head, self.device_salt)

    def new_device(self) -> str:
        """A device that nobody has ordered from."""
        return opaque(self.outsiders(1)[0], self.device_salt)

    def moment(self, random: Random, low: float, high: float) -> int:
        """A random time between two shares (0..1) of the span, ms."""
        return self.start + int((self.end - self.start) * random.uniform(low, high))
