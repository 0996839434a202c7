"""One of the four services as a process of its own."""

import sys
from dataclasses import replace
from pathlib import Path
from signal import SIGTERM
from typing import Self

from tests.support.servers.forked_services import Program, WarmProcess, can_be_warm
from tests.support.servers.server import Server


class Service(Server):
    """`python -m module` in its environment and no other, or a fork that runs it."""

    def __init__(self, program: Program, log: Path) -> None:
        given = (f"{name}={value}" for name, value in program.environment.items())
        command = ["/usr/bin/env", *given, sys.executable, "-m", program.module]
        super().__init__(command, None, log, SIGTERM)
        self._program = program

    def start(self) -> Self:
        """Start it; the caller waits until it serves."""
        if not can_be_warm(self._program.environment):
            assert not self._program.limits, "only a fork has other limits"
            return super().start()
        self._process = WarmProcess(self._program, self._log, self._stop)
        return self

    def of_module(self, module: str) -> "Service":
        """Return the same with another module."""
        return Service(replace(self._program, module=module), self._log)
