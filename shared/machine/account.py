"""Whom PostgreSQL runs as: ourselves, or `nobody` where we are root.

PostgreSQL refuses to run as root. We never widen a folder that is not ours: what
`nobody` cannot pass makes the data lie elsewhere (`data_place.py`).
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """A user a server is started as."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the account to drop to, or None where we already are a mere user."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_name, nobody.pw_uid, nobody.pw_gid)


def blocked_at(path: Path, account: Account | None) -> Path | None:
    """Return the first folder on the way to `path` that `account` may not pass."""
    if account is None:
        return None
    for folder in (*reversed(path.resolve().parents), path.resolve()):
        if folder.is_dir() and not _may_pass(folder.stat(), account):
            return folder
    return None


def _may_pass(held: os.stat_result, account: Account) -> bool:
    if held.st_uid == account.uid:
        return bool(held.st_mode & stat.S_IXUSR)
    if held.st_gid == account.gid:
        return bool(held.st_mode & stat.S_IXGRP)
    return bool(held.st_mode & stat.S_IXOTH)


def private_folder(path: Path, account: Account | None) -> Path:
    """Make the folder `path` (its parent exists) and give it to `account` alone."""
    path.mkdir(mode=0o700, exist_ok=True)
    if account:
        os.chown(path, account.uid, account.gid)
    return path
