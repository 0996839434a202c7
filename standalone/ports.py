"""Free and taken ports of this machine. Everything listens on 127.0.0.1 only.

The ports our own servers took: free ones at the first start, the same ones after.
"""

import json
import socket
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from standalone.folder import write_private
from standalone.startup_error import Exit, StartupError

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Tell whether we could listen on `port`."""
    with socket.socket() as listener:
        # As the servers do: a port whose last connection just closed is free.
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
    """Raise a `StartupError` that names every port taken, and how to choose others.

    All at once: who is told of one after the other starts as often as there are ports.
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
    """Raise a `StartupError` where two things shall listen on one port."""
    for one, other in combinations(wanted, 2):
        if one.port == other.port:
            raise StartupError(
                f"Port {one.port} is meant for {one.what} and for {other.what}: "
                f"choose another for one of them, with {one.variable} or "
                f"{other.variable}",
                Exit.USAGE,
            )


def own_port(home: Path, server: str, wished: int | None, variable: str) -> int:
    """Return the port `server` shall listen on, and remember it in `home`.

    Trouble: a port was wished for and is taken. A remembered one that is taken is
    replaced, for nobody asked for it.
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
