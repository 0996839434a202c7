"""`permanence audit verify` compares each file with the log, and forgetting deletes."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from cli.app import command_line
from services.projections.audit.verify import Verified, verify
from shared.attachments.content import delete_forgotten
from shared.domain.commands.incident import RemoveAttachment
from shared.vault.vault import forget
from standalone.nats import Bus
from tests.support.desks.api import problem
from tests.support.desks.attachments import FileDesk, taking_files
from tests.support.mail.sent_files import picture
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


@pytest.fixture
def desk(database: Database, bus: Bus, tmp_path: Path) -> Iterator[FileDesk]:
    """Give a desk whose files a test may damage."""
    with taking_files(database, bus, tmp_path) as running:
        yield running


def verified(desk: FileDesk) -> Verified:
    return verify(desk.api.log, lambda _done, _all: None)


def test_files_that_were_removed_or_forgotten_are_not_missed_and_others_are(
    desk: FileDesk,
) -> None:
    ref, other = desk.incident(), desk.incident(reporter="leroy")
    kept = desk.attached(ref, picture())
    gone = desk.attached(ref, b"a password", "a.txt")
    desk.attached(other, b"words", "b.txt")
    removal = RemoveAttachment(attachment=gone, reason="a password is visible")
    desk.does(ref, removal, "manager", by="person:sylvie")
    with desk.api.log.transaction() as cursor:
        forget(cursor, "person:leroy", "asked", desk.log.head().recorded_at)
        assert delete_forgotten(cursor) == 1
    assert (verified(desk).finding, verified(desk).files) == (None, 1)

    lost = "DELETE FROM intake.attachments WHERE attachment = %s"
    desk.changes(lost, kept)

    finding = verified(desk).finding
    assert finding is not None
    assert finding.kind == "file"
    assert "is missing, and nobody removed it" in finding.sentence


def test_content_that_was_changed_or_moved_is_found_and_never_served(
    desk: FileDesk,
) -> None:
    ref, other = desk.incident(), desk.incident()
    first = desk.attached(ref, picture())
    second = desk.attached(other, b"words", "a.txt")
    swap = """
        UPDATE intake.attachments AS held
        SET sealed_key = o.sealed_key, sha256 = o.sha256, size = o.size, body = o.body
        FROM intake.attachments AS o WHERE held.attachment = %s AND o.attachment = %s
    """
    desk.changes(swap, first, second)

    refused = problem(desk.get(ref, first), 503)
    assert refused["code"] == "content_changed"
    finding = verified(desk).finding
    assert finding is not None
    assert "was changed or moved" in finding.sentence


def test_no_service_can_change_what_is_stored(database: Database) -> None:
    for role in ("desk_intake", "desk_projections", "desk_auditor", "desk_admin"):
        with (
            psycopg.connect(database.dsn(role)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("UPDATE intake.attachments SET incident = 'INC-000099'")


def test_forgetting_a_person_by_the_command_deletes_their_files(
    desk: FileDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # That the queue is rebuilt and the keys' table rewritten is tested elsewhere.
    monkeypatch.setattr("cli.vault.shows_words", lambda _url: False)
    monkeypatch.setattr("cli.vault._erased", lambda *_: [])
    desk.attached(desk.incident(reporter="leroy"), picture())
    kept = desk.attached(desk.incident(), picture())
    words = ("vault", "forget", "person:leroy", "--reason", "asked", "--yes")
    environment = {"DATABASE_URL": desk.api.database.owner_dsn}

    done = CliRunner().invoke(command_line(), words, env=environment)

    assert done.exit_code == 0, done.output
    assert desk.asks("SELECT attachment::text FROM intake.attachments") == [(kept,)]
