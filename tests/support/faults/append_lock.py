"""Lets PostgreSQL refuse what is written while the append lock is held."""

import psycopg

from tests.support.servers.servers import Database

HELD = """
SELECT FROM pg_locks
WHERE relation = 'log.append_lock'::regclass AND mode = 'ExclusiveLock' AND granted
"""
_REFUSE = f"""
CREATE FUNCTION public.refuse_under_append_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS ({HELD} AND pid = pg_backend_pid()) THEN
        RAISE EXCEPTION '%.% is written under the append lock',
            TG_TABLE_SCHEMA, TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$
"""
_TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('log', 'public', 'pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_inherits
                  WHERE inhrelid = format('%I.%I', schemaname, tablename)::regclass)
"""


def refuse_writes_under_append_lock(database: Database) -> int:
    """Watch every table outside the log; return how many there are."""
    # Each trigger by itself: who holds several tables may meet a service's deadlock.
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute(_REFUSE)
        tables = connection.execute(_TABLES).fetchall()
        for (table,) in tables:
            connection.execute(
                "CREATE TRIGGER refuse_under_append_lock"
                f" BEFORE INSERT OR UPDATE OR DELETE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_under_append_lock()"
            )
    return len(tables)
