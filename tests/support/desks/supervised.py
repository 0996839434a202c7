"""A desk as a person runs it: a process, its terminal, its run file."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from select import select
from signal import SIGINT, SIGKILL, Signals
from time import monotonic
from urllib.request import urlopen

import psutil

from standalone.folder import Run, read_run
from tests.support.patience import SECONDS, OutOfPatience
from tests.support.ports import reserved_port
from tests.support.servers.servers import migrated_data

SMALL_DESK = (sys.executable, "-m", "tests.support.desks.small_desk")
_PORTS = ("API", "INTAKE", "SLA_WATCHER", "ESCALATION")


def environment_for(home: Path, **more: str) -> dict[str, str]:
    """Return an environment with free ports, in which the desk lives in `home`."""
    ports = {f"PERMANENCE_{name}_PORT": str(reserved_port()) for name in _PORTS}
    plain = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "NATS_URL"}
    }
    return {**plain, **ports, "PERMANENCE_HOME": str(home), **more}


class RunningDesk:
    """One run of `permanence up`, or of a smaller desk."""

    def __init__(
        self, home: Path, environment: dict[str, str], command: Sequence[str]
    ) -> None:
        self.home = home
        self.environment = environment
        self.said = ""
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
        )
        self._begun = b""
        self.pid = self._process.pid

    def until(self, pattern: str) -> None:
        """Return once the desk has written `pattern` since the last call."""
        deadline = monotonic() + SECONDS
        fresh = ""
        while not re.search(pattern, fresh):
            line = self._line(deadline)
            if line is None:
                raise OutOfPatience(f"it does not say {pattern!r}:\n{self.said}")
            assert line, f"ended without saying {pattern!r}:\n{self.said}"
            fresh += line

    def _line(self, deadline: float) -> str | None:
        """Return its next line, "" after the last one, and None at the deadline."""
        assert self._process.stdout
        while b"\n" not in self._begun:
            left = max(0.0, deadline - monotonic())
            if not select([self._process.stdout], [], [], left)[0]:
                return None
            if not (part := self._process.stdout.read(65_536)):
                break
            self._begun += part
        line, ended, self._begun = self._begun.partition(b"\n")
        said = (line + ended).decode()
        self.said += said
        return said

    def until_up(self) -> "RunningDesk":
        """Return once it serves."""
        self.until("All of it")
        return self

    @property
    def run(self) -> Run:
        """What its run file says."""
        run = read_run(self.home)
        assert run, "there is no run file"
        return run

    def send(self, signal: Signals) -> None:
        """Send a signal to the supervisor alone."""
        self._process.send_signal(signal)

    def ended(self) -> int:
        """Wait for the end; return the exit code."""
        deadline = monotonic() + SECONDS
        if self._process.stdout and not self._process.stdout.closed:
            while line := self._line(deadline):
                pass
            if line is None:
                raise subprocess.TimeoutExpired(self._process.args, SECONDS)
            self._process.stdout.close()
        return self._process.wait(SECONDS)

    def close_terminal(self) -> None:
        """Stop reading, as a pipe that has ended does."""
        assert self._process.stdout
        self._process.stdout.close()

    def close(self) -> None:
        """End it however it stands."""
        if self._process.poll() is None:
            self._process.send_signal(SIGINT)
            try:
                self.ended()
            except subprocess.TimeoutExpired:
                self._process.send_signal(SIGKILL)
                self.ended()
        elif self._process.stdout:
            self._process.stdout.close()


@contextmanager
def running_desk(
    home: Path, command: Sequence[str] = SMALL_DESK, **more: str
) -> Iterator[RunningDesk]:
    """Run a desk in `home` and stop it in the end.

    A small one copies its PostgreSQL, unless `SMALL_DESK_CLUSTER` is "none".
    """
    if command == SMALL_DESK:
        more = {"SMALL_DESK_CLUSTER": str(migrated_data())} | more
    else:  # a small one draws reserved ports by itself, and keeps them
        servers = ("PERMANENCE_POSTGRES_PORT", "PERMANENCE_NATS_PORT")
        more = {name: str(reserved_port()) for name in servers} | more
    desk = RunningDesk(home, environment_for(home, **more), command)
    try:
        yield desk
    finally:
        desk.close()


def ask(url: str, path: str = "/health/ready") -> str:
    """Return what a service answers, by default whether it is ready."""
    with urlopen(f"{url}{path}", timeout=SECONDS) as answer:  # noqa: S310 - http
        body: bytes = answer.read()
        return body.decode()


def family(pid: int) -> list[psutil.Process]:
    """Return all processes that descend from `pid`."""
    return psutil.Process(pid).children(recursive=True)


def all_gone(processes: list[psutil.Process]) -> bool:
    """Wait a while for these to end; tell whether they did."""
    _, alive = psutil.wait_procs(processes, timeout=SECONDS)
    return not [
        process for process in alive if process.status() != psutil.STATUS_ZOMBIE
    ]
