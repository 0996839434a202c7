"""One of the four services as a process of its own."""

import sys
from collections.abc import Mapping
from pathlib import Path
from signal import SIGTERM
from typing import Self

from tests.support.servers.forked_services import WarmProcess, can_be_warm
from tests.support.servers.server import Server


class Service(Server):
    """`python -m module` in this environment and no other, or a fork that runs it."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path) -> None:
        given = (f"{name}={value}" for name, value in environment.items())
        command = ["/usr/bin/env", *given, sys.executable, "-m", module]
        super().__init__(command, None, log, SIGTERM)
        self._module = module
        self._environment = environment

    def start(self) -> Self:
        """Start it; the caller waits until it serves."""
        if not can_be_warm(self._environment):
            return super().start()
        self._process = WarmProcess(
            self._module, self._environment, self._log, self._stop
        )
        return self

    def of_module(self, module: str) -> "Service":
        """Return the same with another module."""
        return Service(module, self._environment, self._log)
