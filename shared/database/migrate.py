"""Migrates a database to the tables of this version; idempotent, also concurrently.

Only this code creates roles, schemas and tables. Services wait until it has run.
"""

import time
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from shared.database.clock_mode import CHOICE, ClockMode, clock_mode
from shared.database.roles import limit_roles
from shared.domain.events.upcasters import required_fields

MIGRATIONS = Path(__file__).parent / "migrations"
ROLES = (
    "desk_intake",
    "desk_sla_watcher",
    "desk_escalation",
    "desk_projections",
    "desk_auditor",
    "desk_admin",
)
POSTGRES_MIN = 160_000
"""A migration uses `IS JSON`, which older versions do not have."""
LOCK_SECONDS = 30.0
"""How long a migration waits for a session that locks its table."""
_LOCK = (7_367, 1)
_WAIT_STEP_SECONDS = 0.2
_ROLE_ATTEMPTS_MAX = 50

_HAS_SHAPES = "SELECT to_regclass('log.event_shapes') IS NOT NULL"
_KEEP_SHAPE = """
INSERT INTO log.event_shapes AS kept (topic, required) VALUES (%s, %s)
ON CONFLICT (topic) DO UPDATE SET required = ARRAY(
    SELECT field FROM unnest(kept.required) AS field
    WHERE field = ANY(excluded.required))
WHERE NOT kept.required <@ excluded.required
"""
_ALTERED_AT_ONCE = "tuple concurrently updated"


class Mismatch(Exception):
    """The database does not match this version; the sentence says what to do."""


def migrate(
    owner_dsn: str, passwords: Mapping[str, str], *, clock: ClockMode | None = None
) -> list[str]:
    """Apply what is missing and return the names of the files applied.

    `passwords` maps roles to their passwords; a role without one keeps its password.
    `clock` is the mode for an empty log (`server` if None); a log that already has a
    mode keeps it. Concurrent migrations of one database are serialized.

    Raises `Mismatch` if PostgreSQL is too old, a file was applied in another form, the
    log has another clock mode than `clock`, a session keeps a table locked, something
    that was added needs it as it is, or a superuser has to revoke a right, and
    `psycopg.Error` if the database refuses.
    """
    with psycopg.connect(owner_dsn, autocommit=True) as connection:
        _demand_version(connection)
        connection.execute("SELECT pg_advisory_lock(%s::int, %s::int)", _LOCK)
        connection.execute(
            "SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_SECONDS}s",)
        )
        for role in ROLES:
            _provide_role(connection, role, passwords.get(role))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.migrations ("
            "name text PRIMARY KEY, digest text NOT NULL,"
            "applied_at timestamptz NOT NULL DEFAULT clock_timestamp());"
            "GRANT SELECT ON public.migrations TO PUBLIC"
        )
        connection.execute("SELECT set_config(%s, %s, false)", (CHOICE, clock or ""))
        applied = [path.name for path in _files() if _apply(connection, path)]
        _keep_shapes(connection)
        left = limit_roles(connection, partial(_in_spite_of_rivals, connection))
        if clock is not None:
            _demand_mode(connection, clock)
        if left:
            raise Mismatch(
                "all is done but what this role may not do: have a superuser run "
                f"`{'; '.join(left)}`, then migrate again"
            )
        return applied


def _demand_version(connection: Connection[TupleRow]) -> None:
    held = connection.info.server_version
    if held < POSTGRES_MIN:
        raise Mismatch(
            f"this is PostgreSQL {held // 10_000}, too old: upgrade it to "
            f"{POSTGRES_MIN // 10_000} or later, then migrate again"
        )


def wait_until_migrated(dsn: str, seconds: float = 60.0) -> None:
    """Return once every file of this version is applied; `Mismatch` after a timeout.

    For services, which may start while an empty database is being migrated.
    """
    deadline = time.monotonic() + seconds
    while (problem := _problem(dsn)) is not None:
        if time.monotonic() > deadline:
            raise Mismatch(problem)
        time.sleep(_WAIT_STEP_SECONDS)


