"""A TCP proxy in front of a server, which loses, holds back or cuts what it is told."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65_536


class Proxy:
    """Forwards to `port` of this machine, until it is told to do harm.

    `lose_answer_to`: once a client has sent these bytes, the server's answer to them is
    taken in and thrown away, and the connection is cut. Happens once.
    `tls`: it speaks that with its clients, and plainly with the server.
    `stall_after`: what a client sends beyond so many bytes is held back for ever.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lose_answer_to: bytes | None = None
        self.stall_after: int | None = None
        self.lost = threading.Event()
        self.stalled = threading.Event()
        self._sockets: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut everything."""
        for each in self._sockets:
            _cut(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                accepted, _ = self._listener.accept()
                client = self._secured(accepted)
                if client is None:
                    continue
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                doomed = threading.Event()
                for pump in (self._forth, self._back):
                    threading.Thread(
                        target=pump, args=(client, server, doomed), daemon=True
                    ).start()

    def _secured(self, client: socket.socket) -> socket.socket | None:
        """Return the connection to speak on; None for who does not trust us."""
        if self._tls is None:
            return client
        try:
            return self._tls.wrap_socket(client, server_side=True)
        except OSError:
            _cut(client)
            return None

    def _forth(
        self, client: socket.socket, server: socket.socket, doomed: threading.Event
    ) -> None:
        with suppress(OSError):
            while part := client.recv(_CHUNK):
                if self.lose_answer_to is not None and self.lose_answer_to in part:
                    self.lose_answer_to = None
                    doomed.set()
                if self.stall_after is not None:
                    part, rest = part[: self.stall_after], part[self.stall_after :]
                    self.stall_after -= len(part)
                    if rest:
                        server.sendall(part)
                        self.stalled.set()
                        return
                server.sendall(part)
        if not self.stalled.is_set():
            _cut(server)

    def _back(
        self, client: socket.socket, server: socket.socket, doomed: threading.Event
    ) -> None:
        with suppress(OSError):
            while part := server.recv(_CHUNK):
                if doomed.is_set():
                    self.lost.set()
                    break
                client.sendall(part)
        _cut(client)


def _cut(end: socket.socket) -> None:
    """End a connection under whichever thread reads it: that one sees its end.

    TLS's own `shutdown` takes away what another thread is reading with.
    """
    with suppress(OSError):
        socket.socket.shutdown(end, socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxy_before(port: int, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Run a proxy in front of a port of this machine."""
    proxy = Proxy(port, tls)
    try:
        yield proxy
    finally:
        proxy.close()
