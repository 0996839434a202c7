"""The database itself keeps documents as they were stored, whoever asks."""

from hashlib import sha256

import psycopg
import pytest

from shared.database.migrate import ROLES
from shared.eventlog.documents import UnreadableDocument, load, name_of, store
from shared.eventlog.log import EventLog
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

BODY = b'{"version":1}'
INSERT = "INSERT INTO log.documents (hash, size, body) VALUES (%b, %s, %b)"


@pytest.fixture
def stored(database: Database) -> None:
    """Store one document as an admin."""
    execute(database.dsn("desk_admin"), INSERT, sha256(BODY).digest(), len(BODY), BODY)


def execute(dsn: str, statement: str, *values: object) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(statement.encode(), values or None)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log.documents SET body = body",
        "UPDATE log.documents SET size = 0 WHERE false",
        "DELETE FROM log.documents",
        "TRUNCATE log.documents",
        "MERGE INTO log.documents USING (SELECT) v ON true WHEN MATCHED THEN DELETE",
    ],
)
def test_even_the_owner_changes_no_document(database: Database, statement: str) -> None:
    with pytest.raises(psycopg.errors.IntegrityError, match="append-only"):
        execute(database.owner_dsn, statement)


@pytest.mark.parametrize(
    ("hash_", "size", "body"),
    [
        pytest.param(sha256(b"other").digest(), len(BODY), BODY, id="another hash"),
        pytest.param(sha256(BODY).digest(), 1, BODY, id="another size"),
        pytest.param(
            sha256(bytes(16_777_217)).digest(),
            16_777_217,
            bytes(16_777_217),
            id="too large",
        ),
    ],
)
def test_a_document_is_what_its_hash_and_size_say(
    database: Database, hash_: bytes, size: int, body: bytes
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        execute(database.owner_dsn, INSERT, hash_, size, body)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reads_documents_and_admins_alone_store_them(
    database: Database, role: str
) -> None:
    values = (sha256(BODY).digest(), len(BODY), BODY)
    execute(database.dsn(role), "SELECT count(*) FROM log.documents")
    if role == "desk_admin":
        execute(database.dsn(role), INSERT, *values)
    else:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            execute(database.dsn(role), INSERT, *values)


def test_storing_a_document_again_is_idempotent(database: Database) -> None:
    log = EventLog.open(database.dsn("desk_admin"), pool_size=1)
    for _ in range(2):
        with log.transaction() as cursor:
            assert store(cursor, BODY) == name_of(BODY)
    with log.transaction() as cursor:
        assert load(cursor, name_of(BODY)) == BODY
    log.close()


@pytest.mark.usefixtures("stored")
def test_a_document_that_is_missing_or_changed_is_not_read(database: Database) -> None:
    with psycopg.connect(database.owner_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE log.documents DISABLE TRIGGER ALL")
        connection.execute(
            "ALTER TABLE log.documents DROP CONSTRAINT hash_is_of_the_body"
        )
        connection.execute("UPDATE log.documents SET body = '{\"version\":2}'")
    log = EventLog.open(database.dsn("desk_projections"), pool_size=1)
    with pytest.raises(UnreadableDocument, match="was changed"), log.transaction() as c:
        load(c, name_of(BODY))
    with pytest.raises(UnreadableDocument, match="is missing"), log.transaction() as c:
        load(c, name_of(b"other"))
    log.close()
