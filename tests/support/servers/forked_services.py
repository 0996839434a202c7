"""Services forked from a process that has imported them already.

Importing takes a service longer than anything a test does with it, and a whole desk
starts four of them. What runs in the fork is what `python -m services.intake` runs.
Linux only; elsewhere, and where the interpreter is to be another, one is started.

Run as a module it is that process: it reads requests from a socket on its standard
input, answers each with the id of the fork, and ends when the other side does.
"""

import atexit
import gc
import json
import os
import runpy
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from signal import (
    SIG_DFL,
    SIG_IGN,
    SIGCHLD,
    Signals,
    pidfd_send_signal,
    signal,
)

from shared.i18n.catalog import check_languages
from standalone.launch import tie_to

IMPORTED = (
    "services.intake.app",
    "services.sla_watcher.app",
    "services.escalation.app",
    "services.projections.app",
)
REQUEST_BYTES_MAX = 65_536


def can_be_warm(environment: Mapping[str, str]) -> bool:
    """Tell whether a process with this environment may be forked."""
    anew = any(name.startswith(("LD_", "PYTHON")) for name in environment)
    return sys.platform == "linux" and not anew


@dataclass(frozen=True)
class Program:
    """What a fork runs: a module, in this environment and no other.

    `limits` are module-level numbers that it has instead of its own, by their dotted
    names: for a test that would wait for nothing else.
    """

    module: str
    environment: Mapping[str, str]
    limits: Mapping[str, float] = field(default_factory=dict)


class WarmProcess:
    """A forked service, with what tests use of `subprocess.Popen`."""

    def __init__(self, program: Program, log: Path, stop: Signals) -> None:
        request = asdict(program) | {"log": str(log), "stop": int(stop)}
        source = _source()
        source.send(json.dumps(request).encode())
        self.pid = int(source.recv(REQUEST_BYTES_MAX))
        self._fd: int | None = os.pidfd_open(self.pid)
        """None once it has ended: tests start hundreds, and files are limited."""

    def poll(self) -> int | None:
        """Return None while it runs."""
        return 0 if self._ended(0) else None

    def send_signal(self, given: Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None and self._fd is not None:
            pidfd_send_signal(self._fd, given)

    def wait(self, timeout: float) -> int:
        """Wait for its end; raises `subprocess.TimeoutExpired`."""
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired(f"the fork {self.pid}", timeout)
        return 0

    def _ended(self, seconds: float) -> bool:
        if self._fd is None:
            return True
        waiting = select.poll()
        waiting.register(self._fd, select.POLLIN)
        if not waiting.poll(seconds * 1000):
            return False
        os.close(self._fd)
        self._fd = None
        return True


@cache
def _source() -> socket.socket:
    """Return the socket to the process that forks; this one's end is its end."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=its.fileno(),
        start_new_session=True,
    )
    its.close()
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _fork_on_request(requests: socket.socket) -> str | None:
    """Fork for each request; return its module in the fork, None at the end."""
    signal(SIGCHLD, SIG_IGN)  # nobody waits for forks: the kernel buries them
    us = os.getpid()
    while request := requests.recv(REQUEST_BYTES_MAX):
        pid = os.fork()
        if pid == 0:
            asked = json.loads(request)
            requests.close()
            _become(asked["environment"], asked["log"])
            _limit(asked["limits"])
            tie_to(us, asked["stop"])
            return str(asked["module"])
        requests.send(str(pid).encode())
    return None


def _become(environment: dict[str, str], log: str) -> None:
    """Have the session, the files and the environment of a process of its own."""
    signal(SIGCHLD, SIG_DFL)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for target, file in ((0, nothing), (1, written), (2, written)):
        os.dup2(file, target)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()


def _limit(limits: dict[str, float]) -> None:
    for place, limit in limits.items():
        module, _, name = place.rpartition(".")
        assert hasattr(sys.modules[module], name), place
        setattr(sys.modules[module], name, limit)


def _main() -> None:
    for name in IMPORTED:
        __import__(name)
    check_languages()  # the forks have the catalogs, which each would read
    gc.freeze()  # the forks share it: nobody writes to it
    with socket.socket(fileno=os.dup(0)) as requests:
        module = _fork_on_request(requests)
    if module is not None:
        sys.argv = [module]
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
