"""The vault: what a thief finds of a key that was destroyed, or of a master key."""

import json
import struct
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from cli.app import command_line
from services.intake.directory.store import import_people
from services.projections.read_models import WORDS
from services.projections.words.hashes import current
from services.projections.words.search import WordIndex
from shared.contact_methods.store import put_value
from shared.domain.events.incident import IncidentInformed
from shared.domain.identifiers import incident_ref
from shared.eventlog.log import EventLog
from shared.vault.master_keys import MasterKeys, text_of
from shared.vault.vault import VaultError, read_master_keys
from tests.support.builders.short_events import incident
from tests.support.builders.written_histories import (
    QUEUE,
    followed,
    live_of,
    rebuilt,
    schemas_of,
)
from tests.support.key_ring import MASTER
from tests.support.patience import until
from tests.support.servers.servers import Database
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

ADA = "person:ada"
TITLE = "Ada cannot print the divorce papers"
LABEL = "zebrafish"
FORGET = ("vault", "forget", ADA, "--reason", "asked by letter", "--yes")
SAMPLES = """
SELECT coalesce(histogram_bounds, most_common_vals)::text::text[] FROM pg_stats
WHERE schemaname = 'directory' AND num_nonnulls(histogram_bounds, most_common_vals) > 0
"""
KEYS = "SELECT owner, wrapped FROM vault.keys ORDER BY key_id"


