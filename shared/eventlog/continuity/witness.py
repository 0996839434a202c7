"""What a process has seen of the log, in a file on its own disk.

NATS may be away when a service starts, or be restored together with the database. So
each process writes the newest event it knows to a file, and starts by comparing it with
the log: after each commit, before the answer leaves, and each second if others have
appended. Processes that share a folder compare all files in it.

A file has two slots of a fixed size, written in turn, each with a digest: whenever the
machine stops, one of them is whole, and a write costs one flush and no change of the
folder. Whether a file is missing or damaged, nothing is known from it.
"""

import fcntl
import os
from collections.abc import Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path
from threading import Lock
from weakref import finalize

from pydantic import ValidationError

from shared.eventlog.continuity.check import Continuity, EpochId, Mark
from shared.eventlog.continuity.last_seen import (
    UNKNOWN_SERVER,
    LastSeen,
    seen_at,
)

SLOT = 1024
SLOTS = 2
SUFFIX = ".seen"
FILES_MAX = 128
"""How many processes of one service share a folder; the most that `workers` allows."""
_DIGEST = 64


class Witness:
    """The file of one process; without a folder nothing is kept."""

    def __init__(self, folder: Path | None, service: str) -> None:
        self._folder = folder
        self._service = service
        self._guard = Lock()
        self._continuity: Continuity | None = None
        self._handle: int | None = None
        self._slot = 0
        self._kept: tuple[Mark, EpochId] | None = None
        self.server = UNKNOWN_SERVER
        """Where the log was when it was last looked at, and the numbers issued."""
        self.failure = ""
        """Why nothing can be kept; empty if it can, or need not."""

    @property
    def keeps(self) -> bool:
        """Whether there is a file to write to."""
        return self._handle is not None

    def begin(self, continuity: Continuity) -> Sequence[tuple[Path, LastSeen]]:
        """Take a file of its own and return what all files of the folder say; blocks.

        Never raises: a disk that cannot be written does not stop a service.
        """
        if self._folder is None:
            return []
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = read_folder(self._folder)
            with self._guard:
                path, self._handle = _own_file(self._folder, self._service)
                finalize(self, os.close, self._handle)
                self._slot = _next_slot(path)
        except OSError as error:
            self.failure = f"{self._folder}: {error.strerror or error}"
            return []
        self._continuity = continuity
        return found

    def keep(self) -> None:
        """Write what is known of the log, if it has changed; blocks, never raises.

        While the log is discontinued, that is what contradicts it.
        """
        continuity = self._continuity
        if continuity is None or not self.keeps:
            return
        with self._guard:  # who waited finds its own event kept by who was before
            known = continuity.remembered()
            if known == self._kept or not known[0].position:
                return
            try:
                self._write(seen_at(*known, self.server))
            except OSError as error:
                self.failure = f"{self._folder}: {error.strerror or error}"
            else:
                self._kept, self.failure = known, ""

    def _write(self, seen: LastSeen) -> None:
        assert self._handle is not None  # noqa: S101 # `keep` has looked
        os.pwrite(self._handle, _packed(seen), self._slot * SLOT)
        os.fdatasync(self._handle)
        self._slot = (self._slot + 1) % SLOTS


def read_folder(folder: Path) -> list[tuple[Path, LastSeen]]:
    """Return what each file in `folder` says that says anything; blocks.

    Raises `OSError` if it cannot be read. A folder that does not exist says nothing.
    """
    if not folder.is_dir():
        return []
    files = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    said = [(path, [seen for seen in _slots(path) if seen]) for path in files]
    return [(path, max(seen, key=lambda one: one.end)) for path, seen in said if seen]


def _own_file(folder: Path, service: str) -> tuple[Path, int]:
    """Return the first file of `service` that no other process holds, opened."""
    for number in count(1):
        name = service if number == 1 else f"{service}-{number}"
        path = folder / f"{name}{SUFFIX}"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            if number == FILES_MAX:
                raise
        else:
            os.fsync(handle)
            _flush_folder(folder)
            return path, handle
    raise AssertionError


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _next_slot(path: Path) -> int:
    """Return the slot to write first: one that is empty, or says less."""
    ends = [seen.end if seen else (0, 0) for seen in _slots(path)]
    return ends.index(min(ends))


def _slots(path: Path) -> list[LastSeen | None]:
    held = path.read_bytes()
    slots = [held[at * SLOT : (at + 1) * SLOT] for at in range(SLOTS)]
    return [_unpacked(slot) for slot in slots]


def _packed(seen: LastSeen) -> bytes:
    words = seen.model_dump_json().encode()
    slot = sha256(words).hexdigest().encode() + b" " + words
    return slot.ljust(SLOT - 1) + b"\n"


def _unpacked(slot: bytes) -> LastSeen | None:
    digest, words = slot[:_DIGEST], slot[_DIGEST:].strip()
    if sha256(words).hexdigest().encode() != digest:
        return None
    try:
        return LastSeen.model_validate_json(words)
    except ValidationError:
        return None
