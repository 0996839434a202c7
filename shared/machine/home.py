"""The folder a desk on one machine keeps everything in, `.permanence` by default."""

import errno
import os
import shutil
from pathlib import Path

from shared.machine.account import Account
from shared.machine.trouble import Exit, Trouble

_OF_A_DESK = {"lock", "credentials.json", "postgres"}
_NO_MATTER = {".writable", "lost+found", "demo"}

ROOM_TO_START_MB = 256
"""Free space below which we do not start: PostgreSQL would stop half-way."""


def open_home(home: Path, account: Account | None) -> Path:
    """Make `home` if need be and return its absolute path.

    Others may not look inside; where a server runs as `account` it may pass through.
    Trouble: it cannot be made or written, is somebody else's, or its disk is nearly
    full.
    """
    home = home.absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
        _demand_ours(home)
        home.chmod(0o711 if account else 0o700)
        probe = home / ".writable"
        probe.write_bytes(bytes(4096))
        probe.unlink()
    except OSError as reason:
        raise _unwritable(home, reason) from reason
    free = free_megabytes(home)
    if free < ROOM_TO_START_MB:
        raise Trouble(
            f"Only {free} MB are free on the disk that holds {home}; "
            f"{ROOM_TO_START_MB} MB are needed to start. Make room, or choose another "
            "folder with PERMANENCE_HOME=… make up",
            Exit.DISK_FULL,
        )
    return home


def free_megabytes(folder: Path) -> int:
    """Return the free space of the disk that holds `folder`, in MB."""
    return shutil.disk_usage(folder).free // 1_000_000


def write_private(path: Path, text: str) -> None:
    """Write `path` whole or not at all, readable by its owner only, and durably."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _demand_ours(home: Path) -> None:
    """Raise a `Trouble` where other things lie in `home`: we close it to others."""
    found = {path.name for path in home.iterdir()} - _NO_MATTER
    if found and found.isdisjoint(_OF_A_DESK):
        raise Trouble(
            f"The folder {home} holds other things than a desk: give it one of its "
            "own with PERMANENCE_HOME=… make up",
            Exit.FOLDER,
        )


def _unwritable(home: Path, reason: OSError) -> Trouble:
    return Trouble(
        f"The folder {home} cannot be written ({reason.strerror}): make it yours, or "
        "choose another with PERMANENCE_HOME=… make up",
        Exit.DISK_FULL if reason.errno == errno.ENOSPC else Exit.FOLDER,
    )
