import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from streams.replay.mail import NEVER, Letter, Mailroom
from streams.replay.peers import PeerLostError, SocketPeers
from streams.replay.rounds import LATENCY

Mesh = Callable[[int], list[SocketPeers]]


@pytest.fixture
def mesh() -> Iterator[Mesh]:
    """Makes peers that are connected with each other."""
    sockets: list[socket.socket] = []

    def made(processes: int) -> list[SocketPeers]:
        lines: list[dict[int, socket.socket]] = [{} for _ in range(processes)]
        for one, other in itertools.combinations(range(processes), 2):
            lines[one][other], lines[other][one] = pair = socket.socketpair()
            sockets.extend(pair)
        return [SocketPeers(own, processes) for own in lines]

    yield made
    for each in sockets:
        each.close()


def at_once(*actions: Callable[[], object]) -> None:
    """Run something in several threads, as in several processes, until all of it is done."""
    threads = [threading.Thread(target=action, daemon=True) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def letter(to: int, sent: int = 5, size: int = 3) -> Letter:
    """A letter of shard 0."""
    return Letter(sent, 0, 0, to, b"0>1", b"x" * size)


def test_begin(mesh: Mesh) -> None:
    """Nobody sends anything before the first round of any, and each learns that without going through all before it."""
    peers = mesh(3)
    at_once(
        *[lambda each=each, n=n: each.begin(n, Mailroom()) for each, n in zip(peers, (900, 700, NEVER), strict=True)]
    )
    assert [each.promised() for each in peers] == [700, 700, 700]


def test_letters_and_promises(mesh: Mesh) -> None:
    """A letter arrives at the process of its shard alone, and a promise at all."""
    first, second, third = peers = mesh(3)
    at_once(*[partial(each.begin, 1, Mailroom()) for each in peers])
    first.send([letter(1), letter(2), letter(4)], 6, None)
    rooms = [Mailroom(), Mailroom()]
    second.receive(rooms[0], wait=True)
    third.receive(rooms[1], wait=True)
    assert sorted(rooms[0].deliver(5 + LATENCY)) == [1, 4]
    assert sorted(rooms[1].deliver(5 + LATENCY)) == [2]
    # Of the other nothing is known but where it began.
    assert second.promised() == third.promised() == 1
    third.send([], 9, None)
    second.receive(Mailroom(), wait=True)
    assert second.promised() == 6


def test_last_record(mesh: Mesh) -> None:
    """The end is known when every process knows its own."""
    first, second = mesh(2)
    at_once(lambda: first.begin(1, Mailroom()), lambda: second.begin(1, Mailroom()))
    assert first.last_record(8) is None
    second.send([], 20, 12)
    first.receive(Mailroom(), wait=True)
    assert first.last_record(None) is None
    assert first.last_record(8) == 12


def test_more_than_the_sockets_hold(mesh: Mesh) -> None:
    """Two that both send far more than a socket takes do not wait for each other for ever."""
    first, second = mesh(2)
    rooms = Mailroom(), Mailroom()

    def work(own: SocketPeers, room: Mailroom, to: int) -> None:
        own.begin(1, room)
        for number in range(1, 20):
            own.send([letter(to, number, 500_000)], number + 1, None)
            own.receive(room, wait=False)
        own.send([], NEVER, 19)
        while own.promised() < NEVER:
            own.receive(room, wait=True)
        own.close()

    at_once(lambda: work(first, rooms[0], 1), lambda: work(second, rooms[1], 0))
    for room, shard in zip(rooms, (0, 1), strict=True):
        assert all(len(room.deliver(number + LATENCY)[shard][0].value) == 500_000 for number in range(1, 20))


def test_finishing_first(mesh: Mesh) -> None:
    """Who has finished is not taken for lost, whatever the other still sends to it."""
    first, second = mesh(2)
    at_once(lambda: first.begin(1, Mailroom()), lambda: second.begin(1, Mailroom()))

    def slow() -> None:
        for number in range(2, 200):
            second.send([letter(0, number, 10_000)], number + 1, None)
        while second.promised() < NEVER:
            second.receive(Mailroom(), wait=True)
        second.send([], NEVER, 200)
        second.close()

    def quick() -> None:
        first.send([], NEVER, 3)
        first.close()

    at_once(quick, slow)


def test_lost(mesh: Mesh) -> None:
    """Who hangs up without having finished is told from one that has."""
    first, second = mesh(2)
    at_once(lambda: first.begin(1, Mailroom()), lambda: second.begin(1, Mailroom()))
    second._lines[0].connection.close()
    first.send([letter(1)], 7, None)
    with pytest.raises(PeerLostError):
        first.receive(Mailroom(), wait=True)
