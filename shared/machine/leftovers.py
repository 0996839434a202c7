"""Processes an earlier desk left behind when its supervisor was killed with -9.

The kernel ends them (see `launch.py`); this waits for that, and ends those it missed.
A process is ours only if number and start both match: numbers are used again.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL

import psutil

from shared.machine.home import write_private

_PATIENCE_SECONDS = 15
_SAME_START_SECONDS = 2.0


def register_file(home: Path) -> Path:
    """Return the file that remembers the children of the desk in `home`."""
    return home / "pids.json"


def register(home: Path, pids: Mapping[str, int]) -> None:
    """Remember the children that run now."""
    known = {}
    for name, pid in pids.items():
        with suppress(psutil.NoSuchProcess):  # it just ended
            known[name] = [pid, psutil.Process(pid).create_time()]
    write_private(register_file(home), json.dumps(known))


def leftovers(home: Path) -> list[psutil.Process]:
    """Return the registered processes that still run."""
    try:
        known = json.loads(register_file(home).read_text(encoding="utf-8"))
        candidates = [(int(pid), float(start)) for pid, start in known.values()]
    except (OSError, ValueError, TypeError, AttributeError):
        return []
    return [
        process
        for pid, start in candidates
        if (process := _same(pid, start)) is not None
    ]


def end_leftovers(home: Path) -> int:
    """Wait for what is left of an earlier desk, end what stays; return how many."""
    left = leftovers(home)
    _, stubborn = psutil.wait_procs(left, timeout=_PATIENCE_SECONDS if left else 0)
    for process in stubborn:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)  # each child leads a group of its own
    psutil.wait_procs(stubborn, timeout=_PATIENCE_SECONDS)
    register_file(home).unlink(missing_ok=True)
    return len(left)


def _same(pid: int, start: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        near = abs(process.create_time() - start) < _SAME_START_SECONDS
        alive = process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if near and alive else None
