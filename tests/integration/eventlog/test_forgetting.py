"""The vault on PostgreSQL: keys made once, found again, and destroyed for ever."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import psycopg
import pytest

from shared.domain.events.incident import IncidentInformed
from shared.eventlog.log import EventLog
from shared.vault.master_keys import MasterKeys
from shared.vault.vault import WITNESS, StoredKeys, VaultError, WrappedKey, forget
from tests.support.builders.short_events import broken_at, incident
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def informed(whose: str | None) -> IncidentInformed:
    return IncidentInformed.model_validate(
        {
            "at": AT,
            "by": "person:nadia",
            "whose": whose,
            "incident": "INC-000001",
            "policy": 1,
            "message": "Bob calls you at ten",
        }
    )


def forget_as_admin(database: Database, owner: str) -> bool:
    with psycopg.connect(database.dsn("desk_admin")) as connection:
        return forget(connection.cursor(), owner, "asked by letter", AT)


def test_after_forgetting_the_words_are_gone_and_the_chain_is_whole(
    log: EventLog, database: Database
) -> None:
    log.record(incident(1), 0, [informed("person:ada"), informed("person:bob")])

    assert forget_as_admin(database, "person:ada")

    reader = EventLog.open(database.dsn("desk_projections"), master=MASTER)
    messages = [entry.event.message for entry in reader.history(incident(1))]  # type: ignore[union-attr] # both are of one type
    assert messages == ["[forgotten]", "Bob calls you at ten"]
    assert broken_at(database.owner_dsn) is None
    reader.close()


def test_a_destroyed_key_leaves_a_trace_but_no_key(
    log: EventLog, database: Database
) -> None:
    log.vault.prepare("person:ada")
    forget_as_admin(database, "person:ada")

    with psycopg.connect(database.owner_dsn) as connection:
        row = connection.execute(
            "SELECT wrapped, destroyed_at, destroyed_because FROM vault.keys"
            " WHERE owner = 'person:ada'"
        ).fetchone()
    assert row == (None, AT, "asked by letter")


def test_who_has_no_key_cannot_be_forgotten_twice(
    log: EventLog, database: Database
) -> None:
    log.vault.prepare("person:ada")

    assert forget_as_admin(database, "person:ada")
    assert not forget_as_admin(database, "person:ada")
    assert not forget_as_admin(database, "person:eve")


def test_the_key_that_guards_the_vault_is_never_destroyed(database: Database) -> None:
    with pytest.raises(ValueError, match="never destroyed"):
        forget_as_admin(database, WITNESS)


def test_personal_words_of_nobody_are_refused_and_nothing_is_written(
    log: EventLog, database: Database
) -> None:
    with pytest.raises(ValueError, match="say whose"):
        log.record(incident(1), 0, [informed("person:ada"), informed(None)])

    assert log.head().position == 0
    assert broken_at(database.owner_dsn) is None


def test_rivals_who_make_the_same_key_share_one(database: Database) -> None:
    logs = [
        EventLog.open(database.dsn("desk_intake"), master=MASTER, pool_size=1)
        for _ in range(6)
    ]
    start = Barrier(6)

    def seal(log: EventLog) -> str:
        start.wait()
        return log.vault.seal("person:ada", b"yes", "here")

    with ThreadPoolExecutor(6) as pool:
        sealed = list(pool.map(seal, logs))

    assert len({words.split(".")[1] for words in sealed}) == 1
    assert {log.vault.open(words, "here") for log in logs for words in sealed} == {
        b"yes"
    }
    for log in logs:
        log.close()


def test_a_key_whose_rival_was_destroyed_meanwhile_is_stored_after_all(
    log: EventLog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else words would be sealed under a key that is nowhere."""
    keys = StoredKeys(log.transaction, lambda: AT)
    keys.add([WrappedKey("a" * 16, "person:ada", b"rival")])
    look = StoredKeys.living

    def too_late(self: StoredKeys, owners: Sequence[str]) -> Sequence[WrappedKey]:
        forget_as_admin(database, owners[0])
        return look(self, owners)

    monkeypatch.setattr(StoredKeys, "living", too_late)
    ours = WrappedKey("b" * 16, "person:ada", b"ours")

    assert keys.add([ours]) == [ours]
    assert keys.by_ids([ours.key_id]) == [ours]


def test_keys_are_found_inside_a_transaction_though_every_connection_is_taken(
    database: Database,
) -> None:
    writer = EventLog.open(database.dsn("desk_intake"), master=MASTER)
    writer.record(incident(1), 0, [informed("person:ada")])
    log = EventLog.open(database.dsn("desk_intake"), master=MASTER, pool_size=1)

    with log.transaction() as cursor:
        (entry,) = log.histories(cursor, [incident(1)])

    assert entry.event == informed("person:ada")
    writer.close()
    log.close()


def test_the_wrong_master_key_begins_no_second_vault(database: Database) -> None:
    right = EventLog.open(database.dsn("desk_intake"), master=MASTER, pool_size=1)
    wrong = EventLog.open(
        database.dsn("desk_intake"), master=MasterKeys((bytes(32),)), pool_size=1
    )
    right.vault.prepare("person:ada")

    with pytest.raises(VaultError, match="PERMANENCE_VAULT_KEY_FILE"):
        wrong.vault.prepare("person:bob")
    right.close()
    wrong.close()
