"""A shard whose store is a dictionary: loads, checkpoints, kills and recoveries as the worker has them, in one place.

The worker's own functions do the work (``needed``, ``keep_loaded``, ``take_changes``, ``restore``, ``evict``); what is
left out is the protocol around them, which tests/streams looks after.
"""

from detectors.apply import Core
from detectors.flush import Emit, Flush
from detectors.judge import Judge, Models, fresh_models
from features.decode import Decoded
from features.shard import ShardState
from streams.snapshot import BLOBS, encode_ahead, evict, keep_loaded, needed_names, restore, take_changes
from streams.store import Loaded, Position


class StoredShard:
    """A shard in use, its last checkpoint, and the flushes applied since."""

    def __init__(self, judge: Judge, models: Models | None = None) -> None:
        self.values: dict[str, bytes] = {}
        self.timers: dict[str, int] = {}
        self.lists: dict[str, list[bytes]] = {}
        self.core = Core(ShardState(0), models or fresh_models(42), judge)
        self._judge = judge
        self._journal: list[Flush] = []

    @property
    def state(self) -> ShardState:
        """The state in memory."""
        return self.core.state

    def load(self, flush: Flush, events: list[Decoded]) -> None:
        """Bring into memory what a flush reads."""
        names = needed_names(self.state, self.core.needed(flush, events))
        keep_loaded(self.state, names, [self.values.get(name) for name in names])

    def apply(self, flush: Flush) -> list[Emit]:
        """Journal, load, apply."""
        self._journal.append(flush)
        return self._apply(flush)

    def _apply(self, flush: Flush) -> list[Emit]:
        events = self.core.decode(flush)
        self.load(flush, events)
        return self.core.apply(flush, events)

    def encode_ahead(self) -> None:
        """Encode what was touched so far, as the worker does under light load."""
        encode_ahead(self.state)

    def checkpoint(self) -> None:
        """Store what changed, and cut the journal."""
        changes = take_changes(self.core)
        self.values.update(changes.values)
        for key in changes.deleted:
            self.values.pop(key, None)
        for key, time in changes.timers.items():
            if time:
                self.timers[key] = time
            else:
                self.timers.pop(key, None)
        for key, (entries, keep) in changes.appends.items():
            self.lists[key] = [*self.lists.get(key, []), *entries][-keep:]
        self._journal.clear()

    def evict(self, limit: int = 0) -> None:
        """Drop from memory what is stored, down to a number of records."""
        evict(self.state, limit)

    def kill(self) -> list[Emit]:
        """Lose the memory, load the last checkpoint and apply the journal again; returns what that emits."""
        blobs: dict[str, bytes] = {name: self.values[name] for name in BLOBS if name in self.values}
        timers = sorted((time, key) for key, time in self.timers.items())
        loaded = Loaded(Position(), [], timers, blobs, {key: list(entries) for key, entries in self.lists.items()})
        self.core = restore(0, loaded, self._judge, fresh_models(42))
        return [emit for flush in self._journal for emit in self._apply(flush)]
