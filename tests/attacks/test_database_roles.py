"""PostgreSQL, with the stolen password of one role: what it cannot do to the desk."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import pytest
from psycopg import Cursor

from shared.database.migrate import MIGRATIONS, ROLES, Mismatch, migrate
from shared.database.roles import READER_CONNECTIONS_MAX, READER_LIMITS, limit_roles
from shared.eventlog.entry import GENESIS, Link, chained
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import Head, PendingEvent, insert, read_head
from tests.support.builders.short_events import broken_at, member
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

FAR = datetime(9999, 12, 31, tzinfo=UTC)
STREAM = "escalation-INC-000001"
"""What `desk_escalation` may write to, and the log holds at version 2."""
BATCH = 3


def event(version: int, **changes: Any) -> PendingEvent:
    return replace(
        PendingEvent(STREAM, version, "escalation.scribbled", b'{"n":1}'), **changes
    )


@pytest.fixture
def held(server_time_database: Database) -> Database:
    """Give a log with two events of escalation's, and one of the watcher's."""
    for role, stream, versions in (
        ("desk_escalation", STREAM, (1, 2)),
        ("desk_sla_watcher", "sla-INC-000001", (1,)),
    ):
        log = EventLog.open(server_time_database.dsn(role), pool_size=1)
        with log.transaction() as cursor:
            log.append(cursor, [member(stream, *versions)])
        log.close()
    return server_time_database


class Forgery(NamedTuple):
    """What a thief sends: events that follow `head`, chained by `chain`."""

    head: Head
    events: Sequence[PendingEvent]
    chain: Callable[[bytes, Link], bytes] = chained


Forge = Callable[[Head], Forgery]


def send(database: Database, role: str, forge: Forge) -> None:
    """Insert what a thief makes of the head, with the password of `role`."""
    with psycopg.connect(database.dsn(role)) as connection:
        cursor: Cursor[Any] = connection.cursor()
        head = read_head(cursor)
        now = cursor.execute("SELECT clock_timestamp()").fetchone()
        assert now
        forgery = forge(head._replace(server_now=now[0]))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("shared.eventlog.recorder.chained", forgery.chain)
            insert(cursor, forgery.head, now[0], forgery.events)


def garbage(_: bytes, link: Link) -> bytes:
    return link.position.to_bytes(32)


def garbage_later(before: bytes, link: Link) -> bytes:
    """Chain the first of a batch as it should be, and the others not."""
    right = chained(before, link)
    return right if link.version == BATCH else garbage(before, link)


def batch() -> list[PendingEvent]:
    return [event(BATCH), event(BATCH + 1), event(BATCH + 2)]


@pytest.mark.parametrize(
    ("forge", "refused"),
    [
        pytest.param(
            lambda head: Forgery(head, [event(3)], garbage),
            "chain hash of position 4",
            id="a chain of its own",
        ),
        pytest.param(
            lambda head: Forgery(head, batch(), garbage_later),
            "chain hash of position 5",
            id="a chain of its own in the middle of a batch",
        ),
        pytest.param(
            lambda head: Forgery(head._replace(chain=GENESIS), [event(3)]),
            "chain hash of position 4",
            id="a chain that begins again",
        ),
        pytest.param(
            lambda head: Forgery(head._replace(position=5), [event(3)]),
            "leave a gap",
            id="a position left out",
        ),
        pytest.param(
            lambda head: Forgery(head._replace(server_now=FAR), [event(3)]),
            "server's time",
            id="the year 9999",
        ),
        pytest.param(
            lambda head: Forgery(head, [event(4)]),
            "position 4 does not have the next version",
            id="a version left out",
        ),
        pytest.param(
            lambda head: Forgery(head, [event(3), event(5)]),
            "position 5 does not have the next version",
            id="a version left out in a batch",
        ),
        pytest.param(
            lambda head: Forgery(head, [event(4), event(3)]),
            "position 5 does not have the next version",
            id="versions in another order",
        ),
        pytest.param(
            lambda head: Forgery(head, [event(1, stream=f"{STREAM}9"), event(0)]),
            "position 5 does not have the next version",
            id="a version before the first",
        ),
        pytest.param(
            lambda head: Forgery(head, [event(3, state=b"no JSON")]),
            "invalid input syntax for type json",
            id="no JSON",
        ),
        pytest.param(
            lambda head: Forgery(head, [event(3), event(4, state=b"[1]")]),
            "state of position 5 is not a JSON object",
            id="JSON that is no object",
        ),
        pytest.param(
            lambda head: Forgery(head, [event(3, state=b"\xff{}")]),
            "invalid byte sequence",
            id="bytes that are no text",
        ),
        pytest.param(
            lambda head: Forgery(head, [event(3, state=rb'{"n":"\u0000"}')]),
            "unsupported Unicode escape sequence",
            id="text that PostgreSQL does not hold",
        ),
        pytest.param(
            lambda head: Forgery(head, [event(3, state=rb'{"n":"\ud800"}')]),
            "invalid input syntax for type json",
            id="half a character",
        ),
        pytest.param(
            lambda head: Forgery(head, [event(3), event(4, type="escalation.paged")]),
            "state of position 5 lacks a field: escalation.paged has type, at, by,",
            id="an event without the fields of its type",
        ),
    ],
)
def test_one_service_cannot_poison_the_log(
    held: Database, forge: Forge, refused: str
) -> None:
    with pytest.raises(psycopg.DatabaseError, match=refused):
        send(held, "desk_escalation", forge)

    log = EventLog.open(held.dsn("desk_escalation"), pool_size=1)
    with log.transaction() as cursor:
        log.append(cursor, [member(STREAM, 3)])
    assert broken_at(held.owner_dsn) is None
    assert log.head().position == 4
    assert log.head().recorded_at.year < FAR.year
    log.close()


def test_what_follows_is_taken_from_a_service(held: Database) -> None:
    """Else the test above would show nothing."""
    send(held, "desk_escalation", lambda head: Forgery(head, batch()))

    assert broken_at(held.owner_dsn) is None


def test_a_log_that_goes_by_a_lever_is_not_stamped_for_ever_either(
    database: Database,
) -> None:
    def far(head: Head) -> Forgery:
        return Forgery(head._replace(server_now=FAR), [event(1)])

    with pytest.raises(psycopg.errors.IntegrityError, match="server's time"):
        send(database, "desk_escalation", far)


@pytest.mark.parametrize(
    ("role", "stream", "type_"),
    [
        ("desk_sla_watcher", "sla-INC-000009", "incident.resolved"),
        ("desk_sla_watcher", "sla-INC-000009", "notification.confirmed"),
        ("desk_escalation", "escalation-INC-000009", "incident.closed"),
        ("desk_escalation", "handover-INC-000009", "sla.met"),
        ("desk_intake", "incident-INC-000009", "sla.met"),
        ("desk_intake", "maintenance-desk", "incident.closed"),
        ("desk_admin", "policy-desk", "incident.closed"),
    ],
)
def test_no_service_speaks_as_another_in_a_stream_of_its_own(
    held: Database, role: str, stream: str, type_: str
) -> None:
    """Who reads goes by the type of an event, not by its stream."""
    forged = PendingEvent(stream, 1, type_, b'{"incident":"INC-000009"}')

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level"):
        send(held, role, lambda head: Forgery(head, [forged]))


@pytest.mark.parametrize(
    ("type_", "stream"),
    [
        ("escalation.a b", STREAM),
        ("escalation.>", STREAM),
        ("escalation", STREAM),
        ("escalation." + 200 * "x", STREAM),
        ("escalation.raised", f"{STREAM}\r\nNats-Rollup: all"),
    ],
)
def test_no_service_records_what_the_relay_cannot_publish(
    held: Database, type_: str, stream: str
) -> None:
    forged = event(3 if stream == STREAM else 1, stream=stream, type=type_)

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="plain_names"):
        send(held, "desk_escalation", lambda head: Forgery(head, [forged]))


NAMES = ('a"\\/\b\f\n\r\t\x01\x1f\x7f', "é€\u2028\U0001f600", "", "'%s{}[],")
INSTANTS = (
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 3, 1, 0, 0, 0, 1, tzinfo=UTC),
)


def test_the_database_computes_the_same_hash_as_we_do(database: Database) -> None:
    """As the owner, whose streams and types may be called anything."""
    with psycopg.connect(database.owner_dsn) as connection:
        cursor: Cursor[Any] = connection.cursor()
        head = Head(0, INSTANTS[0] - timedelta(days=1), GENESIS)
        for n, instant in enumerate(INSTANTS):
            fresh = [
                PendingEvent(f"{n}{name}", 2**62, name, name.encode(), command)
                for name in NAMES
                for command in (None, UUID(int=n))
                if command is None or name
            ]
            numbered = [replace(e, version=k) for k, e in enumerate(fresh)]
            head = insert(cursor, head, instant, numbered)

    assert broken_at(database.owner_dsn) is None


EVERYBODY = set(ROLES)
WITHHELD = [
    ("SELECT pg_advisory_lock(7366000002)", EVERYBODY - {"desk_projections"}),
    ("SELECT pg_try_advisory_lock(1)", EVERYBODY - {"desk_projections"}),
    ("SELECT pg_advisory_lock(7366, 1)", EVERYBODY),
    ("SELECT pg_advisory_xact_lock(7366, 1)", EVERYBODY - {"desk_intake"}),
    ("SELECT pg_advisory_xact_lock(1)", EVERYBODY),
    ("SELECT pg_advisory_lock_shared(1)", EVERYBODY),
    ("SELECT pg_try_advisory_xact_lock_shared(7366, 1)", EVERYBODY),
    ("SELECT pg_advisory_unlock_all()", EVERYBODY),
    *(
        (f"LOCK TABLE log.append_lock IN {mode} MODE", readers)
        for readers in ({"desk_auditor", "desk_projections"},)
        for mode in ("EXCLUSIVE", "SHARE", "ACCESS SHARE")
    ),
    ("LOCK TABLE log.events IN EXCLUSIVE MODE", EVERYBODY),
    ("INSERT INTO log.append_lock DEFAULT VALUES", EVERYBODY),
    ("TRUNCATE log.append_lock", EVERYBODY),
    ("SELECT FROM log.clock FOR SHARE", EVERYBODY),
    ("SELECT FROM log.events FOR KEY SHARE", EVERYBODY),
    ("CREATE TEMPORARY TABLE mine ()", EVERYBODY),
    ("SELECT lo_create(0)", EVERYBODY),
    ("SELECT lo_from_bytea(0, 'x')", EVERYBODY),
    ("SELECT pg_logical_emit_message(true, '', 'x')", EVERYBODY),
    ("SET temp_file_limit = -1", EVERYBODY),
]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_only_reads_stops_nobody(database: Database, role: str) -> None:
    """By a lock that writers wait for, by using locks up, or by filling the disk."""
    with psycopg.connect(database.owner_dsn, autocommit=True) as owner:
        limit_roles(owner, owner.execute)  # rights on a database are not copied with it
    with psycopg.connect(database.dsn(role), autocommit=True) as thief:
        may = [
            statement
            for statement, roles in WITHHELD
            if role in roles and allowed(thief, statement)
        ]

    assert may == []


def allowed(connection: psycopg.Connection[Any], statement: str) -> bool:
    try:
        with connection.transaction():
            connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def test_an_auditor_does_not_fill_the_disk_with_notifications(
    database: Database,
) -> None:
    """Anybody may notify, and a listener in a transaction keeps all of them."""

    def flood(sender: psycopg.Connection[Any]) -> None:
        for _ in range(200):
            sender.execute("SELECT pg_notify('mine', repeat('x', 7900))")

    dsn = database.dsn("desk_auditor")
    with (
        psycopg.connect(dsn, autocommit=True) as listener,
        psycopg.connect(dsn, autocommit=True) as sender,
    ):
        listener.execute("LISTEN mine")
        with listener.transaction():
            listener.execute("SELECT pg_current_xact_id()")
            with pytest.raises(psycopg.errors.ProgramLimitExceeded):
                flood(sender)


def test_an_auditor_who_reads_for_ever_is_ended_by_the_server(
    database: Database,
) -> None:
    with psycopg.connect(database.dsn("desk_auditor")) as auditor:
        shown = {
            name: auditor.execute(f"SHOW {name}".encode()).fetchone()
            for name in READER_LIMITS
        }

    assert shown == {name: (value,) for name, value in READER_LIMITS.items()}


def test_an_auditor_leaves_connections_to_the_services(database: Database) -> None:
    with ExitStack() as opened:
        for _ in range(READER_CONNECTIONS_MAX):
            opened.enter_context(psycopg.connect(database.dsn("desk_auditor")))
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            psycopg.connect(database.dsn("desk_auditor"))


def test_an_auditor_who_reads_for_ever_does_not_keep_a_migration_waiting(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in MIGRATIONS.glob("*.sql"):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "9999_next.sql").write_text("ALTER TABLE log.clock ADD next int")
    monkeypatch.setattr("shared.database.migrate.MIGRATIONS", tmp_path)
    monkeypatch.setattr("shared.database.migrate.LOCK_SECONDS", 0.05)

    with psycopg.connect(database.dsn("desk_auditor")) as auditor:
        auditor.execute("SELECT FROM log.clock")
        with pytest.raises(Mismatch, match=r"9999_next\.sql waited 0\.05 s"):
            migrate(database.owner_dsn, {})
    assert migrate(database.owner_dsn, {}) == ["9999_next.sql"]


def test_what_an_earlier_version_or_postgresql_allowed_is_taken_back(
    database: Database,
) -> None:
    """As long as it was allowed, a thief's functions got the administrator's rights."""
    allowed = (
        "SELECT pg_has_role('desk_admin', 'desk_projections', 'MEMBER'),"
        " has_schema_privilege('desk_projections', 'public', 'CREATE')"
    )
    with psycopg.connect(database.owner_dsn, autocommit=True) as owner:
        owner.execute(
            "GRANT desk_projections TO desk_admin WITH INHERIT FALSE, SET TRUE;"
            "GRANT CREATE ON SCHEMA public TO PUBLIC"
        )
        before = owner.execute(allowed).fetchone()
        limit_roles(owner, owner.execute)
        after = owner.execute(allowed).fetchone()

    assert (before, after) == ((True, True), (False, False))


@pytest.fixture
def migrator(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """Give a session of a role that owns the database, and is no superuser."""
    with psycopg.connect(database.owner_dsn, autocommit=True) as session:
        session.execute(
            "CREATE ROLE migrator CREATEROLE;"
            "GRANT desk_auditor TO migrator WITH ADMIN OPTION;"
            "ALTER SCHEMA public OWNER TO migrator;"
            f'ALTER DATABASE "{database.name}" OWNER TO migrator'.encode()
        )
        try:
            session.execute("SET SESSION AUTHORIZATION migrator")
            yield session
        finally:
            session.execute("RESET SESSION AUTHORIZATION")
            session.execute(
                "REVOKE desk_projections FROM desk_admin;"
                "REASSIGN OWNED BY migrator TO CURRENT_USER;"
                "DROP OWNED BY migrator; DROP ROLE migrator"
            )


def test_what_only_a_superuser_may_take_back_is_named_once_all_else_is_done(
    database: Database, migrator: psycopg.Connection[Any]
) -> None:
    with psycopg.connect(database.owner_dsn, autocommit=True) as superuser:
        superuser.execute(
            "GRANT desk_projections TO desk_admin;"
            "GRANT CREATE ON SCHEMA public TO PUBLIC"
        )
        (statement,) = limit_roles(migrator, migrator.execute)
        may = superuser.execute(
            "SELECT has_schema_privilege('desk_projections', 'public', 'CREATE')"
        ).fetchone()
        superuser.execute(statement.encode())

    assert may == (False,)
    assert limit_roles(migrator, migrator.execute) == []
