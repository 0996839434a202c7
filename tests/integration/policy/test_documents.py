"""An applied policy: the event names its document, which is read back by its hash."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import orjson
import psycopg
import pytest

from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Policies, Signature
from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.policy.document import Policy
from shared.eventlog import policies
from shared.eventlog.documents import UnreadableDocument
from shared.eventlog.errors import StaleVersion
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyCache, PolicyVersions
from shared.eventlog.recorder import PendingEvent, insert, lock_head
from shared.http.error_responses import problem_of
from tests.support.desks.watching import opened, sla_desk
from tests.support.policies import FULL, full, full_text
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

NOW = datetime(2025, 7, 1, 6, tzinfo=UTC)
SIGNED = Signature(by="ghislaine", reason="first one", approved_by="direction")
FIRST_SHAPE = Path(__file__).parents[2] / "golden/events/policy.applied.1.json"


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no policy of another test: what is not in the database is not found."""
    monkeypatch.setattr(policies, "_CACHE", PolicyCache())


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    log = EventLog.open(database.dsn("desk_admin"), clock=lambda: NOW, pool_size=1)
    yield log
    log.close()


def applied(log: EventLog, text: str = FULL) -> Applied:
    done = policy_store.apply(log, text, SIGNED, NOW)
    assert isinstance(done, Applied), done
    return done


def event_of(log: EventLog, version: int) -> PolicyApplied:
    event = log.history(STREAM)[version - 1].event
    assert isinstance(event, PolicyApplied)
    return event


def documents(database: Database) -> list[tuple[str, int]]:
    with psycopg.connect(database.owner_dsn) as connection:
        return connection.execute(
            "SELECT encode(hash, 'hex'), size FROM log.documents"
        ).fetchall()


def deleted(database: Database) -> None:
    """Delete the documents, as only the database's owner can."""
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("ALTER TABLE log.documents DISABLE TRIGGER append_only")
        connection.execute("DELETE FROM log.documents")


def test_the_event_names_the_document_that_is_stored_with_it(
    log: EventLog, database: Database
) -> None:
    done = applied(log)
    event = event_of(log, 1)
    assert event.document is None
    assert documents(database) == [(event.document_hash, event.document_size)]
    with psycopg.connect(database.dsn("desk_auditor")) as connection:
        (shape, purpose, length) = connection.execute(
            "SELECT event ->> 'v', event ->> 'purpose', length(event::text)"
            " FROM log.readable"
        ).fetchone() or (None, None, 0)
    assert (shape, purpose) == ("2", "live")
    assert length < 1_000
    with log.transaction() as cursor:
        document = policies.document_of(cursor, event)
    assert document == done.policy.document()


def test_going_back_names_the_document_of_before(
    log: EventLog, database: Database
) -> None:
    for text in (FULL, full_text(("p2: 5h", "p2: 4h")), FULL):
        applied(log, text)
    assert event_of(log, 3).document_hash == event_of(log, 1).document_hash
    assert len(documents(database)) == 2


def test_a_policy_that_is_not_applied_leaves_no_document(
    log: EventLog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied(log)
    monkeypatch.setattr(
        policy_store, "_past", lambda _: policy_store._Past(0, None, {})
    )
    with pytest.raises(StaleVersion):
        policy_store.apply(log, full_text(("p2: 5h", "p2: 4h")), SIGNED, NOW)
    assert len(documents(database)) == 1


def test_a_log_of_the_first_shape_is_read_without_stored_documents(
    log: EventLog, database: Database
) -> None:
    written = orjson.loads(FIRST_SHAPE.read_bytes())
    before = Policy.from_document(written["document"])
    with log.transaction() as cursor:
        fresh = PendingEvent(STREAM, 1, "policy.applied", orjson.dumps(written))
        insert(cursor, lock_head(cursor), NOW, [fresh])
    assert documents(database) == []
    assert policy_store.current(log) == (1, before)
    assert PolicyVersions(log)(1) == before
    assert applied(log, full_text(("p2: 5h", "p2: 4h"))).version == 2
    assert event_of(log, 2).purpose == written["purpose"] == "demo"
    assert PolicyVersions(log)(1) == before
    assert len(documents(database)) == 1


def test_a_missing_document_is_a_503_that_says_what_to_restore(
    log: EventLog, database: Database
) -> None:
    applied(log)
    name = event_of(log, 1).document_hash
    deleted(database)
    policies._CACHE = PolicyCache()
    with pytest.raises(UnreadableDocument, match=name):
        PolicyVersions(log)(1)
    intake = EventLog.open(database.dsn("desk_intake"), pool_size=1)
    with (
        closing(intake),
        pytest.raises(UnreadableDocument) as raised,
        intake.transaction() as cursor,
    ):
        Policies(intake).current(cursor)
    answer = problem_of(raised.value, "/v1/signals").details
    assert (answer.status, answer.code) == (503, "policy_unreadable")
    assert name in answer.detail


def test_a_reader_waits_for_a_missing_document_and_parks_nothing(
    database: Database,
) -> None:
    with sla_desk(database, "09:00") as desk:
        with psycopg.connect(database.owner_dsn) as connection:
            kept = connection.execute("SELECT * FROM log.documents").fetchall()
        deleted(database)
        desk.happens(opened(1, desk.now))
        with pytest.raises(UnreadableDocument):
            desk.read()
        assert desk.ask("SELECT count(*) FROM sla.parked") == [(0,)]
        desk.tell("INSERT INTO log.documents VALUES (%s, %s, %s)", *kept[0])
        desk.read()
        assert desk.types()[0].endswith("armed")


def test_only_so_many_policies_are_kept() -> None:
    cache = PolicyCache(held_max=2)
    first, second = full(), full(("p2: 5h", "p2: 4h"))
    assert cache.keep("a", first) is first
    assert cache.keep("a", second) is first
    cache.keep("b", second)
    assert cache.held("a") is first
    cache.keep("c", second)
    assert (cache.held("a"), cache.held("b")) == (first, None)
