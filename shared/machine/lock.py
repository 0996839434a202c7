"""One desk a folder: a lock the kernel drops with the process that holds it.

A lock file left behind by a kill -9 is therefore never in the way.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.machine.trouble import Exit, Trouble


def lock_file(home: Path) -> Path:
    """Return the file that is locked while a desk runs; it holds the process id."""
    return home / "lock"


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the lock of `home`. Trouble: another desk runs there."""
    with lock_file(home).open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(
                f"A desk already runs in {home} (process {holder(home) or 'unknown'}). "
                "Stop it with `make down`, or give this one a folder of its own: "
                "PERMANENCE_HOME=… make up",
                Exit.ALREADY_RUNNING,
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def holder(home: Path) -> int | None:
    """Return the process that holds the lock of `home`; None where nobody does.

    Trouble: `home` is closed to us.
    """
    try:
        with lock_file(home).open("r", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0)
    except FileNotFoundError:
        return None
    except PermissionError:
        raise Trouble(
            f"The folder {home} is closed to you: call this as the user it belongs to.",
            Exit.FOLDER,
        ) from None
    return None
