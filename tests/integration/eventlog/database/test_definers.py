"""Functions with the owner's rights look nothing up in tables of their caller."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

_DEFINERS = """
SELECT oid::regprocedure::text, proconfig FROM pg_proc WHERE prosecdef
"""


def test_temporary_tables_come_last_for_what_runs_as_the_owner(
    database: Database,
) -> None:
    """PostgreSQL searches them first, before its own, unless they are named."""
    with psycopg.connect(database.owner_dsn) as owner:
        found: dict[str, list[str] | None] = dict(owner.execute(_DEFINERS).fetchall())

    assert {"upkeep.turn_partitions(text,date)", "log.identity()"} <= set(found)
    for function, settings in found.items():
        assert "search_path=pg_catalog, pg_temp" in (settings or []), function


def test_intake_cannot_have_another_tables_partition_dropped(
    server_time_database: Database,
) -> None:
    """A table of its own by the name of a catalogue would say what belongs to what."""
    with psycopg.connect(server_time_database.owner_dsn) as owner:
        kept = owner.execute(
            "SELECT table_name, days FROM upkeep.retention WHERE partitioned "
            "ORDER BY days"
        ).fetchall()
        (short, _), (long, days) = kept[0], kept[-1]
        day = datetime.now(UTC).date() - timedelta(days=days - 2)
        part = f"{long}_d{day:%Y%m%d}"
        owner.execute(
            f"CREATE TABLE {part} PARTITION OF {long}"
            f" FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
        )
        owner.execute(
            f"GRANT TEMPORARY ON DATABASE {server_time_database.name} TO desk_intake"
        )
    with psycopg.connect(server_time_database.dsn("desk_intake")) as intake:
        intake.execute(
            "CREATE TEMPORARY TABLE pg_inherits AS SELECT"
            " %s::regclass::oid AS inhrelid, %s::regclass::oid AS inhparent",
            (part, short),
        )
        intake.execute("GRANT SELECT ON pg_temp.pg_inherits TO PUBLIC")
        turned = intake.execute(
            "SELECT upkeep.turn_partitions(%s, current_date)", (short,)
        ).fetchall()

    assert not [what for (what,) in turned if what.endswith(part)]


def test_intake_cannot_have_what_is_in_quarantine_deleted_before_its_time(
    server_time_database: Database,
) -> None:
    with psycopg.connect(server_time_database.dsn("desk_intake")) as intake:
        intake.execute(
            "INSERT INTO intake.quarantined_bodies (digest, sealed) VALUES ('d', 's')"
        )
        intake.execute(
            "INSERT INTO intake.quarantine "
            "(source, adapter, received_at, digest, element, reason) "
            "VALUES ('demo', 'native', clock_timestamp(), 'd', 0, 'no mapping')"
        )
        expired = intake.execute("SELECT upkeep.expire_quarantine('infinity')")
        assert expired.fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            intake.execute("DELETE FROM intake.quarantined_bodies")
        intake.rollback()
