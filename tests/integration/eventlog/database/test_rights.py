"""Each service may do its own work in the database, and nothing else."""

import psycopg
import pytest

from shared.database.migrate import ROLES
from shared.eventlog.append import Recorded
from shared.eventlog.log import EventLog
from tests.support.builders.short_events import incident, member
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

WRITES: dict[str, set[str]] = {
    "desk_intake": {"incident", "problem", "change", "survey", "person"},
    "desk_sla_watcher": {"sla"},
    "desk_escalation": {"escalation", "handover"},
    "desk_admin": {"policy"},
    "desk_projections": set(),
    "desk_auditor": set(),
}
KINDS = set[str]().union(*WRITES.values()) | {"unheard", "incidental"}

EVERY_ROLE = set(ROLES)
FORBIDDEN = [
    ("UPDATE log.events SET topic = 'x'", EVERY_ROLE),
    ("DELETE FROM log.events", EVERY_ROLE),
    ("TRUNCATE log.events", EVERY_ROLE),
    ("DROP TABLE log.events", EVERY_ROLE),
    ("ALTER TABLE log.events DISABLE TRIGGER ALL", EVERY_ROLE),
    ("ALTER TABLE log.events DISABLE ROW LEVEL SECURITY", EVERY_ROLE),
    ("DROP TRIGGER append_only ON log.events", EVERY_ROLE),
    ("CREATE INDEX ON log.events (topic)", EVERY_ROLE),
    ("CREATE TABLE log.mine ()", EVERY_ROLE),
    ("CREATE TABLE public.mine ()", EVERY_ROLE),
    ("CREATE SCHEMA mine", EVERY_ROLE - {"desk_projections"}),
    ("SET session_replication_role = replica", EVERY_ROLE),
    ("SET ROLE permanence_owner", EVERY_ROLE),
    ("SET ROLE desk_admin", EVERY_ROLE - {"desk_admin"}),
    ("SET ROLE desk_projections", EVERY_ROLE - {"desk_projections"}),
    ("UPDATE log.commands SET digest = ''", EVERY_ROLE),
    ("DELETE FROM log.commands", EVERY_ROLE),
    (
        "INSERT INTO log.commands VALUES (gen_random_uuid(), '2026-03-01', '', 1, 1)",
        {"desk_projections", "desk_auditor"},
    ),
    *(
        (statement.format(home), EVERY_ROLE)
        for home in ("sla", "escalation", "intake", "rm")
        for statement in (
            "UPDATE {}.skipped SET reason = 'none'",
            "DELETE FROM {}.skipped",
            "TRUNCATE {}.skipped",
            "DELETE FROM {}.parked_requests",
            "UPDATE {}.parked_requests SET requested_by = 'ann'",
            "INSERT INTO {}.parked_requests (role) VALUES ('desk_auditor')",
        )
    ),
    (
        "INSERT INTO sla.parked_requests (reader) VALUES ('sla_watcher')",
        EVERY_ROLE - {"desk_admin", "desk_sla_watcher"},
    ),
    ("SELECT FROM vault.keys", {"desk_auditor"}),
    (
        "INSERT INTO vault.keys VALUES (repeat('a', 16), 'person:x', '', now())",
        {"desk_auditor", "desk_projections"},
    ),
    (
        "UPDATE vault.keys SET wrapped = NULL, destroyed_at = now()",
        EVERY_ROLE - {"desk_admin"},
    ),
    ("UPDATE vault.keys SET owner = 'person:x'", EVERY_ROLE),
    ("DELETE FROM vault.keys", EVERY_ROLE),
    (
        "SELECT FROM access.tokens",
        {"desk_auditor"},
    ),
    ("UPDATE access.tokens SET revoked_at = now()", EVERY_ROLE - {"desk_admin"}),
    ("UPDATE access.tokens SET scopes = '{admin}'", EVERY_ROLE),
    ("UPDATE access.tokens SET hash = ''", EVERY_ROLE),
    ("DELETE FROM access.tokens", EVERY_ROLE),
    (
        "SELECT upkeep.turn_partitions('log.commands', '2026-03-01')",
        EVERY_ROLE - {"desk_intake", "desk_admin"},
    ),
    ("UPDATE upkeep.retention SET days = 1", EVERY_ROLE),
    ("SELECT FROM reads.windows", EVERY_ROLE),
    ("SELECT FROM reads.requests", EVERY_ROLE),
    ("INSERT INTO reads.windows VALUES ('r', now(), 'p', '{}')", EVERY_ROLE),
    ("UPDATE reads.windows SET reader = 'person:x'", EVERY_ROLE),
    ("DELETE FROM reads.windows", EVERY_ROLE),
    ("TRUNCATE reads.windows, reads.requests", EVERY_ROLE),
    ("DELETE FROM reads.requests", EVERY_ROLE),
    (
        "SELECT reads.note('{p}', '{r}', '{record}', ARRAY[now()])",
        EVERY_ROLE - {"desk_projections", "desk_intake"},
    ),
    (
        "SELECT reads.request('p', 'search', '/v1/search', '{}', now())",
        EVERY_ROLE - {"desk_projections"},
    ),
    (
        "SELECT reads.ask('p', 'why', 'r', NULL, now(), now(), NULL, NULL, 1, now())",
        EVERY_ROLE - {"desk_projections"},
    ),
    (
        "SELECT upkeep.expire_reads('2026-03-01')",
        EVERY_ROLE - {"desk_intake", "desk_admin"},
    ),
    ("DELETE FROM public.migrations", EVERY_ROLE),
    ("SELECT FROM pg_authid", EVERY_ROLE),
    ("COPY log.commands TO PROGRAM 'true'", EVERY_ROLE),
]


def stream(kind: str) -> str:
    return "policy-desk" if kind == "policy" else f"{kind}-1"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_appends_to_its_own_streams_and_to_no_others(
    database: Database, role: str
) -> None:
    log = EventLog.open(database.dsn(role), pool_size=1)
    wrote = set()

    for kind in KINDS:
        try:
            with log.transaction() as cursor:
                outcomes = log.append(cursor, [member(stream(kind), 1)])
        except psycopg.errors.InsufficientPrivilege:
            continue
        assert [type(outcome) for outcome in outcomes] == [Recorded]
        wrote.add(kind)

    assert wrote == WRITES[role]
    log.close()


def test_the_admin_writes_no_policy_but_the_desks(database: Database) -> None:
    log = EventLog.open(database.dsn("desk_admin"), pool_size=1)

    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        log.transaction() as cursor,
    ):
        log.append(cursor, [member("policy-other", 1)])
    log.close()


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reads_the_whole_log(
    database: Database, log: EventLog, role: str
) -> None:
    with log.transaction() as cursor:
        log.append(cursor, [member(incident(1), 1, 2)])

    reader = EventLog.open(database.dsn(role), pool_size=1)
    assert [row.position for row in reader.rows_since(0, 9)] == [1, 2]
    reader.close()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_not(database: Database, role: str) -> None:
    with psycopg.connect(database.dsn(role), autocommit=True) as connection:
        may = [
            statement
            for statement, roles in FORBIDDEN
            if role in roles and _allowed(connection, statement)
        ]

    assert may == []


def _allowed(connection: psycopg.Connection, statement: str) -> bool:
    try:
        connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_nothing_special_to_the_server(database: Database, role: str) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication"
            " FROM pg_roles WHERE rolname = %s",
            (role,),
        ).fetchone()

    assert row == (False,) * 5
