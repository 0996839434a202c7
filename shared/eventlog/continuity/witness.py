"""What a process has seen of the log, in a file on its own disk.

NATS may be away when a service starts, or be restored together with the database. So
each process writes the newest event it knows to a file, and starts by comparing it with
the log: after each commit, before the answer leaves, and each second if others have
appended. Processes that share a folder compare all files in it. A file also names the
log it is about, by its first event, and the highest numbers of references known.

A file has two slots of a fixed size, each with a digest: whenever the machine stops,
one of them is whole, and a write costs one flush and no change of the folder. All that
is whole is compared, and a slot is written over only once it was: not while the log
lacks what it says. Whether a file is missing or damaged, nothing is known from it.
"""

import fcntl
import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import count
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from typing import NamedTuple
from weakref import finalize

from pydantic import ValidationError

from shared.eventlog.continuity.check import Continuity
from shared.eventlog.continuity.evidence import Evidence
from shared.eventlog.continuity.last_seen import LastSeen, seen_as

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


class _File(NamedTuple):
    """The file that a process writes to, which it holds open and locked."""

    path: Path
    handle: int
    slots: Slots

    @property
    def is_gone(self) -> bool:
        """Whether it was deleted or replaced: nobody will read what is written."""
        try:
            there = self.path.stat()
        except OSError:
            return True  # or cannot be reached, which `open` finds out
        return not os.path.samestat(there, os.fstat(self.handle))


class Witness:
    """The file of one process; without a folder nothing is kept."""

    def __init__(self, folder: Path | None, service: str) -> None:
        self._folder = folder
        self._service = service
        self._guard = Lock()
        self._continuity: Continuity | None = None
        self._file: _File | None = None
        self._close: Callable[[], object] = lambda: None
        self._found: Sequence[tuple[Path, LastSeen]] = ()
        self._unread: Sequence[str] = ()
        self._unwritten = ""
        self.said = False
        """Whether there were files that say something when the process started."""

    @property
    def keeps(self) -> bool:
        """Whether there is a file to write to."""
        return self._file is not None

    @property
    def failure(self) -> str:
        """What cannot be kept or read; empty if all can, or need not."""
        wrong = [*self._unread, *([self._unwritten] if self._unwritten else [])]
        return "; ".join(dict.fromkeys(wrong))

    @property
    def of_another_log(self) -> Sequence[Path]:
        """The files of others that are about another log."""
        continuity, found = self._continuity, self._found
        if continuity is None:
            return []
        others = [
            path
            for path, seen in found
            if continuity.is_of_another_log(_told(path, seen))
        ]
        return list(dict.fromkeys(others))

    def begin(self, continuity: Continuity) -> None:
        """Compare all files of the folder, and take one; blocks.

        Never raises: a disk that cannot be written does not stop a service.
        """
        self._continuity = continuity
        self.compare()
        self.said = bool(self._found)
        self.open()

    def compare(self) -> bool:
        """Expect of the log what all files say, as far as they can be read; blocks.

        Its own was compared when it was opened. If that was deleted, another is begun.
        Returns False if too much waits to be judged.
        """
        if self._file is not None and self._file.is_gone:
            self._give_up()
            self.open()
            self.keep()
        own = self._file.path if self._file else None
        kept = read_folder(self._folder, but=own) if self._folder else Kept()
        self._found, self._unread = kept.found, kept.failures
        return all([self._expects(*each) for each in kept.found])  # noqa: C419 # each

    def open(self) -> None:
        """Take a file of its own, unless it has one; blocks, never raises."""
        with self._guard:
            if self._folder is None or self._file is not None:
                return
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                file = _own_file(self._folder, self._service)
            except OSError as error:
                self._unwritten = _said(error.filename or self._folder, error)
                return
            close = finalize(self, os.close, file.handle)
            # Since the others were read, or this one could be.
            if not all([self._expects(file.path, seen) for seen in file.slots if seen]):  # noqa: C419 # each
                close()
                self._unwritten = f"{file.path}: too much waits to be compared"
                return
            self._close = close
            self._file, self._unwritten = file, ""

    def _give_up(self) -> None:
        with self._guard:
            self._file = None
            self._close()

    def _expects(self, path: Path, seen: LastSeen) -> bool:
        assert self._continuity is not None  # noqa: S101 # `begin` was called
        return self._continuity.expect(_told(path, seen))

    def keep(self) -> None:
        """Write what is known of the log, if it has changed; blocks, never raises.

        While the log is discontinued, that is what contradicts it.
        """
        continuity = self._continuity
        if continuity is None or not self.keeps:
            return
        with self._guard:  # who waited finds its own event kept by who was before
            known, file = continuity.remembered(), self._file
            if file is None or not known.mark.position or _says(file.slots, known):
                return
            at = _written_over(file, continuity)
            if at is None:
                return
            try:
                seen = seen_as(known)
                os.pwrite(file.handle, _packed(seen), at * SLOT)
                os.fdatasync(file.handle)
            except OSError as error:
                self._unwritten = _said(self._folder, error)
            else:
                file.slots[at], self._unwritten = seen, ""


def read_folder(folder: Path, but: Path | None = None) -> Kept:
    """Return all that each file in `folder` says, except one; blocks.

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
        if path == but:
            continue
        try:
            if not S_ISREG(path.stat().st_mode):  # a pipe would never answer
                failures.append(f"{path}: is not a regular file")
                continue
            slots = _slots(path.read_bytes())
        except FileNotFoundError:
            continue  # since the folder was listed
        except OSError as error:
            failures.append(_said(path, error))
        else:
            found += [(path, seen) for seen in slots if seen]
    return Kept(found, failures)


def _told(path: Path, seen: LastSeen) -> Evidence:
    return seen.evidence(f"the file {path}")


def _says(slots: Slots, known: Evidence) -> bool:
    """Return whether a slot says it already, and of which log."""
    return any(
        seen.evidence("").event == known.event and known.origin in {"", seen.origin}
        for seen in slots
        if seen
    )


def _written_over(file: _File, continuity: Continuity) -> int | None:
    """Return the slot to write next; None if the log lacks what each of them says.

    Nor is one written over that was not compared yet.
    """
    ends: dict[int, tuple[int, int]] = {}
    for at, seen in enumerate(file.slots):
        if seen is None:
            return at
        told = _told(file.path, seen)
        if not continuity.misses(told):
            ends[at] = (0, 0) if continuity.is_of_another_log(told) else told.end
    return min(ends, key=lambda at: ends[at], default=None)


def _said(path: object, error: OSError) -> str:
    return f"{path}: {error.strerror or error}"


def _own_file(folder: Path, service: str) -> _File:
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
            return _File(path, handle, slots)
    raise AssertionError


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
