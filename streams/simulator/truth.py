"""Ground truth of a simulation: which merchants attacked, and which honest ones only looked like it.

The file holds two views of it: episodes, as the simulator knows them, and labels for whoever scores an archive of
events (:mod:`streams.evaluation.truth`), ``{"merchants": {id: {"pattern", "start_ms"}}, "honest": [ids], "listings":
{id: pattern}, "traps": {name: [ids]}}``. Before 0.2 a file had episodes alone, and ``merchants`` was the number of
merchants.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from streams.simulator.plans import CREATOR_PATTERNS


class Episode(Struct, kw_only=True, forbid_unknown_fields=True):
    """All occurrences of one scenario.

    ``orders``: number of orders that belong to it. ``start``/``until``: first onset and last effect, ms (``from`` and
    ``until`` in the file). ``onsets``: when each merchant's part began, ms.
    """

    merchants: list[str] = field(default_factory=list)
    orders: int = 0
    start: int = field(default=0, name="from")
    until: int = 0
    onsets: dict[str, int] = field(default_factory=dict)

    def join(self, merchant_id: str, onset: int) -> None:
        """Add a merchant whose part begins at ``onset``."""
        if merchant_id in self.onsets:
            onset = min(onset, self.onsets[merchant_id])
        else:
            self.merchants.append(merchant_id)
        self.onsets[merchant_id] = onset
        self.start = min(self.onsets.values()) if self.start else onset
        self.until = max(self.until, onset)

    def count_order(self, time: int) -> None:
        """Count an order placed at ``time``."""
        self.orders += 1
        self.until = max(self.until, time)


class CreatorLabel(Struct, frozen=True):
    """What a malicious creator does, and from when, ms."""

    pattern: str
    start_ms: int


class GroundTruth(Struct, kw_only=True):
    """What was simulated.

    ``start`` and ``end`` in ms. ``merchants`` counts all (``merchant_count`` in the file), ``honest_merchants`` the
    honest ones; ``honest`` names them. ``listings`` has the pattern of each listing that breaks a rule, ``buyers`` that
    of each buyer who abuses refunds (ids as in the orders), ``also`` what else than its attack may rightly be said of a
    merchant. ``gaming``: shops of bad service that play tricks to be seen to do well, neither malicious nor honest.
    ``promotions``: malicious shops that a creator drives orders to; ``creators``: the malicious creators,
    ``creator_traps`` the honest ones by the trouble they were in, who are among ``honest_creators``.
    """

    seed: int
    start: int
    end: int
    attacks: dict[str, Episode]
    hard_negatives: dict[str, Episode]
    merchants: int = field(name="merchant_count")
    honest_merchants: int
    honest: list[str] = field(default_factory=list)
    listings: dict[str, str] = field(default_factory=dict)
    buyers: dict[str, str] = field(default_factory=dict)
    also: dict[str, list[str]] = field(default_factory=dict)
    gaming: dict[str, Episode] = field(default_factory=dict)
    promotions: dict[str, Episode] = field(default_factory=dict)
    creators: dict[str, CreatorLabel] = field(default_factory=dict)
    creator_traps: dict[str, list[str]] = field(default_factory=dict)
    honest_creators: list[str] = field(default_factory=list)

    def attackers(self) -> dict[str, str]:
        """The attack of each malicious merchant, by merchant id."""
        return {merchant: name for name, episode in self._malicious() for merchant in episode.merchants}

    def label_creator(self, creator: str, pattern: str, onset: int, *, honest: bool = False) -> None:
        """Name a creator that has its part in a pattern from ``onset`` (ms) on."""
        if honest:
            self.creator_traps.setdefault(pattern, []).append(creator)
            self.honest_creators.append(creator)
        else:
            self.creators[creator] = CreatorLabel(pattern, onset)

    def _malicious(self) -> Iterator[tuple[str, Episode]]:
        """Episodes of malicious merchants, with the attack that each is."""
        yield from self.attacks.items()
        for name, episode in self.promotions.items():
            yield CREATOR_PATTERNS[name], episode

    def traps(self) -> dict[str, list[str]]:
        """Honest merchants by the trouble they were in."""
        return {name: episode.merchants for name, episode in self.hard_negatives.items()}

    def labels(self) -> dict[str, dict[str, Any]]:
        """Pattern and start (ms) of each malicious merchant, by its id."""
        return {
            merchant: {"pattern": name, "start_ms": onset}
            | ({"also": self.also[merchant]} if merchant in self.also else {})
            for name, episode in self._malicious()
            for merchant, onset in episode.onsets.items()
        }


class TruthError(Exception):
    """A truth file that cannot be read or written; the message names the file."""


def truth_path(archive: Path) -> Path:
    """Where the truth of an archive stands: ``NAME.truth.json`` beside ``NAME.jsonl.zst`` or whatever kind it is."""
    name = archive.name.removesuffix(".zst").removesuffix(".jsonl").removesuffix(".json").removesuffix(".parquet")
    return archive.with_name(f"{name}.truth.json")


def write_truth(path: Path, truth: GroundTruth) -> None:
    """Write the truth as JSON.

    Raises
    ------
    TruthError
        The file cannot be written.
    """
    try:
        content = msgspec.to_builtins(truth) | {"merchants": truth.labels(), "traps": truth.traps()}
        path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    except OSError as error:
        raise TruthError(f"{path} cannot be written: {error.strerror or error}") from error


def read_truth(path: Path) -> GroundTruth:
    """Read a truth file.

    Raises
    ------
    TruthError
        The file cannot be read or is not a truth file.
    """
    try:
        content: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict)
        if isinstance(content.get("merchants"), int):
            content["merchant_count"] = content.pop("merchants")
        return msgspec.convert(content, GroundTruth)
    except OSError as error:
        raise TruthError(f"{path} cannot be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TruthError(f"{path} is not a truth file: {error}") from error
