"""What a merchant's account holds, as hashed values: bank, address, phone, e-mail and device."""

from random import Random
from typing import Final, Literal, TypeAlias

from features.events import MerchantAccountChanged
from streams.simulator.shop import Merchant
from streams.simulator.world import World

Detail: TypeAlias = Literal["bank", "address", "phone", "email", "owner", "device"]
#: What every account is opened with.
DETAILS: Final[tuple[Detail, ...]] = ("bank", "address", "phone", "email", "device")


class Accounts:
    """Puts what accounts hold, and its changes, into the stream."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random

    def set_up(self, merchant: Merchant, time: int, within: int) -> None:
        """Tell of what a new account holds, in the ``within`` ms after ``time``."""
        for what in DETAILS:
            if what not in merchant.account:
                merchant.account[what] = self.new_value(what)
            self._put(merchant, time + 1 + int(self._random.random() * within), what)

    def change(self, merchant: Merchant, time: int, what: Detail, value: str | None = None) -> None:
        """Change one detail, to a value of its own if none is given."""
        merchant.account[what] = value or self.new_value(what)
        self._put(merchant, time, what)

    def new_value(self, what: Detail) -> str:
        """A value that nobody has yet; devices have the ids that orders name them by."""
        return self._world.new_device() if what == "device" else self._world.new_account_value()

    def _put(self, merchant: Merchant, time: int, what: Detail) -> None:
        self._world.put(
            "merchants",
            merchant.key,
            MerchantAccountChanged(
                event_id=f"{self._random.getrandbits(64):016x}",
                occurred_at=time,
                merchant_id=merchant.id,
                what=what,
                value_hash=merchant.account[what],
            ),
        )
