"""How the processes of a replay hand letters to each other: a socket between each two, and nobody in the middle.

Each says, with every message, from which round on it may still send something. That is all the others need to know to
go on safely, and it is said for every round, so nobody waits longer than the other takes for a round.
"""

import select
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Struct

from streams.replay.mail import NEVER, Letter, Letters, Mailroom

_LENGTH: Final = 4
_CHUNK: Final = 256 * 1024


class PeerLostError(Exception):
    """Another process of the replay has ended before its time; it says why itself."""


class _Packet(Struct, frozen=True, array_like=True):
    letters: list[Letter]
    promise: int
    #: Last round with records, once the sender knows it.
    last_record: int | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Packet).decode


class _Line:
    """The connection to one other process."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.outgoing = bytearray()
        self._incoming = bytearray()
        self.begun = False
        #: What the other side said first, and since.
        self.first = self.promise = 0
        self.last_record: int | None = None
        self.closed = False

    def hear(self, packet: _Packet) -> None:
        """Note what the other side says."""
        if not self.begun:
            # Holds only until it gets a letter, so it is no promise yet.
            self.begun, self.first = True, packet.promise
            return
        self.promise = max(self.promise, packet.promise)
        if packet.last_record is not None:
            self.last_record = packet.last_record

    def write(self) -> None:
        """Send what the other side takes now."""
        while self.outgoing:
            try:
                sent = self.connection.send(self.outgoing[:_CHUNK])
            except BlockingIOError:
                return
            except OSError:
                # It is gone. What it said before is read first; that tells whether it had finished.
                self.outgoing.clear()
                return
            del self.outgoing[:sent]

    def read(self) -> list[_Packet]:
        """What has come."""
        incoming = self._incoming
        while not self.closed:
            try:
                data = self.connection.recv(_CHUNK)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.closed = True
            incoming += data
        packets = []
        while len(incoming) >= _LENGTH:
            end = _LENGTH + int.from_bytes(incoming[:_LENGTH], "big")
            if len(incoming) < end:
                break
            packets.append(_decode(incoming[_LENGTH:end]))
            del incoming[:end]
        return packets


class SocketPeers:
    """The other processes, each behind a connected socket.

    Parameters
    ----------
    connections
        By the number of the process.
    processes
        How many there are: a shard belongs to the process of its number modulo this.
    """

    def __init__(self, connections: Mapping[int, socket.socket], processes: int) -> None:
        self._processes = processes
        self._lines = {number: _Line(connection) for number, connection in sorted(connections.items())}
        self._said: tuple[int, int | None] = (-1, None)
        #: Nobody sends anything before this round.
        self._first = 0

    def begin(self, first: int, mailroom: Mailroom) -> None:
        """Tell each other the first round in which anything happens: history does not begin in 1970.

        Raises
        ------
        PeerLostError
            Another process has ended too early.
        """
        # Said by all before anybody has sent a letter, and the first thing that is said at all.
        self.send([], first, None)
        while not all(line.begun for line in self._lines.values()):
            self.receive(mailroom, wait=True)
        self._first = min(first, *(line.first for line in self._lines.values()))

    def promised(self) -> int:
        """First round of which another process may still send something."""
        return max(self._first, min(line.promise for line in self._lines.values()))

    def last_record(self, own: int | None) -> int | None:
        """Last round with records in any process; ``None`` while one does not know."""
        known = [own, *(line.last_record for line in self._lines.values())]
        return None if None in known else max(number for number in known if number is not None)

    def send(self, letters: Letters, promise: int, last_record: int | None) -> None:
        """Hand letters over, and say from which round on more may follow; nothing is sent that says nothing new."""
        if not letters and (promise, last_record) == self._said:
            return
        self._said = promise, last_record
        for number, line in self._lines.items():
            own = [letter for letter in letters if letter.to % self._processes == number]
            packet = _encode(_Packet(own, promise, last_record))
            line.outgoing += len(packet).to_bytes(_LENGTH, "big") + packet
            line.write()

    def receive(self, mailroom: Mailroom, *, wait: bool) -> None:
        """Take in what has come; ``wait`` until something has.

        Raises
        ------
        PeerLostError
            Another process has ended too early.
        """
        lines = self._lines.values()
        if wait:
            # What has not gone out yet must not be what the other side waits for.
            reading = [line.connection for line in lines if not line.closed]
            writing = [line.connection for line in lines if line.outgoing]
            select.select(reading, writing, [])
        for line in lines:
            line.write()
            for packet in line.read():
                mailroom.put(packet.letters)
                line.hear(packet)
            if line.closed and line.promise < NEVER:
                raise PeerLostError

    def close(self) -> None:
        """Send what is left, and hang up when all others have finished as well: who hangs up with something unread
        takes from the others what they have not read yet.
        """
        lines = list(self._lines.values())
        ended: set[_Line] = set()
        while not all(line.closed for line in lines):
            for line in lines:
                line.write()
                if not line.outgoing and line not in ended:
                    ended.add(line)
                    with suppress(OSError):
                        line.connection.shutdown(socket.SHUT_WR)
                line.read()
            reading = [line.connection for line in lines if not line.closed]
            if reading:
                select.select(reading, [line.connection for line in lines if line.outgoing], [])
        for line in lines:
            line.connection.close()
