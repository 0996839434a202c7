"""Epochs of a log: who may begin one, with which number, and what they tell apart."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from shared.database.server_clock import server_now
from shared.eventlog.continuity.epoch_renewal import Renewal, number_after, renew
from shared.eventlog.continuity.evidence import BEGINNING, EpochId
from shared.eventlog.continuity.last_seen import EPOCH_MAX, seen_at, server_of
from shared.eventlog.epochs import Epochs, OtherEpoch
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from tests.support.builders.short_events import incident, member
from tests.support.key_ring import MASTER
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers
NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
RESTORE = Renewal("restore", "backup of 07:45", "person:root", NOW)


def open_as_admin(database: Database) -> EventLog:
    return EventLog.open(database.dsn("desk_admin"), master=MASTER, pool_size=3)


def append(log: EventLog, *versions: int) -> None:
    with log.transaction() as cursor:
        log.append(cursor, [member(incident(1), *versions)])


def test_two_restores_of_one_backup_never_begin_the_same_epoch(
    database: Database, log: EventLog
) -> None:
    append(log, 1)
    with closing(open_as_admin(database)) as admin:
        first, second = renew(admin, RESTORE, None), renew(admin, RESTORE, None)

    assert first.id.token != second.id.token


@pytest.mark.parametrize("off", [timedelta(days=-400), timedelta(days=400)])
@pytest.mark.parametrize("versions", [(), (1,)], ids=["empty", "with an event"])
def test_references_go_on_by_the_clock_of_postgresql(
    server_time_database: Database, versions: tuple[int, ...], off: timedelta
) -> None:
    """The clock of the host where somebody says that it was restored may be wrong."""
    dsn = server_time_database.dsn("desk_intake")
    with (
        closing(EventLog.open(dsn, master=MASTER)) as log,
        closing(open_as_admin(server_time_database)) as admin,
    ):
        if versions:
            append(log, *versions)
        before = server_now(dsn)
        renew(admin, replace(RESTORE, at=before + off), None)
        after = server_now(dsn)
        with admin.transaction() as cursor:
            numbers = server_of(cursor).numbers

    for number in numbers.values():
        assert number_after(0, before) <= number <= number_after(0, after)


def test_intake_may_renew_after_a_promotion_only(log: EventLog) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        renew(log, RESTORE, None)

    epoch = renew(log, Renewal("promotion", "again", "system:intake", NOW), None)

    assert log.epochs().newest == epoch


def test_a_promotion_leaves_out_no_number(log: EventLog) -> None:
    """Else whoever has intake's password could use them all up with one row."""
    with log.transaction() as cursor:
        server = server_of(cursor)
    last = seen_at(BEGINNING, EpochId(EPOCH_MAX, "5f3a09c1"), server)

    with pytest.raises(psycopg.errors.IntegrityError, match="does not follow epoch 1"):
        renew(log, Renewal("promotion", "again", "system:intake", NOW), last)

    assert log.epochs().newest.id.number == 1


def test_positions_name_their_epoch_after_the_first(
    database: Database, log: EventLog
) -> None:
    append(log, 1, 2)
    with closing(open_as_admin(database)) as admin:
        renew(admin, RESTORE, None)
    with pytest.raises(Unavailable, match="decide again"):
        append(log, 3)
    append(log, 3)
    epochs: Epochs = log.epochs()
    label = epochs.newest.label

    assert epochs.id_at(2) == "2"
    assert epochs.id_at(4) == f"{label}:4"
    assert epochs.position("2") == 2
    assert epochs.position(f"{label}:4") == 4
    for other in ("4", "2-00000000:4", f"{label}:2"):
        with pytest.raises(OtherEpoch):
            epochs.position(other)
