"""What an earlier version left in `tests/golden/`, restored as an operator would."""

import json
import lzma
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from shared.database.migrate import migrate
from shared.vault.master_keys import MasterKeys, keys_of
from standalone.folder import server_account
from tests.support.desks.running import Desk, give_tokens
from tests.support.servers.servers import (
    ROLE_PASSWORDS,
    Database,
    PostgresServer,
    postgres_programs,
    running_nats,
    running_postgres,
)

LEFT = Path(__file__).parents[2] / "golden" / "e2fcc5b"
EVENTS = 1_108
"""How many events the log of the demo day holds."""
EVENTS_AT_HOME = 14
"""How many the log in `home.tar.xz` holds; promises that were broken since follow."""
CHAIN_AT_HOME = "db4ef2a1fdf2a06bb5f0def3641d669a8fac8c6ff7009b9b8a423b6c67780715"
"""The hash of the last of them."""
_NAME = "upgraded"
_OWNERS = """
DO $$ DECLARE its regclass; BEGIN
    FOR its IN SELECT oid FROM pg_class WHERE relkind = 'r'
        AND relnamespace::regnamespace::text ~ '^rm_[a-z]+_v[0-9]+$'
    LOOP EXECUTE format('ALTER TABLE %s OWNER TO desk_projections', its); END LOOP;
END $$
"""
"""The dump names no owners; only read models belong to another role than the owner."""


@contextmanager
def restored_demo(folder: Path) -> Iterator[Desk]:
    """Give a desk on the database that the demo day left, not migrated yet.

    Its servers run, its services do not; its clocks stand where the day ended.
    """
    with (
        running_postgres(folder, durable=False) as postgres,
        running_nats(folder, durable=False) as nats,
    ):
        postgres.fresh_database()  # makes the roles, which no dump of a database holds
        desk = Desk(folder, postgres, nats, _restored(postgres))
        desk.master = MasterKeys(
            keys_of((LEFT / "demo.vault.key").read_text(encoding="ascii"))
        )
        desk.lever = folder / "lever.json"
        held = json.loads((LEFT / "demo.lever.json").read_text(encoding="utf-8"))
        desk.move_to(datetime.fromtimestamp(held["shown"], UTC))
        yield desk


def upgrade(desk: Desk) -> None:
    """Migrate the database of a desk, and let people and sources in."""
    migrate(desk.database.owner_dsn, ROLE_PASSWORDS)
    give_tokens(desk)


def _restored(postgres: PostgresServer) -> Database:
    with psycopg.connect(postgres.cluster.dsn("postgres"), autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {_NAME}")
    database = Database(postgres.cluster, _NAME)
    psql = postgres_programs() / "psql"
    with lzma.open(LEFT / "demo.sql.xz") as dump:
        subprocess.run(
            [psql, "--quiet", "--set=ON_ERROR_STOP=1", database.owner_dsn],
            input=dump.read(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute(_OWNERS)
    return database


def unpack_home(home: Path) -> None:
    """Unpack what `make up` left into the folder `home`, as root from a backup.

    The files of PostgreSQL belong to the account that it runs as.
    """
    home.mkdir(mode=0o711)
    with tarfile.open(LEFT / "home.tar.xz") as archive:
        archive.extractall(home, filter="tar")
    home.chmod(0o711)
    if account := server_account():
        for path in (home / "postgres", *(home / "postgres").rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