def _files() -> list[Path]:
    return sorted(MIGRATIONS.glob("[0-9]*.sql"))


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _provide_role(
    connection: Connection[TupleRow], role: str, password: str | None
) -> None:
    """Create the role if it is missing; it can log in if it has a password.

    Roles belong to the whole cluster but the lock to one database, so the migration of
    another database may be creating the same role: then try again.
    """
    name = sql.Identifier(role)
    exists = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,))
    if not exists.rowcount:
        _in_spite_of_rivals(connection, sql.SQL("CREATE ROLE {} NOLOGIN").format(name))
    if password is not None:
        # Hashed here: the password itself would appear in the server's log.
        verifier = connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        )
        alter = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}")
        _in_spite_of_rivals(
            connection, alter.format(name, sql.Literal(verifier.decode()))
        )


def _in_spite_of_rivals(
    connection: Connection[TupleRow], statement: sql.Composed
) -> None:
    for attempt in range(_ROLE_ATTEMPTS_MAX):
        try:
            connection.execute(statement)
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            return
        except psycopg.errors.InternalError_ as error:
            last = attempt == _ROLE_ATTEMPTS_MAX - 1
            if last or _ALTERED_AT_ONCE not in str(error):
                raise
        else:
            return


def _apply(connection: Connection[TupleRow], path: Path) -> bool:
    with connection.transaction():
        row = connection.execute(
            "SELECT digest FROM public.migrations WHERE name = %s", (path.name,)
        ).fetchone()
        if row == (_digest(path),):
            return False
        if row is not None:
            raise Mismatch(
                f"{path.name} was applied in another form: migrate with the version "
                "that made this database, then add a new file"
            )
        try:
            connection.execute(path.read_bytes())
        except psycopg.errors.LockNotAvailable as error:
            raise Mismatch(
                f"{path.name} waited {LOCK_SECONDS:g} s for a session that uses one of "
                "its tables: stop the services, end what pg_stat_activity still shows, "
                "and migrate again"
            ) from error
        except psycopg.errors.FeatureNotSupported as error:
            if error.diag.message_detail is None:
                raise
            raise Mismatch(
                f"{path.name} changes what a view or a rule of yours uses "
                f"({error.diag.message_detail}): drop that, migrate again, and create "
                "it again"
            ) from error
        connection.execute(
            "INSERT INTO public.migrations (name, digest) VALUES (%s, %s)",
            (path.name, _digest(path)),
        )
    return True


def _keep_shapes(connection: Connection[TupleRow]) -> None:
    """Store which fields the events of each type have had in every version.

    They only become fewer: an earlier version, which migrates later, knows too many.
    """
    if connection.execute(_HAS_SHAPES).fetchone() == (False,):
        return  # the files of an earlier version
    rows = [(topic, list(fields)) for topic, fields in required_fields().items()]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_KEEP_SHAPE, rows)


def _demand_mode(connection: Connection[TupleRow], wanted: ClockMode) -> None:
    mode = clock_mode(connection.cursor())
    if mode != wanted:
        raise Mismatch(
            f"the log of this database has the clock mode `{mode}`, which is chosen "
            f"once, while the log is empty: take an empty database for `{wanted}`"
        )


def _problem(dsn: str) -> str | None:
    """Return why a service cannot use the database, None if it can."""
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
            rows = connection.execute("SELECT name, digest FROM public.migrations")
            applied: dict[str, str] = dict(rows.fetchall())
    except psycopg.errors.UndefinedTable:
        return "the database is empty: run `permanence migrate`"
    except psycopg.OperationalError as error:
        reason = str(error).strip().partition("\n")[0]
        return f"the database is not reachable ({reason}): is DATABASE_URL right?"
    missing = [path.name for path in _files() if path.name not in applied]
    if missing:
        return f"the database lacks {', '.join(missing)}: run `permanence migrate`"
    changed = [path.name for path in _files() if applied[path.name] != _digest(path)]
    if changed:
        raise Mismatch(
            f"the database has {', '.join(changed)} in another form: run the version "
            "that made it"
        )
    return None
