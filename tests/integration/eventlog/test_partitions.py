"""What is not kept for ever lies in daily partitions; a midnight changes nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from services.intake.partitions import turn_partitions
from shared.eventlog.append import Recorded, Repeated
from shared.eventlog.errors import Unavailable
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import lock_head
from tests.support.builders.short_events import incident, member
from tests.support.patience import until
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

DAY = date(2026, 3, 1)
BEFORE_MIDNIGHT = datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)
COMMANDS = "SELECT tableoid::regclass::text, command_id FROM log.commands ORDER BY 1, 2"


class Desk:
    """A log whose clock the test moves."""

    def __init__(self, database: Database) -> None:
        self.now = BEFORE_MIDNIGHT
        self.log = EventLog.open(database.dsn("desk_intake"), clock=lambda: self.now)
        self._owner = database.owner_dsn

    def turn(self, today: date) -> list[str]:
        """Turn all partitions; tell of those of commands."""
        turned = turn_partitions(self.log.transaction, today)
        return [what for what in turned if "log.commands" in what]

    def turn_in_time(self, today: date) -> list[str]:
        """Turn them as services do: later if somebody holds one for long."""
        turned: list[str] = []

        def done() -> bool:
            with suppress(Unavailable):
                turned[:] = self.turn(today)
                return True
            return False

        until(done, f"{today} is turned")
        return turned

    def command(self, number: int, version: int) -> object:
        with self.log.transaction() as cursor:
            (outcome,) = self.log.append(
                cursor, [member(incident(1), version, command=number)]
            )
        return outcome

    def live_until(self, day: date) -> None:
        """Record an event on that day: nothing is dropped ahead of the log."""
        self.now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        stream = incident(1_000 + (day - DAY).days)
        with self.log.transaction() as cursor:
            self.log.append(cursor, [member(stream, 1)])

    def commands(self) -> list[tuple[str, int]]:
        with psycopg.connect(self._owner) as connection:
            rows = connection.execute(COMMANDS).fetchall()
        return [(partition, command.int) for partition, command in rows]


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    desk = Desk(database)
    yield desk
    desk.log.close()


def test_today_and_tomorrow_are_made_once(desk: Desk) -> None:
    assert desk.turn(DAY) == [
        "made log.commands_d20260301",
        "made log.commands_d20260302",
    ]
    assert desk.turn(DAY) == []
    assert desk.turn(DAY + timedelta(days=1)) == ["made log.commands_d20260303"]


def test_every_table_with_a_retention_is_turned(desk: Desk) -> None:
    turned = turn_partitions(desk.log.transaction, DAY)

    with desk.log.transaction() as cursor:
        rows = cursor.execute(
            "SELECT table_name FROM upkeep.retention WHERE partitioned"
        ).fetchall()
    made = {what.removeprefix("made ").partition("_d2026")[0] for what in turned}
    assert made == {name for (name,) in rows}


def test_a_command_before_midnight_is_known_after_it(desk: Desk) -> None:
    desk.turn(DAY)
    assert desk.command(7, 1) == Recorded(1, 1)

    desk.now += timedelta(microseconds=1)
    assert desk.command(8, 2) == Recorded(2, 2)
    desk.turn(DAY + timedelta(days=1))

    assert desk.command(7, 1) == Repeated(1, 1)
    assert desk.commands() == [
        ("log.commands_d20260301", 7),
        ("log.commands_d20260302", 8),
    ]


def test_a_command_is_known_for_its_retention_and_not_much_longer(desk: Desk) -> None:
    desk.turn(DAY)
    desk.command(7, 1)

    desk.live_until(DAY + timedelta(days=7))
    assert "dropped log.commands_d20260301" not in desk.turn(DAY + timedelta(days=7))
    assert desk.command(7, 1) == Repeated(1, 1)
    desk.live_until(DAY + timedelta(days=8))
    assert "dropped log.commands_d20260301" in desk.turn(DAY + timedelta(days=8))
    assert desk.command(7, 2) == Recorded(4, 4)


def test_a_day_nobody_prepared_goes_to_the_other_partition(desk: Desk) -> None:
    assert desk.command(7, 1) == Recorded(1, 1)

    assert desk.commands() == [("log.commands_other", 7)]
    assert desk.command(7, 1) == Repeated(1, 1)


def test_a_day_that_is_in_the_other_partition_already_stays_there(desk: Desk) -> None:
    desk.command(7, 1)

    assert desk.turn(DAY) == ["made log.commands_d20260302"]
    desk.command(8, 2)

    assert desk.commands() == [("log.commands_other", 7), ("log.commands_other", 8)]


def test_the_other_partition_forgets_by_the_same_retention(desk: Desk) -> None:
    desk.command(7, 1)

    desk.live_until(DAY + timedelta(days=7))
    desk.turn(DAY + timedelta(days=7))
    assert desk.commands() == [("log.commands_other", 7)]
    desk.live_until(DAY + timedelta(days=8))
    desk.turn(DAY + timedelta(days=8))
    assert desk.commands() == []


def test_a_table_in_use_is_left_for_the_next_time(desk: Desk) -> None:
    def in_vain() -> None:
        with pytest.raises(Unavailable, match="lock timeout"):
            desk.turn(DAY)

    with desk.log.transaction() as cursor:
        cursor.execute("SELECT FROM log.commands")
        in_vain()

    assert len(desk.turn(DAY)) == 2


def test_turning_while_commands_come_stops_neither(desk: Desk) -> None:
    def command(number: int) -> object:
        with desk.log.transaction() as cursor:
            (outcome,) = desk.log.append(
                cursor, [member(incident(number), 1, command=number)]
            )
        return outcome

    with ThreadPoolExecutor(3) as pool:
        done = pool.map(command, range(1, 101))
        turned = [desk.turn_in_time(DAY + timedelta(days=n)) for n in range(10)]
        outcomes = list(done)

    assert all(isinstance(outcome, Recorded) for outcome in outcomes)
    assert all(turned)


def test_only_what_has_a_retention_can_be_turned(desk: Desk) -> None:
    with pytest.raises(psycopg.errors.NoDataFound), desk.log.transaction() as cursor:
        cursor.execute("SELECT upkeep.turn_partitions('log.events', '2026-03-01')")


def test_turning_never_waits_for_the_append_lock(desk: Desk) -> None:
    with desk.log.transaction() as holder:
        lock_head(holder)

        assert len(desk.turn(DAY)) == 2
