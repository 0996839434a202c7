"""Brings a database to this version's tables, once; safe to run twice or at once.

The only code that creates roles, schemas and tables. Services wait until it has run.
"""

import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg import sql

MIGRATIONS = Path(__file__).parent / "migrations"
ROLES = (
    "desk_intake",
    "desk_sla_watcher",
    "desk_escalation",
    "desk_projections",
    "desk_auditor",
    "desk_admin",
)
_LOCK = 7_366_000_001
_WAIT_STEP_SECONDS = 0.2


class Mismatch(Exception):
    """The database was migrated by another version of these files."""


def migrate(owner_dsn: str, passwords: Mapping[str, str]) -> list[str]:
    """Apply what is missing and return the names of the files applied.

    `passwords` maps each role to its password; a role without one cannot log in.
    Roles and files are applied under a lock, so several migrations at once are one.
    """
    with psycopg.connect(owner_dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        for role in ROLES:
            _provide_role(connection, role, passwords.get(role))
        return [path.name for path in _files() if _apply(connection, path)]


def wait_until_migrated(dsn: str, seconds: float = 60.0) -> None:
    """Return once every file of this version is applied; `Mismatch` if that is late.

    For services: four of them may start beside the migration on an empty database.
    """
    deadline = time.monotonic() + seconds
    while True:
        missing = _missing(dsn)
        if not missing:
            return
        if time.monotonic() > deadline:
            raise Mismatch(
                f"the database lacks {', '.join(missing)}: run `permanence migrate`"
            )
        time.sleep(_WAIT_STEP_SECONDS)


def _files() -> list[Path]:
    return sorted(MIGRATIONS.glob("[0-9]*.sql"))


def _provide_role(
    connection: psycopg.Connection, role: str, password: str | None
) -> None:
    name = sql.Identifier(role)
    if not connection.execute(
        "SELECT FROM pg_roles WHERE rolname = %s", (role,)
    ).rowcount:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(name))
    if password is not None:
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
                name, sql.Literal(password)
            )
        )


def _apply(connection: psycopg.Connection, path: Path) -> bool:
    digest = sha256(path.read_bytes()).hexdigest()
    with connection.transaction():
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.migrations ("
            "name text PRIMARY KEY, digest text NOT NULL,"
            "applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        connection.execute("GRANT SELECT ON public.migrations TO PUBLIC")
        row = connection.execute(
            "SELECT digest FROM public.migrations WHERE name = %s", (path.name,)
        ).fetchone()
        if row == (digest,):
            return False
        if row is not None:
            raise Mismatch(
                f"{path.name} was applied in another form: migrate with the version "
                "that made this database, then add a new file"
            )
        connection.execute(path.read_bytes())
        connection.execute(
            "INSERT INTO public.migrations (name, digest) VALUES (%s, %s)",
            (path.name, digest),
        )
    return True


def _missing(dsn: str) -> list[str]:
    wanted = {path.name for path in _files()}
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
            rows = connection.execute("SELECT name FROM public.migrations").fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.OperationalError):
        return sorted(wanted)
    return sorted(wanted - {name for (name,) in rows})
