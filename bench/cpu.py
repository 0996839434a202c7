"""The processor time of each program in a measurement, to find the bottleneck."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from tests.support.desks.running import Desk


@dataclass
class Used:
    """Processor seconds by program; filled when the measured part is over."""

    seconds: dict[str, float] = field(default_factory=dict)

    def each(self, number: float) -> str:
        """Return the µs of each program per item, for `number` items."""
        return "CPU µs each: " + ", ".join(
            f"{name} {1e6 * used / number:.0f}"
            for name, used in self.seconds.items()
            if used
        )


@contextmanager
def used_by(desk: Desk) -> Iterator[Used]:
    """Measure the processor time of a desk's programs while the body runs."""
    before = _seconds(desk)
    used = Used()
    yield used
    after = _seconds(desk)
    used.seconds = {name: after[name] - before[name] for name in after}


def _seconds(desk: Desk) -> Mapping[str, float]:
    pids = {
        **{name: s.pid for name, s in desk.services.items() if s.alive()},
        "PostgreSQL": desk.postgres.pid,
        "nats-server": desk.nats.pid,
    }
    return {name: _of(psutil.Process(pid)) for name, pid in pids.items()}


def _of(process: psutil.Process) -> float:
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        times = each.cpu_times()
        total += times.user + times.system
    return total
