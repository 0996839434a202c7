"""What files of a host say beside NATS: of this log, of another, or of a promotion."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.eventlog.append import AppendUnit
from shared.eventlog.continuity.check import Continuity
from shared.eventlog.continuity.evidence import FIRST, Mark, Numbers
from shared.eventlog.continuity.witness import Witness
from shared.eventlog.log import EventLog
from standalone.nats import Bus
from tests.support.builders.short_events import incident, member
from tests.support.continuity import in_a_loop, last_seen, until_seen, watching
from tests.support.key_ring import MASTER
from tests.support.patience import eventually
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


def open_log(database: Database) -> EventLog:
    return EventLog.open(database.dsn("desk_intake"), master=MASTER, pool_size=3)


def append(log: EventLog, *members: AppendUnit) -> None:
    with log.transaction() as cursor:
        log.append(cursor, members)


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    with closing(open_log(database)) as log:
        yield log


def file_of(folder: Path, origin: str, numbers: Numbers) -> None:
    """Write a file of a process that has seen more of a log."""
    process, witness = Continuity(), Witness(folder, "escalation")
    witness.begin(process)
    process._last, process._origin = Mark(1000, bytes(32)), origin
    process.issued(numbers)
    witness.keep()


@in_a_loop
async def test_what_a_file_says_of_another_log_is_not_put_into_nats(
    database: Database, bus: Bus, log: EventLog, tmp_path: Path
) -> None:
    """Else one wrong file would stop the desk on every host."""
    append(log, member(incident(1), 1))
    file_of(tmp_path, "ab" * 8, {"incident": 900})
    async with watching(log, bus, folder=tmp_path) as watch:
        await watch._once()
        assert not (await watch.probe()).ready
        assert await last_seen(bus) is None
    with closing(open_log(database)) as elsewhere:
        async with watching(elsewhere, bus):
            seen = await until_seen(bus, 1)
        with closing(open_log(database)) as again:
            async with watching(again, bus, folder=tmp_path) as watch:
                check = await watch.probe()
                assert check.ready
                assert str(tmp_path / "escalation.seen") in check.alarm
                append(again, member(incident(1), 2))
                later = await until_seen(bus, 2)
    assert later.origin == seen.origin != "ab" * 8
    assert later.server.numbers["incident"] < 900


@in_a_loop
async def test_what_a_file_says_of_this_log_is_put_into_nats_with_its_numbers(
    bus: Bus, log: EventLog, tmp_path: Path
) -> None:
    append(log, member(incident(1), 1))
    with log.transaction() as cursor:
        origin = log.look(cursor).origin
    file_of(tmp_path, origin, {"incident": 900})

    async with watching(log, bus, folder=tmp_path):
        seen = await until_seen(bus, 1000)

    assert (seen.origin, seen.server.numbers["incident"]) == (origin, 900)


@in_a_loop
async def test_before_an_epoch_begins_by_itself_the_files_can_be_read(
    bus: Bus,
    log: EventLog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    append(log, member(incident(1), 1))
    (tmp_path / "escalation.seen").mkdir()
    promoted = "shared.eventlog.continuity.watch._was_promoted"
    async with watching(log, bus, folder=tmp_path) as watch:
        await until_seen(bus, 1)
        monkeypatch.setattr(promoted, lambda *given: given[-1].epoch == FIRST)
        append(log, member(incident(1), 2))
        await watch._once()
        await watch._once()
        assert log.epochs().newest.id == FIRST
        (tmp_path / "escalation.seen").rmdir()
        await until_seen(bus, 3)
        assert log.epochs().newest.id.number == 2


@in_a_loop
async def test_before_an_epoch_begins_by_itself_the_files_are_compared(
    bus: Bus,
    log: EventLog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another process of the host has seen what the promoted standby lacks."""
    monkeypatch.setattr("shared.eventlog.continuity.watch.READ_SECONDS", 1_000.0)
    append(log, member(incident(1), 1))
    own, other = tmp_path / "own", tmp_path / "other"
    async with watching(log, bus, folder=own):
        await until_seen(bus, 1)
        lacking = Continuity()
        witness = Witness(other, "escalation")
        witness.begin(lacking)
        lacking._last = Mark(9, bytes(32))
        witness.keep()
        (other / "escalation.seen").rename(own / "escalation.seen")
        monkeypatch.setattr(
            "shared.eventlog.continuity.watch._was_promoted", lambda *_: True
        )
        await eventually(lambda: log.continuity.blocked is not None)
        assert log.epochs().newest.id == FIRST