class Desk:
    """A log with words of Ada's in it, and the command line of an administrator."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.key_file = folder / "vault.key"
        self.key_file.write_text(text_of(MASTER.keys), encoding="ascii")
        self.log = self.opened()

    def opened(self, role: str = "desk_intake") -> EventLog:
        master = read_master_keys(self.key_file)
        return EventLog.open(self.database.dsn(role), master=master, pool_size=2)

    def run(self, *words: str, **more: str) -> Result:
        environment: Mapping[str, str] = {
            "DATABASE_URL": self.database.dsn("desk_admin"),
            "PERMANENCE_PROJECTIONS_DATABASE_URL": self.database.dsn(
                "desk_projections"
            ),
            "PERMANENCE_VAULT_KEY_FILE": str(self.key_file),
            "PERMANENCE_HOME": str(self.key_file.parent / "none"),
            **more,
        }
        return CliRunner().invoke(command_line(), words, env=environment)

    def wrapped(self) -> dict[str, bytes]:
        with psycopg.connect(self.database.owner_dsn) as owner:
            return {who: bytes(key) for who, key in owner.execute(KEYS) if key}

    def files_with(self, *needles: bytes) -> list[bytes]:
        """Return which of these bytes are in some file of the database on the disk."""
        with psycopg.connect(self.database.owner_dsn, autocommit=True) as owner:
            owner.execute("ANALYZE")
            owner.execute("CHECKPOINT")
            row = owner.execute(
                "SELECT current_setting('data_directory'), oid FROM pg_database"
                " WHERE datname = current_database()"
            ).fetchone()
        assert row
        files = Path(row[0], "base", str(row[1])).iterdir()
        held = b"".join(filter(None, map(_content, files)))
        return [needle for needle in needles if needle in held]

    def samples(self) -> set[str]:
        """Return the values that ANALYZE keeps of the directory."""
        with psycopg.connect(self.database.owner_dsn) as owner:
            rows = owner.execute(SAMPLES).fetchall()
        return {value for (values,) in rows for value in values}


def _content(file: Path) -> bytes | None:
    """Return what a file holds; None if PostgreSQL has just removed it."""
    try:
        return file.read_bytes() if file.is_file() else None
    except FileNotFoundError:
        return None


@pytest.fixture
def desk(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setattr("cli.vault.pause", lambda _: None)
    desk = Desk(database, tmp_path)
    with closing(desk.log):
        yield desk


def plain(done: Result) -> Any:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def shown(desk: Desk) -> None:
    """Have a queue that shows what is in the log."""
    with closing(desk.opened("desk_projections")) as log:
        followed(desk.database, QUEUE, log)


def ada_reports(desk: Desk, n: int = 1) -> None:
    labels = {"pet": LABEL}
    said = opened(
        incident_ref(n), title=TITLE, labels=labels, reporter="ada", whose=ADA
    )
    desk.log.record(incident(n), 0, [said])


def test_nothing_on_the_disk_tells_a_forgotten_word_or_its_key(desk: Desk) -> None:
    ada_reports(desk)
    desk.log.vault.seal("person:bob", b"yes", "here")
    shown(desk)
    rebuilt(desk.database, QUEUE)
    secrets = desk.wrapped()[ADA], TITLE.encode(), LABEL.encode()
    assert desk.files_with(*secrets) == list(secrets)

    assert plain(desk.run(*FORGET, "--json"))["left"] == []

    assert desk.files_with(*secrets) == []
    assert desk.files_with(*desk.wrapped().values()) == list(desk.wrapped().values())
    with closing(desk.opened("desk_projections")) as log:
        assert schemas_of(log, QUEUE) == [live_of(log, QUEUE)]
    assert plain(desk.run(*FORGET, "--json"))["forgotten"] is False


def test_nothing_on_the_disk_tells_a_former_entry_of_the_directory(desk: Desk) -> None:
    ada_reports(desk)
    entry = {"name": "Adabella Q", "email": "ada@quux.example", "phone": "+33699887766"}
    others = [
        {"id": one, "name": one, "email": f"{one}@quux.example", "phone": one}
        for one in ("bea", "cid", "dot")
    ]
    with desk.log.transaction() as cursor:
        import_people(cursor, [{"id": "ada", **entry}, *others], START)
        put_value(cursor, "ada", "sms-1", "sms", "+33699554433", START)
        put_value(cursor, "bea", "sms-1", "sms", "+33699554400", START)
    secrets = [each.encode() for each in (*entry.values(), "+33699554433")]
    assert desk.files_with(*secrets) == secrets
    assert not {*entry.values(), "+33699554433"} & desk.samples()
    emptied = dict.fromkeys(entry) | {"id": "ada", "name": "[forgotten]"}
    with desk.log.transaction() as cursor:
        import_people(cursor, [emptied], START)

    assert plain(desk.run(*FORGET, "--json"))["left"] == []

    assert desk.files_with(*secrets) == []


def test_a_session_that_still_sees_the_key_is_told_of(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.vault.rotation.OTHERS_SECONDS_MAX", 0.0)
    ada_reports(desk)
    wrapped = desk.wrapped()[ADA]
    with psycopg.connect(desk.database.owner_dsn) as old:
        old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        old.execute("SELECT FROM log.clock")
        done = desk.run(*FORGET)
        assert desk.files_with(wrapped) == [wrapped]

    assert done.exit_code == 1
    assert "still sees former rows of vault.keys" in done.stdout
    assert "had been destroyed before" in desk.run(*FORGET).stdout
    assert desk.files_with(wrapped) == []


def test_a_session_that_uses_the_directory_is_told_of_and_keeps_nobody_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.vault.rotation.OTHERS_SECONDS_MAX", 0.0)
    monkeypatch.setattr("shared.vault.rotation.LOCK_SECONDS", 1)
    ada_reports(desk)
    with psycopg.connect(desk.database.owner_dsn) as backup:
        backup.execute("LOCK TABLE directory.people IN ACCESS SHARE MODE")
        done = desk.run(*FORGET)

    assert done.exit_code == 1
    assert "sessions use directory.people all the time" in done.stdout
    assert plain(desk.run(*FORGET, "--json"))["left"] == []


def test_who_may_not_rewrite_the_table_is_told_so(desk: Desk) -> None:
    ada_reports(desk)
    with psycopg.connect(desk.database.owner_dsn, autocommit=True) as owner:
        owner.execute("REVOKE MAINTAIN ON vault.keys FROM desk_admin")

    done = desk.run(*FORGET)

    assert done.exit_code == 1
    assert "VACUUM FULL vault.keys as the owner" in done.stdout


def test_without_the_master_key_nobody_is_forgotten_by_half(desk: Desk) -> None:
    ada_reports(desk)
    shown(desk)

    done = desk.run(*FORGET, PERMANENCE_VAULT_KEY_FILE="")

    assert done.exit_code == 2
    assert "--vault-key" in done.stderr
    assert ADA in desk.wrapped()


@contextmanager
def sealing(desk: Desk) -> Iterator[Mapping[str, str]]:
    """Let a service seal words of ever new people, and open old ones, meanwhile."""
    sealed: dict[str, str] = {}
    over = Event()

    def traffic() -> None:
        while not over.is_set():
            who = f"person:p{len(sealed)}"
            sealed[who] = desk.log.vault.seal(who, b"x", "here")
            desk.log.vault.drop()  # so that each key is asked for again
            assert desk.log.vault.open(sealed["person:p0"], "here") == b"x"

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(traffic)
        try:
            until(lambda: len(sealed) > 1 or running.done(), "nothing is sealed")
            yield sealed
        finally:
            over.set()
        running.result()


def test_a_master_key_is_rotated_while_services_seal_and_open(desk: Desk) -> None:
    """With the former key alone nothing opens afterwards, with the new one all does."""
    with sealing(desk) as sealed:
        for _ in range(2):
            rotated = plain(desk.run("vault", "rotate", "--json"))
            assert rotated["former"] == 1
        done = plain(desk.run("vault", "rotate", "--finish", "--json"))

    assert done == {"rewrapped": 0, "former": 0, "left": []}
    with closing(desk.opened()) as log:
        assert {log.vault.open(words, "here") for words in sealed.values()} == {b"x"}
    with closing(EventLog.open(desk.database.dsn("desk_intake"), master=MASTER)) as log:
        for words in sealed.values():
            with pytest.raises(VaultError, match="does not open key"):
                log.vault.open(words, "here")


def test_a_rotation_that_was_killed_goes_on_where_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = [desk.log.vault.seal(f"person:p{n}", b"x", "here") for n in range(9)]
    before = desk.wrapped()
    monkeypatch.setattr("shared.vault.rotation.BATCH", 2)
    wrap, wrapped = MasterKeys.wrap, []

    def killed(self: MasterKeys, key: bytes) -> bytes:
        wrapped.append(key)
        if len(wrapped) == 6:
            raise KeyboardInterrupt
        return wrap(self, key)

    with monkeypatch.context() as patch:
        patch.setattr(MasterKeys, "wrap", killed)
        assert desk.run("vault", "rotate").exit_code != 0
    half = desk.wrapped()
    assert len({who for who in before if before[who] != half[who]}) == 4

    assert plain(desk.run("vault", "rotate", "--json"))["rewrapped"] == 6
    with closing(desk.opened()) as log:
        assert {log.vault.open(words, "here") for words in sealed} == {b"x"}


def test_a_former_master_key_stays_while_a_service_uses_it(desk: Desk) -> None:
    plain(desk.run("vault", "rotate", "--json"))
    with closing(
        EventLog.open(desk.database.dsn("desk_intake"), master=MASTER)
    ) as late:
        late.vault.seal("person:late", b"x", "here")

    done = desk.run("vault", "rotate", "--finish")

    assert done.exit_code == 1
    assert "under a former master key" in done.stderr
    assert len(read_master_keys(desk.key_file).keys) == 2
    for _ in range(2):
        plain(desk.run("vault", "rotate", "--finish", "--json"))


def test_a_file_that_cannot_be_written_is_named(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("cli.vault.write_private", read_only)

    done = desk.run("vault", "rotate")

    assert done.exit_code == 2
    assert "Read-only file system" in done.stderr
    assert "the new one first" in done.stderr


def test_another_logs_master_key_rotates_nothing(desk: Desk) -> None:
    desk.log.vault.prepare(ADA)
    held = desk.wrapped()
    desk.key_file.write_text(text_of([bytes(32)]), encoding="ascii")

    done = desk.run("vault", "rotate")

    assert done.exit_code == 2
    assert "no master key in the file opens the key of" in done.stderr
    assert desk.wrapped() == held
    assert list(read_master_keys(desk.key_file).keys) == [bytes(32)]


DRUG, OF_BOB = "oxycodone", "letterbox"
"""A word that was written for Ada, and one that was written for Bob."""


def hash_of(desk: Desk, word: str) -> bytes:
    """Return the hash of the first letters of a word, as it is in a file."""
    hashes = current(desk.log.vault)
    assert hashes
    (found,) = hashes.searched(word[:5], word[:5], ()) & hashes.of(word)
    return struct.pack("<q", found)


def two_are_written_about(desk: Desk) -> None:
    """Record what is said to Ada and to Bob, and have it indexed."""
    ada_reports(desk)
    ref = {"incident": incident_ref(1), "policy": 1, "at": START, "by": "person:paul"}
    told = [
        IncidentInformed(**ref, whose=ADA, message=f"Your {DRUG} is at the pharmacy"),
        IncidentInformed(**ref, whose="person:bob", message=f"Empty your {OF_BOB}"),
    ]
    desk.log.record(incident(1), 1, told)
    desk.log.record(
        incident(2), 0, [opened(incident_ref(2), title="x", details=f"A {OF_BOB}")]
    )
    with closing(desk.opened("desk_projections")) as log:
        followed(desk.database, WORDS, log)


def found(desk: Desk, q: str) -> list[str]:
    with closing(desk.opened("desk_projections")) as log, log.transaction() as cursor:
        schema = live_of(log, WORDS)
        words = WordIndex(log.vault, schema or "").words(q)
        assert words
        return sorted(words.incidents(cursor, is_open=True, limit=9))


def test_what_was_written_is_found_but_in_no_file(desk: Desk) -> None:
    two_are_written_about(desk)

    assert found(desk, DRUG) == [incident_ref(1)]
    assert found(desk, f"{OF_BOB} {DRUG}") == [incident_ref(1)]
    assert desk.files_with(DRUG.encode(), OF_BOB.encode(), b"pharmacy") == []


def test_the_hashes_of_a_forgotten_person_are_in_no_file(desk: Desk) -> None:
    two_are_written_about(desk)
    rebuilt(desk.database, WORDS)
    of_ada, of_bob = hash_of(desk, DRUG), hash_of(desk, OF_BOB)
    assert desk.files_with(of_ada, of_bob) == [of_ada, of_bob]

    assert plain(desk.run(*FORGET, "--json"))["left"] == []

    assert found(desk, DRUG) == []
    assert found(desk, OF_BOB) == [incident_ref(1), incident_ref(2)]
    assert desk.files_with(of_ada, of_bob) == [of_bob]


def test_a_forgotten_person_is_not_found_even_before_the_rebuild(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_are_written_about(desk)
    monkeypatch.setattr("cli.vault.forget_words", lambda *_: "another one rebuilds")

    assert desk.run(*FORGET).exit_code == 1

    assert found(desk, DRUG) == []
    assert found(desk, OF_BOB) == [incident_ref(2)]


def test_hashes_of_a_former_master_key_are_of_no_use_after_a_rotation(
    desk: Desk,
) -> None:
    two_are_written_about(desk)
    former = hash_of(desk, DRUG)
    plain(desk.run("vault", "rotate", "--json"))
    assert found(desk, DRUG) == [incident_ref(1)]

    plain(desk.run("vault", "rotate", "--finish", "--json"))

    assert found(desk, DRUG) == [incident_ref(1)]
    assert desk.files_with(former, hash_of(desk, DRUG)) == [hash_of(desk, DRUG)]
