"""The folder a desk on one machine keeps everything in, `.permanence` by default."""

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from shared.machine.account import Account
from shared.machine.data_place import link_elsewhere, usual_places
from shared.machine.trouble import Exit, Trouble

_OF_A_DESK = {"lock", "credentials.json", "postgres"}
_NO_MATTER = {".writable", "lost+found", "demo"}

ROOM_TO_START_MB = 256
"""Free space below which we do not start: PostgreSQL would stop half-way."""


def open_home(
    home: Path, account: Account | None, places: Sequence[Path] | None = None
) -> Path:
    """Make `home` if need be and return where it really is.

    Others may not look inside. If a server runs as `account`, it may pass through; if
    it cannot reach `home`, that becomes a link to a folder in one of `places`.
    Trouble: it cannot be made or written, is somebody else's, or its disk is nearly
    full.
    """
    home = home.absolute()
    try:
        _demand_target(home)
        if home.is_dir():
            _demand_ours(home)
        if account:
            link_elsewhere(home, account, places or usual_places())
        home = home.resolve()
        _make(home, account)
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


def _make(home: Path, account: Account | None) -> None:
    missing = [path for path in (home, *home.parents) if not path.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        if account:  # whatever the umask is
            folder.chmod(0o711)


def _demand_target(home: Path) -> None:
    """Raise a `Trouble` if `home` is a link to data that has gone."""
    for path in (home, *home.parents):
        if path.is_symlink() and not path.exists():
            raise Trouble(
                f"The data of this desk was in {path.readlink()}, which {path} links "
                f"to, and is gone: put it back, or remove the link {path} to start "
                "afresh.",
                Exit.FOLDER,
            )


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
