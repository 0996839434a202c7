"""Ports for the servers of tests: no two tests get the same one."""

from fcntl import LOCK_EX, flock
from os import getuid
from pathlib import Path
from secrets import randbelow
from tempfile import gettempdir

from standalone.ports import OUTGOING, free_port, is_free, outside_clients


def reserved_port() -> int:
    """Return a port that is free, and that no other test is given meanwhile.

    A server listens seconds after its port was chosen, and not while it is killed. The
    workers of all runs take turns, so that thousands of others are chosen first.
    """
    ports = outside_clients(OUTGOING)
    if not ports:
        return free_port()
    turn = Path(gettempdir()) / f"permanence-test-port-{getuid()}"
    with turn.open("a+", encoding="ascii") as file:
        flock(file, LOCK_EX)
        file.seek(0)
        last = int(file.read() or randbelow(len(ports)))
        following = (n % len(ports) for n in range(last + 1, last + len(ports)))
        chosen = next(n for n in following if is_free(ports[n]))
        file.truncate(0)
        file.write(str(chosen))
    return ports[chosen]
