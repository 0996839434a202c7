"""Starts the servers of a desk under its supervisor, unless real ones are named."""

import asyncio
import os
from contextlib import closing
from functools import partial
from pathlib import Path
from signal import SIGINT, SIGTERM

import psycopg

from shared.machine import nats, postgres
from shared.machine.account import Account
from shared.machine.binaries import nats_binary, postgres_binaries
from shared.machine.credentials import Credentials
from shared.machine.nats import Bus
from shared.machine.nats_rights import USERS
from shared.machine.postgres import Cluster
from shared.machine.process import Process
from shared.machine.remembered_ports import own_port
from shared.machine.settings import UpSettings
from shared.machine.supervisor import Supervisor
from shared.machine.trouble import Trouble
from shared.security.nats_issuer import Issuer

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
            patience=60,  # a last checkpoint on a slow disk
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
        if not await asyncio.to_thread(nats.greets_at, settings.nats_url):
            raise Trouble("Nobody answers at NATS_URL: start that server, or unset it.")
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
