"""The folder of a desk on one machine: its place, its owner, its lock, its `run.json`.

PostgreSQL refuses to run as root: as root we run it as `nobody`, who may enter neither
`/root` nor what `mktemp -d` makes. We never widen the rights of a folder that is not
ours. Instead the data goes to a folder that `nobody` can reach, and the chosen folder
(by default `.permanence`) is a link to it.

One desk per folder: the kernel drops the lock together with the process that holds it,
so a lock file left behind by a kill -9 does no harm. `run.json` says where a desk is,
for tools and tests; it exists while the desk serves.
"""

import errno
import fcntl
import json
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from standalone.startup_error import Exit, StartupError


@dataclass(frozen=True)
class Account:
    """A user that a server is started as."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the account to switch to, or None if we are not root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_name, nobody.pw_uid, nobody.pw_gid)


def blocked_at(path: Path, account: Account | None) -> Path | None:
    """Return the first folder on the way to `path` that `account` may not enter."""
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


def lock_file(home: Path) -> Path:
    """Return the file that is locked while a desk runs; it holds the process id."""
    return home / "lock"


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the lock of `home`. StartupError: another desk is running there."""
    with lock_file(home).open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartupError(
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
    """Return the process that holds the lock of `home`; None if nobody holds it.

    StartupError: we may not read `home`.
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
        raise StartupError(
            f"The folder {home} is closed to you: call this as the user it belongs to.",
            Exit.FOLDER,
        ) from None
    return None


SYSTEM_PLACE = Path("/var/lib/permanence")


def usual_places() -> Sequence[Path]:
    """Return the folders where linked data may be stored, the best one first."""
    return (SYSTEM_PLACE, Path(tempfile.gettempdir()))


def place_for(account: Account, places: Sequence[Path]) -> Path | None:
    """Return the first of `places` that `account` can reach and we may write.

    None if there is no such place. A place that does not exist yet is judged by the
    folder that it would be created in.
    """
    for place in places:
        ground = place if place.exists() else place.parent
        if (
            ground.is_dir()
            and os.access(ground, os.W_OK | os.X_OK)
            and _only_owners_remove(ground)
            and blocked_at(ground, account) is None
        ):
            return place
    return None


def _only_owners_remove(folder: Path) -> bool:
    """Tell whether nobody else can replace our folder by another one."""
    held = folder.stat()
    shared = held.st_mode & (stat.S_IWOTH | stat.S_IWGRP)
    return held.st_uid in {0, os.geteuid()} and (
        not shared or bool(held.st_mode & stat.S_ISVTX)
    )


def link_elsewhere(home: Path, account: Account, places: Sequence[Path]) -> None:
    """Place `home` where `account` can reach it, if it cannot yet.

    The first folder on the way to `home` that does not exist becomes the link, so that
    everything created in it can be reached too. StartupError: data exists already, or
    there is no suitable place. The home of a running desk is left as it is.
    """
    wall = blocked_at(home, account)
    if wall is None or holder(home) is not None:
        return
    place = place_for(account, places)
    if place is None or (home / "postgres").exists():
        raise unreachable(wall, account)
    if not place.exists():
        place.mkdir()
        place.chmod(0o711)
    made = Path(tempfile.mkdtemp(prefix=_prefix(home, place), dir=place))
    made.chmod(0o711)
    link = _first_missing(home)
    if link.is_dir():  # of a desk that never came up
        for path in link.iterdir():
            shutil.move(path, made)
        link.rmdir()
    try:
        link.symlink_to(made, target_is_directory=True)
    except FileExistsError:  # another process was faster
        with suppress(OSError):
            made.rmdir()


def unreachable(wall: Path, account: Account) -> StartupError:
    """Return the message for an `account` that cannot enter `wall`."""
    return StartupError(
        f"PostgreSQL does not run as root, so it runs as {account.name}, who may "
        f"not pass {wall}. Keep the data elsewhere with "
        "PERMANENCE_HOME=/var/lib/permanence/desk make up, or run as an ordinary user.",
        Exit.FOLDER,
    )


def linked(home: Path) -> str:
    """Return a sentence that says where the data is; empty if it is in `home`."""
    chosen, real = home.absolute(), home.resolve()
    way = (chosen, *chosen.parents)
    link = next(filter(os.path.islink, way), None)  # does not raise
    if link is None or chosen == real:
        return ""
    return f"The data is in {real}: {link} is a link."


def _prefix(home: Path, place: Path) -> str:
    checkout = home.absolute().parent.name
    return f"{checkout}-" if place == SYSTEM_PLACE else f"permanence-{checkout}-"


def _first_missing(home: Path) -> Path:
    chosen = home.absolute()
    missing = [path for path in (chosen, *chosen.parents) if not path.exists()]
    return missing[-1] if missing else chosen


_OF_A_DESK = {"lock", "credentials.json", "postgres"}
_NO_MATTER = {".writable", "lost+found", "demo"}

ROOM_TO_START_MB = 256
"""Free space below which we do not start: PostgreSQL would fail while running."""


def open_home(
    home: Path, account: Account | None, places: Sequence[Path] | None = None
) -> Path:
    """Create `home` if necessary and return its real path.

    Others may not look inside. If a server runs as `account`, it may pass through; if
    it cannot reach `home`, that becomes a link to a folder in one of `places`.
    StartupError: it cannot be created or written, belongs to somebody else, or its disk
    is nearly full.
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
        raise StartupError(
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
    """Write `path` atomically and durably, readable by its owner only."""
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
    """Raise a `StartupError` if `home` is a link to data that no longer exists."""
    for path in (home, *home.parents):
        if path.is_symlink() and not path.exists():
            raise StartupError(
                f"The data of this desk was in {path.readlink()}, which {path} links "
                f"to, and is gone: put it back, or remove the link {path} to start "
                "afresh.",
                Exit.FOLDER,
            )


def _demand_ours(home: Path) -> None:
    """Raise a `StartupError` if `home` has other contents: we make it private."""
    found = {path.name for path in home.iterdir()} - _NO_MATTER
    if found and found.isdisjoint(_OF_A_DESK):
        raise StartupError(
            f"The folder {home} holds other things than a desk: give it one of its "
            "own with PERMANENCE_HOME=… make up",
            Exit.FOLDER,
        )


def _unwritable(home: Path, reason: OSError) -> StartupError:
    return StartupError(
        f"The folder {home} cannot be written ({reason.strerror}): make it yours, or "
        "choose another with PERMANENCE_HOME=… make up",
        Exit.DISK_FULL if reason.errno == errno.ENOSPC else Exit.FOLDER,
    )


@dataclass(frozen=True)
class Run:
    """Addresses and keys of a running desk; `pids` by the name of the process.

    `database_url` is the owner's, `admin_database_url` that of the command line.
    """

    intake_url: str
    api_url: str
    nats_url: str
    database_url: str
    token: str
    source_key: str
    pids: Mapping[str, int]
    admin_database_url: str = ""
    """Empty in the file of an older version."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Of each service, by its name; empty in the file of an older version."""
    projections_database_url: str = ""
    """For commands that touch read models; empty in the file of an older version."""


def witness_folder(home: Path) -> Path:
    """Return where the services of `home` keep what they have seen of the log.

    Beside `postgres`, so that an older copy of that alone is noticed.
    """
    return home / "witness"


def run_file(home: Path) -> Path:
    """Return the path of the run file of `home`."""
    return home / "run.json"


def write_run(home: Path, run: Run) -> None:
    """Write where the desk is; mode 0600, since it contains keys."""
    write_private(run_file(home), json.dumps(asdict(run), indent=1))


def read_run(home: Path) -> Run | None:
    """Return what the run file says, None if it is missing or unusable."""
    try:
        return Run(**json.loads(run_file(home).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def remove_run(home: Path) -> None:
    """Remove the run file: no desk serves here."""
    run_file(home).unlink(missing_ok=True)
