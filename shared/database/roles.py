"""Restricts database roles to the rights that they need.

PostgreSQL grants everyone some functions that lock or write: a read-only role could
hold an advisory lock for which writers wait, exhaust the lock table, or fill the disk
with large objects. Rights on these functions, on the database and of the roles are not
part of the tables, so every migration sets them again.
"""

from collections.abc import Callable
from typing import Any

from psycopg import Connection, sql
from psycopg.errors import InsufficientPrivilege

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
# Granted by earlier versions, to build read models. A function there may RESET ROLE.
_BUILT_AS_PROJECTIONS = """
SELECT pg_get_userbyid(grantor) FROM pg_auth_members
WHERE pg_get_userbyid(roleid) = 'desk_projections'
  AND pg_get_userbyid(member) = 'desk_admin'
"""
_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"


def limit_roles(connection: Connection[Any], alter: Alter) -> list[str]:
    """Revoke rights that could block others, and set the limits of read-only roles.

    Only a migration by a superuser can change rights on PostgreSQL's own functions:
    after any other migration everyone keeps them. Returns the statements that are
    needed, and that only a superuser, or who granted it, may run.
    """
    left = list[str]()
    for (grantor,) in connection.execute(_BUILT_AS_PROJECTIONS).fetchall():
        revoke = sql.SQL("REVOKE desk_projections FROM desk_admin GRANTED BY {}")
        statement = revoke.format(sql.Identifier(grantor))
        try:
            alter(statement)
        except InsufficientPrivilege:
            left.append(statement.as_string(connection))
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
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
    return left


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
