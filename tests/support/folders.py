"""Folders for the files of servers, removed at the end, or at the next start at latest.

A run that was killed leaves its folders, some of them in memory. Who uses one holds a
lock on it, which ends with the process.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time

PREFIX = "permanence-test-"
MEMORY = Path("/dev/shm")  # noqa: S108 # the folder in it has a name of its own
MEMORY_BYTES_MIN = 4 * 2**30
YOUNG_SECONDS = 60.0
"""A folder is locked a moment after it was made."""


@contextmanager
def reachable_folder(*, on_disk: bool = False) -> Iterator[Path]:
    """Give a folder `nobody` may pass (pytest's own are private), and remove it.

    A server that is killed finds its files in memory as well as on disk, and a fifth of
    the time of all tests went into making them.
    """
    parent = None if on_disk else _in_memory()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    folder.chmod(0o711)
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder)  # while it is locked: who sweeps would remove it, too
        os.close(lock)


def _in_memory() -> Path | None:
    """Return where files are kept in memory; None where there is no room for ours."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    return MEMORY if roomy else None


def sweep(
    parents: Iterable[Path] = (MEMORY, Path(tempfile.gettempdir())),
    *,
    young: float = YOUNG_SECONDS,
) -> None:
    """Remove the folders that runs left when they were killed.

    Those of others, which we may not remove, stay.
    """
    for parent in parents:
        for folder in parent.glob(f"{PREFIX}*"):
            if _is_left(folder, young):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path, young: float) -> bool:
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # it is another's, has just gone, or is no folder
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return time() - os.fstat(lock).st_ctime >= young
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
