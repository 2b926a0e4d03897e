"""The proxy cuts where it says."""

import socket
import threading
from collections.abc import Iterator

import pytest

from streams.embedded import LOOPBACK
from tests.faults.proxy import Cut, Proxy, When

ANSWER = b"0123456789"


class Server:
    """Answers every request with ten bytes, and remembers the requests."""

    def __init__(self) -> None:
        self._socket = socket.create_server((LOOPBACK, 0))
        self.address = "{}:{}".format(*self._socket.getsockname())
        self.requests: list[bytes] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                while request := connection.recv(1000):
                    self.requests.append(request)
                    connection.sendall(ANSWER)

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server."""
    running = Server()
    yield running
    running.close()


def ask(proxy: Proxy, request: bytes) -> bytes:
    """What comes back of an answer, until it is whole or the connection ends."""
    host, _, port = proxy.address.partition(":")
    found = b""
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(request)
        try:
            while len(found) < len(ANSWER) and (part := client.recv(100)):
                found += part
        except ConnectionResetError:
            pass
    return found


def test_it_passes_on(server: Server) -> None:
    """What is not to be cut goes through both ways."""
    with Proxy(server.address) as proxy:
        proxy.arm(Cut("before", lambda request: b"other" in request))
        assert ask(proxy, b"this") == ANSWER
        assert not proxy.fired.is_set()
    assert server.requests == [b"this"]


@pytest.mark.parametrize(("when", "arrived", "answer"), [("before", [], b""), ("after", [b"now"], b"")])
def test_a_cut_request(server: Server, when: When, arrived: list[bytes], answer: bytes) -> None:
    """Before: the server has not seen it. After: it has, and the client hears nothing of it. The next one is whole."""
    with Proxy(server.address) as proxy:
        proxy.arm(Cut(when, lambda request: request == b"now"))
        assert ask(proxy, b"now") == answer
        assert proxy.fired.is_set()
        assert server.requests == arrived
        assert ask(proxy, b"next") == ANSWER


def test_a_cut_answer(server: Server) -> None:
    """Within: the client gets a part of the answer."""
    with Proxy(server.address) as proxy:
        proxy.arm(Cut("within", lambda request: request == b"now"))
        assert ask(proxy, b"now") == ANSWER[:5]
    assert server.requests == [b"now"]


def test_all_connections_are_cut(server: Server) -> None:
    """A client that waits for nothing in particular notices."""
    with Proxy(server.address) as proxy:
        host, _, port = proxy.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as client:
            client.sendall(b"hello")
            assert client.recv(100) == ANSWER
            proxy.cut_all()
            assert _ended(client)


def _ended(client: socket.socket) -> bool:
    try:
        return client.recv(100) == b""
    except ConnectionResetError:
        return True
