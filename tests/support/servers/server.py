"""A real server as a child process: started, killed, frozen and started again."""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from typing import Protocol, Self

import psutil

from standalone.folder import Account
from standalone.supervisor import child_command
from tests.support.patience import SECONDS


class Process(Protocol):
    """A child process, as far as a `Server` uses it."""

    @property
    def pid(self) -> int:
        """Its id."""

    def poll(self) -> int | None:
        """Return None while it runs."""

    def send_signal(self, given: Signals, /) -> None:
        """Send it a signal."""

    def wait(self, timeout: float) -> int:
        """Wait for its end."""


class Server:
    """One server program. What it writes goes to the file `log`."""

    def __init__(
        self, command: Sequence[str], account: Account | None, log: Path, stop: Signals
    ) -> None:
        self.command = command
        self._account = account
        self._log = log
        self._stop = stop
        self._process: Process | None = None

    def start(self) -> Self:
        """Start it; the caller waits until it serves."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                child_command(
                    self.command, when_we_die=self._stop, account=self._account
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    @property
    def pid(self) -> int:
        """The process id, of the last start."""
        assert self._process, "not started"
        return self._process.pid

    def alive(self) -> bool:
        """Tell whether it runs."""
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        """Let it begin to stop."""
        if self.alive():
            self._signal(self._stop)

    def stop(self) -> None:
        """Stop it cleanly and wait for its end."""
        self._end_with(self._stop)

    def kill(self) -> None:
        """End it and its children as a power cut would, and wait for their end.

        A PostgreSQL does not start while a backend of the one before is still alive.
        """
        children = self._children() if self.alive() else []
        self._end_with(SIGKILL)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, timeout=SECONDS)

    def _children(self) -> list[psutil.Process]:
        """Return its child processes; it makes no more, being frozen."""
        self.freeze()
        return psutil.Process(self.pid).children(recursive=True)

    def freeze(self) -> None:
        """Stop it in its tracks, as a stalled machine would."""
        os.kill(self.pid, SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        os.kill(self.pid, SIGCONT)

    def _end_with(self, signal: Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._signal(signal)
        self._process.wait(timeout=SECONDS)

    def _signal(self, given: Signals) -> None:
        """Send a signal that takes effect even if it is frozen."""
        assert self._process, "not started"
        if given != SIGKILL:
            self._process.send_signal(SIGCONT)
        self._process.send_signal(given)
