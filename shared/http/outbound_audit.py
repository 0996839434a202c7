"""Keeps a library's calls out of the desk's own network, whatever it does itself.

Some libraries open their own connections, follow redirects and read files that a URL
names. While a guard is in force (`under`), Python's audit events refuse connections to
inner addresses, other programs, and files apart from the installed ones. It holds for
the current context, so for the thread that entered it.

A thread cannot be ended from outside. `Guard.end` cuts its connections instead, and
refuses everything that it tries afterwards, so a server that never ends its answer
does not keep the thread.
"""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from shared.http.networks import Networks
from shared.http.outbound import is_outside

_CONNECTIONS = frozenset({"socket.connect", "socket.sendto", "socket.bind"})
_PROGRAMS = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"}
)
_READABLE = tuple(
    dict.fromkeys((sys.prefix, sys.base_prefix, "/usr", "/lib", "/etc/ssl", "/etc/pki"))
)
"""Where installed modules, certificates and time zones are."""


class Refused(PermissionError):
    """Something that the guard does not allow; the library may hide this error."""


@dataclass
class Guard:
    """What is allowed besides the internet, and whether something was refused."""

    allowed: Networks = ()
    refused: list[str] = field(default_factory=list)
    """The names of the audit events that were refused, without addresses."""
    is_ended: bool = False
    _connections: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self) -> None:
        """Cut all connections, and refuse new ones. For any thread."""
        with self._lock:
            self.is_ended = True
            for each in self._connections:
                with suppress(OSError):  # it is closed already
                    each.shutdown(socket.SHUT_RDWR)
        self.release()

    def follow(self, connection: socket.socket) -> None:
        """Remember a connection that is about to be made; refuse it after the end.

        What is remembered is a second handle of the same connection: the library may
        hand its own one over to TLS.
        """
        with self._lock:
            if self.is_ended:
                raise Refused("the time for this is over")
            self._connections.append(connection.dup())

    def release(self) -> None:
        """Close the handles of connections; the library closes its own."""
        with self._lock:
            for each in self._connections:
                each.close()
            self._connections.clear()


_guard: ContextVar[Guard | None] = ContextVar("outbound_guard", default=None)


@contextmanager
def under(guard: Guard) -> Iterator[Guard]:
    """Refuse inner addresses, programs and files in the current context.

    Another thread may end the guard.
    """
    _install()
    token = _guard.set(guard)
    try:
        yield guard
    finally:
        _guard.reset(token)
        guard.release()


@cache
def _install() -> None:
    """Add the hook; it stays for the life of the process, which Python demands."""
    sys.addaudithook(_audit)


def _audit(event: str, args: tuple[object, ...]) -> None:
    guard = _guard.get()
    if guard is None:
        return
    if event in _CONNECTIONS:
        refused = not _is_outside(args, guard.allowed)
    elif event in _PROGRAMS:
        refused = True
    elif event == "open":
        refused = not _is_installed(args[0])
    else:
        return
    if refused:
        guard.refused.append(event)
        raise Refused(f"{event} is not allowed here")
    if event == "socket.connect" and isinstance(args[0], socket.socket):
        guard.follow(args[0])


def _is_outside(args: tuple[object, ...], allowed: Networks) -> bool:
    match args:
        case (socket.socket(family=family), (str(host), *_)) if family in (
            socket.AF_INET,
            socket.AF_INET6,
        ):
            try:
                return is_outside(ip_address(host.partition("%")[0]), allowed)
            except ValueError:
                return False  # a name: it would be resolved where nobody looks
        case _:
            return False


def _is_installed(path: object) -> bool:
    if isinstance(path, int):
        return True  # opened before
    if isinstance(path, bytes):
        path = path.decode("utf-8", "replace")
    if not isinstance(path, str):
        return False
    real = Path(path).absolute()
    return ".." not in real.parts and any(real.is_relative_to(p) for p in _READABLE)
