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
from typing import NamedTuple
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
Slots = list[LastSeen | None]


class Kept(NamedTuple):
    """What the files of a folder say, and which could not be read."""

    found: Sequence[tuple[Path, LastSeen]] = ()
    failures: Sequence[str] = ()


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
        self._found: Sequence[tuple[Path, LastSeen]] = ()
        self._unread: Sequence[str] = ()
        self._unwritten = ""
        self.server = UNKNOWN_SERVER
        """Where the log was when it was last looked at, and the numbers issued."""

    @property
    def keeps(self) -> bool:
        """Whether there is a file to write to."""
        return self._handle is not None

    @property
    def failure(self) -> str:
        """What cannot be kept or read; empty if all can, or need not."""
        wrong = [*self._unread, *([self._unwritten] if self._unwritten else [])]
        return "; ".join(dict.fromkeys(wrong))

    def begin(self, continuity: Continuity) -> bool:
        """Compare all files of the folder, and take one; blocks.

        Returns whether they say anything. Never raises: a disk that cannot be written
        does not stop a service.
        """
        self._continuity = continuity
        self.compare()
        says = bool(self._found)
        self.open()
        return says

    def compare(self) -> bool:
        """Expect of the log what all files say, as far as they can be read; blocks.

        Returns False if too much waits to be judged.
        """
        kept = read_folder(self._folder) if self._folder else Kept()
        self._found, self._unread = kept.found, kept.failures
        return all([self._expects(*each) for each in kept.found])  # noqa: C419 # each

    def open(self) -> None:
        """Take a file of its own, unless it has one; blocks, never raises."""
        with self._guard:
            if self._folder is None or self._handle is not None:
                return
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                path, handle, slots = _own_file(self._folder, self._service)
            except OSError as error:
                self._unwritten = _said(error.filename or self._folder, error)
                return
            finalize(self, os.close, handle)
            if says := _furthest(slots):  # since it could be read, or was compared
                self._expects(path, says)
            ends = [seen.end if seen else (0, 0) for seen in slots]
            self._slot = ends.index(min(ends))
            self._handle, self._unwritten = handle, ""

    def _expects(self, path: Path, seen: LastSeen) -> bool:
        assert self._continuity is not None  # noqa: S101 # `begin` was called
        return self._continuity.expect(seen.evidence(f"the file {path}"))

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
                self._unwritten = _said(self._folder, error)
            else:
                self._kept, self._unwritten = known, ""

    def _write(self, seen: LastSeen) -> None:
        assert self._handle is not None  # noqa: S101 # `keep` has looked
        os.pwrite(self._handle, _packed(seen), self._slot * SLOT)
        os.fdatasync(self._handle)
        self._slot = (self._slot + 1) % SLOTS


def read_folder(folder: Path) -> Kept:
    """Return what each file in `folder` says that says anything; blocks.

    A folder that does not exist says nothing, nor does a damaged file.
    """
    found: list[tuple[Path, LastSeen]] = []
    failures: list[str] = []
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX)
    except FileNotFoundError:
        return Kept()
    except OSError as error:
        return Kept(failures=[_said(folder, error)])
    for path in files:
        try:
            seen = _furthest(_slots(path.read_bytes()))
        except OSError as error:
            failures.append(_said(path, error))
        else:
            found += [(path, seen)] if seen else []
    return Kept(found, failures)


def _said(path: object, error: OSError) -> str:
    return f"{path}: {error.strerror or error}"


def _own_file(folder: Path, service: str) -> tuple[Path, int, Slots]:
    """Open the first file of `service` that no other process holds."""
    for number in count(1):
        name = service if number == 1 else f"{service}-{number}"
        path = folder / f"{name}{SUFFIX}"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fsync(handle)
            _flush_folder(folder)
            slots = _slots(os.pread(handle, SLOTS * SLOT, 0))
        except BlockingIOError:
            os.close(handle)
            if number == FILES_MAX:
                raise
        except OSError:
            os.close(handle)
            raise
        else:
            return path, handle, slots
    raise AssertionError


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _furthest(slots: Slots) -> LastSeen | None:
    return max((seen for seen in slots if seen), key=lambda one: one.end, default=None)


def _slots(held: bytes) -> Slots:
    return [_unpacked(held[at * SLOT : (at + 1) * SLOT]) for at in range(SLOTS)]


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
