"""What a service has on its own disk tells a restore while NATS is away."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import cast

import pytest

from shared.domain.identifiers import sla_stream
from shared.eventlog.append import AppendUnit
from shared.eventlog.continuity.epoch_renewal import Renewal, renew
from shared.eventlog.continuity.evidence import FIRST, KINDS, NATS, Evidence, Mark
from shared.eventlog.continuity.watch import ContinuityWatch
from shared.eventlog.continuity.witness import Kept, Witness, read_folder
from shared.eventlog.errors import NotContinued, Unavailable
from shared.eventlog.log import EventLog
from shared.messaging.connection import Link
from tests.support.builders.short_events import incident, member
from tests.support.continuity import NOW
from tests.support.faults.restore import go_back
from tests.support.key_ring import MASTER
from tests.support.patience import eventually
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


class NoLink:
    """A link to a NATS that is not there."""

    client = None
    generation = 0


def open_log(database: Database, role: str) -> EventLog:
    return EventLog.open(database.dsn(role), master=MASTER, pool_size=2)


def append(log: EventLog, *members: AppendUnit) -> None:
    with log.transaction() as cursor:
        log.append(cursor, members)


def started(log: EventLog, folder: Path | None, service: str) -> ContinuityWatch:
    """Return a watch of a service that has just started, without NATS."""
    witness = Witness(folder, service)
    watch = ContinuityWatch(log, cast(Link, NoLink()), lambda: NOW, witness)
    asyncio.run(watch.begin(asyncio.Event()))
    return watch


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.eventlog.continuity.watch.START_SECONDS", 0.0)


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    with closing(open_log(database, "desk_intake")) as log:
        yield log


def test_an_event_is_on_the_disk_before_its_answer_leaves(
    log: EventLog, tmp_path: Path
) -> None:
    started(log, tmp_path, "intake")
    append(log, member(incident(1), 1, 2))

    ((_, seen),) = read_folder(tmp_path).found
    assert (seen.mark, seen.epoch_id) == (log.continuity.last, log.continuity.epoch)
    assert seen.position == 2
    assert seen.server.numbers.keys() == set(KINDS), "also in the first second"


@pytest.mark.parametrize(
    ("service", "stream"),
    [("intake", incident(2)), ("sla_watcher", sla_stream("INC-000002"))],
)
def test_a_service_that_starts_beside_an_older_copy_knows_it_without_nats(
    database: Database, log: EventLog, tmp_path: Path, service: str, stream: str
) -> None:
    """What one process has seen is known to all that share its folder.

    Also to one whose own file cannot be opened.
    """
    started(log, tmp_path, "intake")
    (tmp_path / "sla_watcher.seen").mkdir()
    append(log, member(incident(1), 1, 2, 3))
    go_back(database, 2)

    with closing(open_log(database, f"desk_{service}")) as fresh:
        watch = started(fresh, tmp_path, service)
        check = asyncio.run(watch.probe())
        assert not check.ready
        assert f"{tmp_path / 'intake.seen'} has seen" in check.words["why"]
        with pytest.raises(NotContinued):
            append(fresh, member(stream, 1))

        with closing(open_log(database, "desk_admin")) as admin:
            renew(admin, Renewal("restore", "a test", "person:root", NOW), None)
        with pytest.raises(Unavailable, match="decide again"):
            append(fresh, member(stream, 1))
        append(fresh, member(stream, 1))
    if service == "intake":
        assert {seen.epoch for _, seen in read_folder(tmp_path).found} >= {2}


def test_what_only_a_running_process_knew_is_kept_for_the_next_start(
    database: Database, log: EventLog, tmp_path: Path
) -> None:
    """It had seen an event of another process a moment before the restore."""
    append(log, member(incident(1), 1, 2))
    watch = started(log, tmp_path, "intake")
    asyncio.run(watch._once())
    with closing(open_log(database, "desk_intake")) as other:
        append(other, member(incident(1), 3))
    with log.transaction() as cursor:
        log.look(cursor)
    go_back(database, 2)

    asyncio.run(watch._once())

    assert {seen.position for _, seen in read_folder(tmp_path).found} == {2, 3}
    assert log.continuity.blocked is not None


def test_what_blocked_a_process_is_known_when_it_starts_again(
    database: Database, log: EventLog, tmp_path: Path
) -> None:
    """NATS had said it, of an event below those recorded since."""
    watch = started(log, tmp_path, "intake")
    append(log, member(incident(1), 1, 2))
    append(log, member(incident(1), 3))
    lost = Evidence(Mark(2, bytes(32)), FIRST, NATS)
    log.continuity.expect(lost)
    asyncio.run(watch._once())

    for _ in range(2):
        with closing(open_log(database, "desk_intake")) as fresh:
            started(fresh, tmp_path, "intake")
            with pytest.raises(NotContinued):
                append(fresh, member(incident(2), 1))
    assert lost.mark in {seen.mark for _, seen in read_folder(tmp_path).found}


def test_a_log_that_was_restored_to_nothing_waits_for_the_command(
    database: Database, log: EventLog, tmp_path: Path
) -> None:
    started(log, tmp_path, "intake")
    append(log, member(incident(1), 1, 2))
    go_back(database, 0)

    with closing(open_log(database, "desk_intake")) as fresh:
        watch = started(fresh, tmp_path, "intake")
        with pytest.raises(NotContinued):
            append(fresh, member(incident(2), 1))
        with closing(open_log(database, "desk_admin")) as admin:
            renew(admin, Renewal("restore", "a test", "person:root", NOW), None)
        with pytest.raises(Unavailable, match="decide again"):
            append(fresh, member(incident(2), 1))
        append(fresh, member(incident(2), 1))
        assert not asyncio.run(watch.probe()).alarm
    with closing(open_log(database, "desk_intake")) as fresh:
        check = asyncio.run(started(fresh, tmp_path, "intake").probe())
        assert check.ready
        assert not check.alarm


def test_a_disk_that_does_not_answer_stops_no_service_and_is_said(
    log: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Event()
    monkeypatch.setattr("shared.eventlog.continuity.watch.DISK_SECONDS", 0.01)
    monkeypatch.setattr(
        "shared.eventlog.continuity.witness.read_folder",
        lambda *_, **__: answers.wait() and Kept(),
    )

    async def story() -> None:
        witness = Witness(tmp_path, "intake")
        watch = ContinuityWatch(log, cast(Link, NoLink()), lambda: NOW, witness)
        await watch.begin(asyncio.Event())
        await watch._once()
        check = await watch.probe()
        assert check.ready
        assert "no answer" in check.alarm
        answers.set()

        async def is_back() -> bool:
            await watch._once()
            return witness.keeps and not (await watch.probe()).alarm

        await eventually(is_back)

    asyncio.run(story())


def test_a_disk_that_is_still_at_work_is_not_said_to_hang(
    log: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, answers = Event(), Event()

    def read(*_: object, **__: object) -> Kept:
        at_work.set()
        answers.wait()
        return Kept()

    monkeypatch.setattr("shared.eventlog.continuity.witness.read_folder", read)

    async def story() -> None:
        witness = Witness(tmp_path, "intake")
        watch = ContinuityWatch(log, cast(Link, NoLink()), lambda: NOW, witness)
        start = asyncio.create_task(watch.begin(asyncio.Event()))
        await asyncio.to_thread(at_work.wait)
        try:
            assert (await watch.probe()).alarm == ""
        finally:
            answers.set()
            await start

    asyncio.run(story())


def test_what_a_file_says_later_is_compared_as_well(
    database: Database, log: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that had seen more wrote its file after this one had read it."""
    monkeypatch.setattr("shared.eventlog.continuity.watch.READ_SECONDS", 0.0)
    other = tmp_path / "other"
    started(log, other, "escalation")
    append(log, member(incident(1), 1, 2, 3))
    go_back(database, 2)
    with closing(open_log(database, "desk_intake")) as fresh:
        watch = started(fresh, tmp_path, "intake")
        append(fresh, member(incident(2), 1, 2))
        (other / "escalation.seen").rename(tmp_path / "escalation.seen")

        asyncio.run(watch._once())

        assert fresh.continuity.blocked is not None


def test_a_fresh_host_says_that_it_compared_the_log_with_nothing(
    log: EventLog, tmp_path: Path
) -> None:
    append(log, member(incident(1), 1))

    fresh = asyncio.run(started(log, tmp_path, "intake").probe())
    append(log, member(incident(1), 2))
    again = asyncio.run(started(log, tmp_path, "intake").probe())

    assert fresh.ready
    assert fresh.words["compared_with"].startswith("nothing")
    assert again.words["compared_with"] == "a file"
    unwritable = asyncio.run(started(log, tmp_path / "intake.seen", "intake").probe())
    assert unwritable.ready
    assert str(tmp_path / "intake.seen") in unwritable.alarm
