"""Runs shards through the rounds of a replay (:mod:`streams.replay.rounds`): pure but for what it reads from."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from msgspec import Struct

from detectors.apply import Core
from detectors.flush import Emit, Flush
from features.shard import Record
from streams.replay.applying import apply_and_forget
from streams.replay.mail import NEVER, Letters, Mailroom, letters_of
from streams.replay.plan import Plan
from streams.replay.rounds import AFTER, LATENCY, ROUND_MS, TICK_EVERY, Entry, Source


class Peers(Protocol):
    """The other processes of a replay."""

    def begin(self, first: int, mailroom: Mailroom) -> None:
        """Tell each other the first round in which anything happens; called once, ahead of everything else."""

    def promised(self) -> int:
        """First round of which another process may still send something; NEVER without others."""

    def last_record(self, own: int | None) -> int | None:
        """Last round with records in any process, given that of this one; ``None`` while one does not know."""

    def send(self, letters: Letters, promise: int, last_record: int | None) -> None:
        """Hand letters over, and say from which round on more may follow."""

    def receive(self, mailroom: Mailroom, *, wait: bool) -> None:
        """Take in what has come; ``wait`` until something has."""


class Keeper(Protocol):
    """Keeps checkpoints; ``every`` so many rounds."""

    @property
    def every(self) -> int: ...  # noqa: D102

    def keep(
        self, number: int, cores: Mapping[int, Core], received: Mapping[int, int], letters: Letters, last_record: int
    ) -> None:
        """Write the shards as they are before a round, with the messages to them that were sent before it."""


class Begun(Struct, frozen=True):
    """Where an interrupted run goes on: before which round; what each shard had received, what is on its way, and the
    last round that had records.
    """

    number: int
    received: Mapping[int, int]
    letters: Letters
    last_record: int


class Alone:
    """No other process."""

    def begin(self, first: int, mailroom: Mailroom) -> None:
        """Nobody is told."""

    def promised(self) -> int:
        """Nobody sends anything."""
        return NEVER

    def last_record(self, own: int | None) -> int | None:
        """What this process knows."""
        return own

    def send(self, letters: Letters, promise: int, last_record: int | None) -> None:
        """Nobody is told."""

    def receive(self, mailroom: Mailroom, *, wait: bool) -> None:
        """Nothing comes."""


class RoundOutputs(Struct):
    """What the shards of a process published in a round, by shard in ascending order; and records applied in it."""

    number: int
    emits: list[tuple[int, list[Emit]]]
    records: int


class Engine:
    """The shards of one process.

    Parameters
    ----------
    cores
        By number.
    source
        Their records.
    plan
        What is asked for.
    exchange
        Name of the exchange topic: what a message causes is named by it.
    peers
        The other processes.
    keeper
        Keeps checkpoints, if they are wanted.
    begun
        Where the run goes on, if it was interrupted; the cores are as they were then.
    """

    def __init__(
        self,
        cores: Mapping[int, Core],
        source: Source,
        plan: Plan,
        exchange: str,
        peers: Peers | None = None,
        keeper: Keeper | None = None,
        begun: Begun | None = None,
    ) -> None:
        self._cores = dict(sorted(cores.items()))
        self._source = source
        self._plan = plan
        self._exchange = exchange
        self._peers: Peers = peers or Alone()
        self._mailroom = Mailroom()
        #: Messages taken in by each shard, which number the next.
        self._received = dict.fromkeys(self._cores, 0)
        self._ticks = dict.fromkeys(self._cores, NEVER)
        self._sequence = dict.fromkeys(self._cores, 0)
        self._last_record = -1
        self._keeper = keeper
        self._begun = begun
        #: The round before which the next checkpoint is due.
        self._due = NEVER

    def _go_on(self, begun: Begun) -> None:
        """Take up what is not in the cores; records of earlier rounds are read again, and passed over."""
        while (number := self._source.peek()) is not None and number < begun.number:
            self._source.take()
        self._received |= begun.received
        self._mailroom.put(begun.letters)
        self._last_record = begun.last_record
        self._ticks = {shard: self._next_tick(core, begun.number - 1) for shard, core in self._cores.items()}

    def run(self) -> Iterator[RoundOutputs]:
        """Every round in which a shard did something.

        Raises
        ------
        detectors.apply.ApplyError
            A record made the core fail, which is a fault of ours.
        streams.reading.ReadError, streams.archive.ArchiveError
            The source can't be read.
        """
        peers, mailroom, source = self._peers, self._mailroom, self._source
        if self._begun is not None:
            self._go_on(self._begun)
        first = self._next_round(source.peek())
        if self._keeper is not None and first < NEVER:
            self._due = (first // self._keeper.every + 1) * self._keeper.every
        peers.begin(first, mailroom)
        while True:
            with_records = source.peek()
            ended = self._last_record if with_records is None else None
            number = self._next_round(with_records)
            unheard = peers.promised()
            final = self._final(peers.last_record(ended))
            if min(number, unheard + LATENCY) > final:
                peers.send([], NEVER, ended)
                return
            if self._due <= number <= final and number < NEVER:
                self._checkpoint(number, ended)
                continue
            if number - LATENCY >= unheard or number > final:
                # Another process may still send something that arrives before.
                peers.send([], min(number, unheard + LATENCY), ended)
                peers.receive(mailroom, wait=True)
                continue
            outputs, letters = self._round(number, with_records == number)
            here = self._cores
            mailroom.put(letter for letter in letters if letter.to in here)
            peers.send([letter for letter in letters if letter.to not in here], number + 1, None)
            peers.receive(mailroom, wait=False)
            yield outputs

    def _next_round(self, with_records: int | None) -> int:
        """The first round in which anything happens, as far as this process knows."""
        records = NEVER if with_records is None else with_records
        return min(records, self._mailroom.next_delivery, min(self._ticks.values(), default=NEVER))

    def _checkpoint(self, number: int, ended: int | None) -> None:
        """Keep everything as it is before the last boundary that is not beyond ``number``."""
        keeper = self._keeper
        if keeper is None:
            return
        boundary = number // keeper.every * keeper.every
        self._due = boundary + keeper.every
        # All messages of earlier rounds must be here; some of later ones may be, and will be sent again.
        self._peers.send([], boundary, ended)
        while self._peers.promised() < boundary:
            self._peers.receive(self._mailroom, wait=True)
        keeper.keep(boundary, self._cores, self._received, self._mailroom.sent_before(boundary), self._last_record)

    def _final(self, last_record: int | None) -> int:
        """The last round of the replay, as far as it is known."""
        if self._plan.end is not None:
            return (self._plan.end - 1) // ROUND_MS
        return NEVER if last_record is None else last_record + AFTER

    def _round(self, number: int, has_records: bool) -> tuple[RoundOutputs, Letters]:
        mail = self._mailroom.deliver(number)
        batches = {}
        if has_records:
            batches = self._source.take()
            self._last_record = number
        ticking = {shard for shard, due in self._ticks.items() if due <= number and shard not in batches}
        outputs = RoundOutputs(number, [], 0)
        sent: Letters = []
        for shard in sorted(batches.keys() | mail.keys() | ticking):
            entries = batches.get(shard, [])
            emits = self._shard_round(number, shard, mail.get(shard, []), entries, outputs, tick=shard in ticking)
            sent += letters_of(emits, number, shard)
            outputs.records += len(entries)
        return outputs, sent

    def _shard_round(
        self,
        number: int,
        shard: int,
        mail: Letters,
        entries: list[Entry],
        outputs: RoundOutputs,
        *,
        tick: bool,
    ) -> list[Emit]:
        """What one shard does in a round; returns all that it published, wanted or not."""
        core, start = self._cores[shard], number * ROUND_MS
        records = [self._message(shard, start, letter.key, letter.value) for letter in mail]
        plan = self._plan
        before = self._before_window(number, entries)
        unwanted: list[Emit] = []
        if before is not None:
            records += [entry[3] for entry in entries[:before]]
            unwanted = self._apply(core, Flush(self._next(shard), records))
            records, entries = [], entries[before:]
        records += [entry[3] for entry in entries]
        end = start + ROUND_MS
        time = end - core.judge.settings.allowed_lateness if tick else None
        emits = self._apply(core, Flush(self._next(shard), records, time))
        if plan.in_window(start if before is None else end - 1):
            wanted = [emit for emit in emits if emit.stream != "exchange"]
            if wanted:
                outputs.emits.append((shard, wanted))
        self._ticks[shard] = self._next_tick(core, number)
        return unwanted + emits if unwanted else emits

    def _before_window(self, number: int, entries: list[Entry]) -> int | None:
        """How many of a round's entries come before the window, if it begins within this round."""
        start = self._plan.start
        if start is None or start // ROUND_MS != number or not start % ROUND_MS:
            return None
        return sum(entry[0] < start for entry in entries)

    def _apply(self, core: Core, flush: Flush) -> list[Emit]:
        # A checkpoint wants to know what has changed.
        return apply_and_forget(core, flush) if self._keeper is None else core.apply(flush)

    def _next(self, shard: int) -> int:
        self._sequence[shard] += 1
        return self._sequence[shard]

    def _message(self, shard: int, time: int, key: bytes, value: bytes) -> Record:
        offset = self._received[shard]
        self._received[shard] = offset + 1
        return Record("exchange", self._exchange, shard, offset, time, key, value)

    def _next_tick(self, core: Core, number: int) -> int:
        """The first round after this one at whose end the shard is ticked, if it is quiet by then."""
        clock = core.state.clock
        if not clock.highest:
            return NEVER
        # Where the shard is ahead of the rounds, from when they have caught up.
        behind = (clock.watermark + core.judge.settings.allowed_lateness) // ROUND_MS
        following = max(number + 1, behind)
        return (following // TICK_EVERY + 1) * TICK_EVERY - 1


def shards_of(process: int, processes: int, shards: int) -> Collection[int]:
    """The shards of one of several processes."""
    return range(process, shards, processes)
