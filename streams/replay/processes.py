"""A replay in several processes, each with some of the shards; the outputs come out as one process would give them."""

import multiprocessing
import socket
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

import msgspec
from msgspec import Struct

from streams.replay.engine import shards_of
from streams.replay.failures import FAILURES, ReplayError
from streams.replay.mail import NEVER
from streams.replay.peers import PeerLostError, SocketPeers
from streams.replay.plan import Job
from streams.replay.progress import Reached
from streams.replay.run_folder import Published
from streams.replay.shard_run import ShardRun

#: Rounds after which a process that published nothing says how far it is.
_SAY_EVERY: Final = 64


class _Said(Struct, array_like=True):
    """What a process of a replay tells: outputs, and that it has no others before ``number``; or why it failed."""

    number: int
    reached: Reached
    published: list[Published] = []
    failure: str | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Said).decode


def replay_in_processes(
    job: Job, processes: int, told: Callable[[Reached], None]
) -> Iterator[tuple[int, list[Published]]]:
    """Run a job in several processes; yields outputs in the order of rounds and shards, each time with the round before
    which no others follow.

    ``told`` is called now and then with how far all of them have come together.

    Raises
    ------
    ReplayError
        A process failed.
    """
    # Not forked: librdkafka's threads do not survive that.
    context = multiprocessing.get_context("spawn")
    lines = _mesh(processes)
    channels: list[Connection] = []
    children: list[SpawnProcess] = []
    try:
        for number in range(processes):
            receiving, sending = context.Pipe(duplex=False)
            child = context.Process(
                target=_work, args=(job, number, processes, lines[number], sending), name=f"replay-{number}"
            )
            child.start()
            sending.close()
            channels.append(receiving)
            children.append(child)
        for own in lines:
            for connection in own.values():
                connection.close()
        yield from _merged(channels, told)
    finally:
        for channel in channels:
            channel.close()
        for child in children:
            child.join(5)
            if child.is_alive():
                child.terminate()
                child.join()


def _mesh(processes: int) -> list[dict[int, socket.socket]]:
    """A socket between each two."""
    lines: list[dict[int, socket.socket]] = [{} for _ in range(processes)]
    for one in range(processes):
        for other in range(one + 1, processes):
            lines[one][other], lines[other][one] = socket.socketpair()
    return lines


def _merged(channels: list[Connection], told: Callable[[Reached], None]) -> Iterator[tuple[int, list[Published]]]:
    """What all processes publish, in order: a round's outputs when every process is beyond it."""
    waiting: list[deque[Published]] = [deque() for _ in channels]
    beyond = [0] * len(channels)
    reached = [Reached() for _ in channels]
    open_ = dict(zip(channels, range(len(channels)), strict=True))
    while open_:
        failures: list[str] = []
        for channel in wait(list(open_)):
            number = open_[channel]  # type: ignore[index]  # it is one of those
            try:
                said = _decode(channel.recv_bytes())  # type: ignore[union-attr]
            except EOFError:
                if beyond[number] < NEVER:
                    failures.append("")
                del open_[channel]  # type: ignore[arg-type]
                continue
            if said.failure is not None:
                failures.append(said.failure)
                continue
            waiting[number].extend(said.published)
            beyond[number] = said.number
            reached[number] = said.reached
        if failures:
            raise ReplayError(_why(failures, open_))
        told(Reached.together(reached))
        yield min(beyond), list(_complete(waiting, min(beyond)))


def _complete(waiting: list[deque[Published]], number: int) -> Iterator[Published]:
    """Outputs of rounds before a number."""
    while True:
        heads = [queue for queue in waiting if queue and queue[0].number < number]
        if not heads:
            return
        yield min(heads, key=lambda queue: (queue[0].number, queue[0].shard)).popleft()


def _why(failures: list[str], others: dict[Connection, int]) -> str:
    """The first failure that has a reason: one process that fails takes the others with it, which don't know why."""
    for channel in others:
        try:
            while channel.poll(1):
                said = _decode(channel.recv_bytes())
                if said.failure:
                    failures.append(said.failure)
        except (EOFError, OSError):
            continue
    return next((each for each in failures if each), "a process of the replay has ended without saying why")


def _work(job: Job, number: int, processes: int, lines: dict[int, socket.socket], channel: Connection) -> None:
    """What a process does."""
    peers = SocketPeers(lines, processes)
    run = ShardRun(job, shards_of(number, processes, job.plan.shards), peers)
    try:
        _tell(run, channel)
        peers.close()
        channel.send_bytes(_encode(_Said(NEVER, run.reached)))
    except FAILURES as error:
        channel.send_bytes(_encode(_Said(0, run.reached, failure=str(error))))
    except (PeerLostError, KeyboardInterrupt):
        # Another one, or who started this, says why.
        channel.send_bytes(_encode(_Said(0, run.reached, failure="")))
    except BrokenPipeError:
        pass


def _tell(run: ShardRun, channel: Connection) -> None:
    """Send outputs and progress as they come."""
    published: list[Published] = []
    said = 0
    for number, found in run.rounds():
        published += found
        if len(published) >= _SAY_EVERY or number - said >= _SAY_EVERY:
            # More of this very round may follow: as recorded, rounds stand for shards.
            channel.send_bytes(_encode(_Said(number, run.reached, published)))
            published = []
            said = number
    channel.send_bytes(_encode(_Said(NEVER, run.reached, published)))
