"""Finds and remembers free ports of this machine. Everything listens on 127.0.0.1.

Our own servers get free ports at the first start, and the same ones afterwards.
"""

import json
import socket
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from secrets import SystemRandom

from standalone.folder import write_private
from standalone.startup_error import Exit, StartupError

HOST = "127.0.0.1"

OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
# Above 10,080, the last port that browsers refuse to open.
_LOWEST, _HIGHEST = 10_081, 65_535
_TRIES = 100


def free_port() -> int:
    """Return a port nobody is listening on now, and no client will be given.

    A server may start long after its port was chosen, and starts again on it. The
    system gives the ports of one range to outgoing connections, each for as long as
    it lasts, so we choose outside that range. Where nothing is left outside, the
    system chooses.
    """
    outside = outside_clients(OUTGOING)
    for port in SystemRandom().sample(outside, min(_TRIES, len(outside))):
        if is_free(port):
            return port
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        chosen: int = listener.getsockname()[1]
        return chosen


def outside_clients(setting: Path) -> list[int]:
    """Return the ports that the system does not give to outgoing connections.

    `setting` holds the lowest and the highest that it gives. Other systems than
    Linux have no such file; they give the dynamic ports of RFC 6335.
    """
    try:
        first, last = map(int, setting.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        first, last = 49_152, 65_535
    return [*range(_LOWEST, first), *range(max(last + 1, _LOWEST), _HIGHEST + 1)]


def is_free(port: int) -> bool:
    """Tell whether we could listen on `port`."""
    with socket.socket() as listener:
        # As the servers do: a port whose last connection was just closed is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class PortRequest:
    """A port, what it is for, and the environment variable that chooses it."""

    port: int
    what: str
    variable: str


def demand_free(*wanted: PortRequest) -> None:
    """Raise a `StartupError` that names all used ports, and how to choose others.

    All at once, so that one restart suffices.
    """
    taken = [one for one in wanted if not is_free(one.port)]
    if taken:
        ports = ", ".join(f"{one.port} (meant for {one.what})" for one in taken)
        choices = " ".join(f"{one.variable}=…" for one in taken)
        noun, verb = ("Port", "is") if len(taken) == 1 else ("Ports", "are")
        raise StartupError(
            f"{noun} {ports} {verb} taken by another program, perhaps another desk. "
            f"Stop that program, or choose otherwise: {choices} make up",
            Exit.PORT_TAKEN,
        )


def demand_different(*wanted: PortRequest) -> None:
    """Raise a `StartupError` if two servers would listen on the same port."""
    for one, other in combinations(wanted, 2):
        if one.port == other.port:
            raise StartupError(
                f"Port {one.port} is meant for {one.what} and for {other.what}: "
                f"choose another for one of them, with {one.variable} or "
                f"{other.variable}",
                Exit.USAGE,
            )


def own_port(home: Path, server: str, wished: int | None, variable: str) -> int:
    """Return the port for `server`, and remember it in `home`.

    StartupError: a requested port is in use. A remembered port that is in use is
    replaced, since nobody requested it.
    """
    if wished is not None:
        demand_free(PortRequest(wished, server, variable))
        return wished
    file = home / "ports.json"
    known = _read(file)
    if is_free(known.get(server, 0)) and server in known:
        return known[server]
    port = free_port()
    write_private(file, json.dumps({**known, server: port}))
    return port


def _read(file: Path) -> dict[str, int]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): int(port) for name, port in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
