"""Files are scanned after they are recorded; what is infected reaches nobody."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from services.intake.attachments.worker import SWEEP_EVERY, AttachmentWorker
from shared.domain import events
from shared.domain.commands.incident import RemoveAttachment
from shared.vault.vault import forget
from tests.support.desks.api import problem
from tests.support.desks.attachments import FileDesk
from tests.support.mail.sent_files import EICAR, archive, picture
from tests.support.servers.clamd_server import clamd

pytestmark = pytest.mark.servers


@dataclass
class Times:
    """A clock that a test moves, after everything that is recorded."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def times(desk: FileDesk) -> Times:
    desk.changes("DELETE FROM intake.attachment_scans")
    return Times(desk.log.head().recorded_at + timedelta(days=1))


def test_a_file_that_was_kept_long_enough_is_removed_and_the_timeline_says_so(
    desk: FileDesk, ref: str, times: Times
) -> None:
    id_ = desk.attached(ref, picture())
    times.now += timedelta(days=29)
    sweeper = AttachmentWorker(desk.log, times, desk.parts.commands, None, 30)
    desk.changes("UPDATE intake.attachments SET stored_at = %s", times.now)
    assert desk.done(sweeper.sweep()) == 0

    young = times.now - timedelta(days=29)
    old = times.now - timedelta(days=31)
    aged = "UPDATE intake.attachments SET stored_at = %s WHERE attachment = %s"
    desk.changes("UPDATE intake.attachments SET stored_at = %s", young)
    desk.changes(aged, old, id_)
    times.now += SWEEP_EVERY
    assert desk.done(sweeper.sweep()) == 1

    (file,) = desk.files(ref)
    assert file["removed_because"] == "kept for 30 days"
    assert problem(desk.get(ref, id_), 410)["code"] == "gone"


def worker(desk: FileDesk, times: Times, url: str | None) -> AttachmentWorker:
    return AttachmentWorker(desk.log, times, desk.parts.commands, url)


def test_an_infected_file_is_neither_downloaded_nor_shown(
    desk: FileDesk, ref: str, times: Times
) -> None:
    virus = desk.attached(ref, EICAR, "eicar.txt")
    screen = desk.attached(ref, picture())
    locked = desk.attached(ref, archive("a.txt", encrypted=True), "a.zip")

    with clamd() as url:
        assert desk.done(worker(desk, times, url).scan_due()) == 3

    scans = {each["attachment"]: each["scan"] for each in desk.files(ref)}
    assert scans == {virus: "infected", screen: "clean", locked: "unscannable"}
    for what in ("", "/preview"):
        refused = problem(desk.get(ref, virus, what), 409)
        assert refused["code"] == "infected"
        assert "EICAR" in str(refused["detail"])
    assert desk.get(ref, screen).headers["x-scan"] == "clean"
    assert desk.get(ref, locked).headers["x-scan"] == "unscannable"
    waiting = "SELECT count(*) FROM intake.attachment_scans"
    assert desk.asks(waiting) == [(0,)]


def test_a_file_waits_for_a_scanner_that_is_away_longer_each_time(
    desk: FileDesk, ref: str, times: Times
) -> None:
    desk.attached(ref, picture())
    away = worker(desk, times, "tcp://127.0.0.1:9")
    waits: list[timedelta] = []
    for _ in range(4):
        assert desk.done(away.scan_due()) == 0
        assert desk.done(away.scan_due()) == 0  # not before its time
        ((attempts, due),) = desk.asks(
            "SELECT attempts, due_at FROM intake.attachment_scans"
        )
        waits.append(due - times.now)
        times.now = due
    assert attempts == 4
    assert waits == sorted(set(waits))
    assert desk.done(away.probe()).numbers["scanner_away"] == 1

    with clamd() as url:
        assert desk.done(worker(desk, times, url).scan_due()) == 1


def test_two_processes_record_one_verdict(
    desk: FileDesk, ref: str, times: Times
) -> None:
    id_ = desk.attached(ref, picture())
    with clamd() as url:
        first, second = (worker(desk, times, url) for _ in range(2))
        assert desk.done(first.scan_due()) + desk.done(second.scan_due()) == 1
        # The first process died before it was done: another scans the file again.
        desk.changes(
            "INSERT INTO intake.attachment_scans (attachment, due_at) VALUES (%s, %s)",
            id_,
            times.now,
        )
        desk.done(second.scan_due())

    scanned = [
        e for e in desk.history(ref) if isinstance(e, events.IncidentFileScanned)
    ]
    assert [each.verdict for each in scanned] == ["clean"]


def test_a_removed_file_is_not_scanned(desk: FileDesk, ref: str, times: Times) -> None:
    id_ = desk.attached(ref, picture())
    removal = RemoveAttachment(attachment=id_, reason="a password is visible")
    desk.does(ref, removal, "manager", by="person:sylvie")

    with clamd() as url:
        assert desk.done(worker(desk, times, url).scan_due()) == 0


def test_without_a_scanner_files_stay_unscanned_until_there_is_one(
    desk: FileDesk, ref: str, times: Times
) -> None:
    id_ = desk.attached(ref, picture())

    assert desk.done(worker(desk, times, None).scan_due()) == 0
    assert desk.get(ref, id_).headers["x-scan"] == "unscanned"
    with clamd() as url:
        assert desk.done(worker(desk, times, url).scan_due()) == 1


def test_the_content_of_a_forgotten_person_is_deleted_within_the_hour(
    desk: FileDesk, times: Times
) -> None:
    ref = desk.incident(reporter="leroy")
    id_ = desk.attached(ref, picture(), "leroy.png")
    sweeper = worker(desk, times, None)
    assert desk.done(sweeper.sweep()) == 0
    with desk.api.log.transaction() as cursor:
        forget(cursor, "person:leroy", "asked", times.now)

    assert desk.done(sweeper.sweep()) == 0  # it has just swept
    times.now += SWEEP_EVERY
    assert desk.done(sweeper.sweep()) == 1

    assert problem(desk.get(ref, id_), 410)["code"] == "gone"
