"""A TCP proxy on a thread of its own. A test can cut and restore its connections, or let it answer in
place of the server."""

import selectors
import socket
import threading
from collections.abc import Callable

from .server import free_ports

# A gate gets the first bytes of a new connection. It returns the bytes to answer before the proxy
# closes the connection, or None to let the connection through.
Gate = Callable[[bytes], bytes | None]


def refuse_mqtt5(first: bytes) -> bytes | None:
    """A gate that answers MQTT 5 like a broker of MQTT 3.1.1 (section 3.1.2.2 there): return code 1,
    then the connection is closed."""
    body = first[1:].lstrip(bytes(range(0x80, 0x100)))[
        1:
    ]  # The remaining length before it has one to four bytes.
    return b"\x20\x02\x00\x01" if body[:7] == b"\0\x04MQTT\x05" else None


class TcpProxy:
    """Forwards 127.0.0.1:port to a target port."""

    def __init__(self, target: int, gate: Gate | None = None):
        self.target = target
        self.refused = 0
        self.passed = 0
        (self.port,) = free_ports(1)
        self._gate = gate
        self._open = True
        self._pairs: dict[socket.socket, socket.socket | None] = {}
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._running = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self):
        """Closes all connections, and every new one until restore()."""
        with self._lock:
            self._open = False
            for link in list(self._pairs):
                self._close(link)

    def restore(self):
        with self._lock:
            self._open = True

    def close(self):
        self._running = False
        self._thread.join()
        self.cut()
        self._listener.close()
        self._selector.close()

    def _run(self):
        while self._running:
            for key, _ in self._selector.select(timeout=0.1):
                with self._lock:
                    self._step(key.fileobj)

    def _step(self, link: socket.socket):
        if link is self._listener:
            self._accept()
        elif link in self._pairs:
            try:
                data = link.recv(65536)
            except OSError:
                data = b""
            if not data or not self._forward(link, data):
                self._close(link)

    def _accept(self):
        link, _ = self._listener.accept()
        if not self._open:
            link.close()
            return
        self._pairs[link] = None
        self._selector.register(link, selectors.EVENT_READ)

    def _forward(self, link: socket.socket, data: bytes) -> bool:
        try:
            peer = self._pairs[link] or self._connect(link, data)
            if peer is None:
                return False
            peer.sendall(data)
            return True
        except OSError:
            return False

    def _connect(self, link: socket.socket, first: bytes) -> socket.socket | None:
        answer = self._gate(first) if self._gate else None
        if answer is not None:
            self.refused += 1
            link.sendall(answer)
            return None
        self.passed += 1
        peer = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        self._pairs[link], self._pairs[peer] = peer, link
        self._selector.register(peer, selectors.EVENT_READ)
        return peer

    def _close(self, link: socket.socket):
        for end in (link, self._pairs.pop(link, None)):
            if end is None or end.fileno() < 0:
                continue
            self._pairs.pop(end, None)
            self._selector.unregister(end)
            end.close()
