"""Restricts database roles to the rights that they need.

PostgreSQL grants everyone some functions that lock or write: a read-only role could
hold an advisory lock for which writers wait, exhaust the lock table, or fill the disk
with large objects. Rights on these functions, on the database and of the roles are not
part of the tables, so every migration sets them again.

`only_tables` reads another role's tables without running its code. A role may replace
its table by a view, or add a policy to it; their functions run with the rights of the
reader. An administrator who lists parked events would give these rights to somebody
with the password of the role of projections.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, Cursor, sql

Alter = Callable[[sql.Composed], object]
"""Runs a statement about a role, and repeats it on a conflict with a migration."""

READER_LIMITS = {
    "lock_timeout": "5s",
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "1min",
    "temp_file_limit": "2GB",
}
"""Settings of the auditor. A session can change all of them but `temp_file_limit`."""
READER_CONNECTIONS_MAX = 10
"""The auditor's connection limit: services need most of PostgreSQL's connections."""

_ONLY_A_SUPERUSER_SETS = {"temp_file_limit"}
_READER = "desk_auditor"

# Locks with one key and with two keys are separate: intake's have two, so no other
# service can take them.
_GRANTED = {
    "pg_advisory_xact_lock(integer, integer)": "desk_intake",
    "pg_advisory_lock(bigint)": "desk_projections",
    "pg_try_advisory_lock(bigint)": "desk_projections",
}
_WITHHELD = """
SELECT oid::regprocedure::text FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
  AND (proname ~ '^pg_(try_)?advisory_' OR proname = 'pg_logical_emit_message'
       OR proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lowrite'))
"""
_ADMIN_BUILDS = "GRANT desk_projections TO desk_admin WITH INHERIT FALSE, SET TRUE"
_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"


def limit_roles(connection: Connection[Any], alter: Alter) -> None:
    """Revoke rights that could block others, and set the limits of read-only roles.

    The administrator may act as the role of projections, which owns the read models, to
    build them. Only a migration by a superuser can change rights on PostgreSQL's own
    functions: after any other migration everyone keeps them.
    """
    alter(sql.Composed([sql.SQL(_ADMIN_BUILDS)]))
    row = connection.execute(_SUPERUSER).fetchone()
    superuser = row is not None and bool(row[0])
    for name, value in READER_LIMITS.items():
        if superuser or name not in _ONLY_A_SUPERUSER_SETS:
            alter(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(
                    sql.Identifier(_READER), sql.Identifier(name), sql.Literal(value)
                )
            )
    alter(
        sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}").format(
            sql.Identifier(_READER), sql.Literal(READER_CONNECTIONS_MAX)
        )
    )
    _withhold_temporary_tables(connection)
    if superuser:
        _withhold_functions(connection)


def _withhold_temporary_tables(connection: Connection[Any]) -> None:
    """Allow them to nobody: `log.take_room` makes one to check the free disk space."""
    database = sql.Identifier(connection.info.dbname)
    connection.execute(
        sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC, desk_intake").format(
            database
        )
    )


def _withhold_functions(connection: Connection[Any]) -> None:
    for (function,) in connection.execute(_WITHHELD).fetchall():
        connection.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
    for function, role in _GRANTED.items():
        connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")


# Only if this PostgreSQL version has them: the first came with 16.4.
_SET = """
SELECT set_config(name, CASE name WHEN 'row_security' THEN %s ELSE %s END, true)
FROM pg_settings WHERE name IN ('restrict_nonsystem_relation_kind', 'row_security')
"""


@contextmanager
def only_tables(cursor: Cursor[Any]) -> Iterator[None]:
    """Refuse views, foreign tables and row-level policies within this context.

    An error ends the transaction, and the restriction with it.
    """
    cursor.execute(_SET, ("off", "view, foreign-table"))
    yield
    cursor.execute(_SET, ("on", ""))
