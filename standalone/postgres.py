"""Creates, migrates and runs a private PostgreSQL from the programs of a wheel.

All users have passwords (scram), it listens on 127.0.0.1 only, without a socket file or
daemon: the server is a direct child, logs to stderr and stops on SIGINT.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import psycopg

from shared.clock import LeverClock
from shared.database.clock_mode import ClockMode, LeverRefused, clock_mode
from shared.database.migrate import Mismatch, migrate
from standalone.folder import Account, blocked_at, private_folder, unreachable
from standalone.ports import HOST
from standalone.startup_error import Exit, StartupError

OWNER = "permanence_owner"
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "120",
    # A batch of signals locks each of its keys and event ids.
    "max_locks_per_transaction": "256",
    "synchronous_commit": "on",
    # The desk sends no notifications; who may only read could fill the disk with them.
    "max_notify_queue_pages": "64",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%q%u ",
    "log_checkpoints": "off",
    # A failed statement may contain personal data: it is not logged.
    "log_min_error_statement": "panic",
}


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL of our own: `home` has its files, `password` is its owner's."""

    home: Path
    port: int
    password: str
    durable: bool = True  # False (no fsync) only for data that no test will miss

    @property
    def data(self) -> Path:
        """The data directory of PostgreSQL."""
        return self.home / "data"

    def dsn(self, database: str, user: str = OWNER, password: str = "") -> str:
        """Return the URL of `database` for `user`, by default the owner."""
        secret = password or self.password
        return f"postgresql://{user}:{secret}@{HOST}:{self.port}/{database}"


def create_cluster(cluster: Cluster, programs: Path, account: Account | None) -> None:
    """Run initdb unless it was done; an unfinished cluster never gets the final name.

    StartupError: `account` cannot reach the folder, or initdb failed.
    """
    private_folder(cluster.home, account)
    if account and (wall := blocked_at(cluster.home, account)):
        raise unreachable(wall, account)
    if cluster.data.exists():
        return
    fresh = cluster.home / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)  # of an initdb that was killed
    private_folder(fresh, account)
    secret = cluster.home / "owner-password"
    try:
        secret.touch(mode=0o600)
        secret.write_text(cluster.password, encoding="ascii")
        if account:
            os.chown(secret, account.uid, account.gid)
        _initdb(programs, fresh, secret, account, durable=cluster.durable)
    finally:
        secret.unlink(missing_ok=True)
    fresh.rename(cluster.data)


def _initdb(
    programs: Path, data: Path, secret: Path, account: Account | None, *, durable: bool
) -> None:
    command: list[str | Path] = [programs / "initdb", "-D", data, "-U", OWNER]
    command += ["--pwfile", secret]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    if durable:
        given = memory_settings(machine_memory()).items()
        command += [f"--set={name}={value}" for name, value in given]
    else:
        command.append("--no-sync")
    made = subprocess.run(
        command,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        cwd=data,
        start_new_session=True,  # we handle Ctrl-C
        env={"PATH": os.defpath, "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise _initdb_failed(data, made.stderr)


def memory_settings(total: int) -> Mapping[str, str]:
    """Return what PostgreSQL may use of `total` bytes, which the services share.

    They are written into `postgresql.conf` with the data: an administrator may change
    them there or by `ALTER SYSTEM`, which arguments of the server would override.
    """
    megabytes = total // 2**20
    return {
        "shared_buffers": f"{min(max(128, megabytes // 8), 2048)}MB",
        "effective_cache_size": f"{max(256, megabytes // 2)}MB",
        "maintenance_work_mem": f"{min(max(64, megabytes // 32), 512)}MB",
    }


def machine_memory(root: Path = Path("/")) -> int:
    """Return the bytes that this machine has, or less if control groups limit us.

    The limit may be that of our group or of one above it; a container sees its own
    group at the top of the tree.
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    tree = root / "sys/fs/cgroup"
    with suppress(OSError):
        groups = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        for _, controllers, path in (line.split(":", 2) for line in groups):
            if controllers == "":
                top, name = tree, "memory.max"
            elif "memory" in controllers.split(","):
                top, name = tree / "memory", "memory.limit_in_bytes"
            else:
                continue
            ours = top / path.lstrip("/")
            for group in (ours, *ours.parents):
                if group.is_relative_to(top):
                    with suppress(OSError, ValueError):  # not there, or "max"
                        limits.append(int((group / name).read_text(encoding="ascii")))
    return min(limits)


def _initdb_failed(data: Path, output: str) -> StartupError:
    if "No space left on device" in output:
        return StartupError(
            f"The disk that holds {data.parent} is full: make room there, or choose "
            "another folder with PERMANENCE_HOME=… make up",
            Exit.DISK_FULL,
        )
    last = output.strip().splitlines()[-1:] or ["it gave no reason"]
    return StartupError(
        f"PostgreSQL could not make its files in {data.parent}: {last[0]}"
    )


def server_command(cluster: Cluster, programs: Path) -> list[str]:
    """Return the command that serves `cluster` until SIGINT (clean) or SIGQUIT."""
    settings = {
        **_SETTINGS,
        "port": str(cluster.port),
        "fsync": "on" if cluster.durable else "off",
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    return [str(programs / "postgres"), "-D", str(cluster.data), *options]


def wait_until_serving(
    dsn: str, alive: Callable[[], bool], patience: float = 60
) -> None:
    """Return once `dsn` accepts a connection, at most `patience` seconds from now.

    StartupError: the server is no longer `alive`, refuses our password, or takes too
    long.
    """
    deadline = monotonic() + patience
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=5).close()
        except psycopg.OperationalError as refused:
            if "password authentication failed" in str(refused):
                raise StartupError(
                    "PostgreSQL does not take the password of credentials.json: these "
                    "credentials belong to other data. Put the matching file back, or "
                    "start again with `make clean` (which deletes the data).",
                    Exit.CREDENTIALS,
                ) from refused
            if not alive() or monotonic() > deadline:
                raise StartupError(
                    "PostgreSQL did not come up; its own lines say why."
                ) from refused
            sleep(0.05)
        else:
            return


def migrate_desk(
    owner: str, roles: Mapping[str, str], clock: ClockMode | None = None
) -> None:
    """Bring the database up to date; an empty log gets the mode `clock`.

    Raises `StartupError` if that is not possible.
    """
    try:
        migrate(owner, roles, clock=clock)
    except Mismatch as reason:
        raise StartupError(f"{reason}.", Exit.MIGRATION) from reason
    except psycopg.Error as reason:
        why = str(reason).strip().splitlines()[0]
        raise StartupError(
            f"The database cannot be migrated: {why}. DATABASE_URL, where it is set, "
            "must name a database that runs and a user who may create roles.",
            Exit.MIGRATION,
        ) from reason


def demand_lever(owner: str, lever: Path) -> None:
    """Raise `StartupError` if the log uses no lever, or `lever` contains no time."""
    with psycopg.connect(owner) as connection:
        mode = clock_mode(connection.cursor())
    if mode != "lever":
        raise StartupError(f"{LeverRefused()}.", Exit.USAGE)
    try:
        LeverClock(lever)()
    except (OSError, ValueError, LookupError, TypeError) as reason:
        raise StartupError(
            f"PERMANENCE_CLOCK_LEVER={lever} shows no time: write the file first, for "
            'example {"real": 0, "shown": 1751266800, "speed": 0}.',
            Exit.USAGE,
        ) from reason
