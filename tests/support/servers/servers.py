"""Real PostgreSQL and nats-server for tests, and a fresh desk on them for each.

Fixtures are in `tests/conftest.py`: `database` (fresh and migrated) and `bus`
(JetStream wiped). A test that kills servers takes its own from `running_postgres`
and `running_nats`, which keep their port and files from `kill()` to `start()`.
"""

import asyncio
import atexit
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import get_args

import psycopg
from psycopg import sql

from shared.database.clock_mode import ClockMode
from shared.database.migrate import ROLES, migrate
from shared.security.nats_issuer import Issuer, seed_of
from standalone import nats as our_nats
from standalone import postgres as our_postgres
from standalone.folder import private_folder, server_account
from standalone.nats import USERS, Bus
from standalone.postgres import Cluster
from standalone.servers import nats_binary, postgres_binaries
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, until
from tests.support.ports import reserved_port
from tests.support.servers.nats_clients import connected_to
from tests.support.servers.server import Server

ISSUER_SEED = seed_of(bytes(32))
"""Of the key that says which sources may connect to NATS."""
ROLE_PASSWORDS = {role: f"secret-of-{role}" for role in ROLES}
QUICK_PASSWORDS = "--scram_iterations=1"
"""Who connects derives a key from their password: 4,096 rounds take 4 ms of CPU."""
_numbers = count(1)


@cache
def postgres_programs() -> Path:
    """Return the programs of PostgreSQL; a checkout out of reach is copied but once."""
    account = server_account()
    folders = ExitStack()
    atexit.register(folders.close)
    return postgres_binaries(account, folders.enter_context(reachable_folder()))


@dataclass(frozen=True)
class Database:
    """One database of a running PostgreSQL."""

    cluster: Cluster
    name: str

    @property
    def owner_dsn(self) -> str:
        """The URL for the owner, who may do anything."""
        return self.cluster.dsn(self.name)

    def dsn(self, role: str) -> str:
        """Return the URL for one of our roles: `desk_intake` and so on."""
        return self.cluster.dsn(self.name, role, ROLE_PASSWORDS[role])


class PostgresServer(Server):
    """A running PostgreSQL."""

    def __init__(self, folder: Path, *, durable: bool, virgin: bool = False) -> None:
        account, programs = server_account(), postgres_programs()
        self.cluster = Cluster(
            folder / "postgres", reserved_port(), "secret-of-owner", durable
        )
        command = our_postgres.server_command(self.cluster, programs)
        if virgin:
            our_postgres.create_cluster(self.cluster, programs, account)
        else:
            private_folder(self.cluster.home, account)
            _copy(migrated_data(), self.cluster.data)
            if durable:  # what was copied is not, and has the least memory
                given = our_postgres.memory_settings(our_postgres.machine_memory())
                command += [f"--{name}={value}" for name, value in given.items()]
        command.append(QUICK_PASSWORDS)
        super().__init__(command, account, folder / "postgres.log", SIGINT)

    def wait(self) -> None:
        """Return once it serves."""
        our_postgres.wait_until_serving(
            self.cluster.dsn("postgres"), self.alive, SECONDS
        )

    def fresh_database(self, clock: ClockMode = "lever") -> Database:
        """Make a database with all migrations applied and nothing else in it.

        Its log goes by the caller's clock, which most tests move, unless told to go by
        PostgreSQL's.
        """
        return self._copied(f"desk_{next(_numbers)}", f"migrated_{clock}")

    def back_up(self, database: Database) -> Database:
        """Return a copy of a database that nobody uses."""
        return self._copied(f"backup_{next(_numbers)}", database.name)

    def put_back(self, database: Database, copy: Database) -> None:
        """Put a copy in the place of a database, as if nothing had happened since."""
        self.drop(database)
        self._copied(database.name, copy.name)

    def _copied(self, name: str, template: str) -> Database:
        self._once_unused(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return Database(self.cluster, name)

    def migrate_templates(self) -> None:
        """Make the databases that `fresh_database` copies, and the owner's password."""
        with psycopg.connect(self.cluster.dsn("postgres")) as connection:
            password = sql.Literal(self.cluster.password)
            connection.execute(
                sql.SQL("ALTER USER CURRENT_USER PASSWORD {}").format(password)
            )
        for clock in get_args(ClockMode):
            name = f"migrated_{clock}"
            owner = self.cluster.dsn("postgres")
            with psycopg.connect(owner, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            migrate(self.cluster.dsn(name), ROLE_PASSWORDS, clock=clock)

    def drop(self, database: Database) -> None:
        """Remove the database, whoever is still connected."""
        self._once_unused(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(database.name)
            )
        )

    def _once_unused(self, statement: sql.Composed) -> None:
        """Execute what PostgreSQL refuses while a database has sessions.

        It waits five seconds for those to end that hung up or were told to: too short
        where a process gets no turn for as long.
        """

        def done() -> bool:
            try:
                connection.execute(statement)
            except psycopg.errors.ObjectInUse:
                return False
            return True

        owner = self.cluster.dsn("postgres")
        with psycopg.connect(owner, autocommit=True) as connection:
            until(done, statement.as_string(connection))


@cache
def migrated_data() -> Path:
    """Return the files of a PostgreSQL that stands still, made once for all tests.

    Making them took each of some hundred desks longer than starting its services.
    """
    folders = ExitStack()
    atexit.register(folders.close)
    folder = folders.enter_context(reachable_folder())
    with running_postgres(folder, durable=False, virgin=True) as server:
        server.migrate_templates()
    return server.cluster.data


def _copy(data: Path, to: Path) -> None:
    """Copy a folder with owners and modes."""
    subprocess.run(["cp", "-a", data, to], check=True)


class NatsServer(Server):
    """A running nats-server with our users."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        passwords: Mapping[str, str] = {user: f"secret-of-{user}" for user in USERS}
        issuer = Issuer.of(ISSUER_SEED).public
        self.bus = Bus(folder / "nats", reserved_port(), passwords, issuer, durable)
        our_nats.write_config(self.bus)
        command = our_nats.server_command(self.bus, nats_binary())
        super().__init__(command, None, folder / "nats.log", SIGTERM)

    def wait(self) -> None:
        """Return once it serves."""
        our_nats.wait_until_serving(self.bus.port, self.alive, SECONDS)

    def wipe(self) -> None:
        """Delete every stream, as an operator's worst day would."""
        asyncio.run(delete_streams(self.bus.url("admin")))


async def delete_streams(url: str) -> None:
    async with connected_to(url) as client:
        jetstream = client.jetstream()
        for stream in await jetstream.streams_info():
            assert stream.config.name
            await jetstream.delete_stream(stream.config.name)


@contextmanager
def running_postgres(
    folder: Path, *, durable: bool = True, virgin: bool = False
) -> Iterator[PostgresServer]:
    """Run a PostgreSQL with its files in `folder`, which `nobody` can pass.

    A virgin one has none of our roles and databases.
    """
    server = PostgresServer(folder, durable=durable, virgin=virgin)
    try:
        server.start().wait()
        yield server
    finally:
        server.stop()


@contextmanager
def running_nats(folder: Path, *, durable: bool = True) -> Iterator[NatsServer]:
    """Run a nats-server with its files in `folder`."""
    server = NatsServer(folder, durable=durable)
    try:
        server.start().wait()
        yield server
    finally:
        server.stop()
