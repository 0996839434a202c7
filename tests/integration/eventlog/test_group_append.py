"""What arrives together shares a transaction; each member hears of its own only."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from shared.eventlog.append import (
    EVENT_BYTES_MAX,
    GROUP_BYTES_MAX,
    GROUP_EVENTS_MAX,
    AppendUnit,
    CommandIdReused,
    Outcome,
    Recorded,
    Repeated,
    Stale,
    TooLarge,
)
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import PendingEvent
from tests.support.builders.short_events import incident, member, positions
from tests.support.faults.append_lock import HELD
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers


def append(log: EventLog, *members: AppendUnit) -> list[Outcome]:
    with log.transaction() as cursor:
        return log.append(cursor, members)


def test_a_stale_member_is_left_out_and_the_others_are_in(log: EventLog) -> None:
    append(log, member(incident(1), 1))

    outcomes = append(
        log, member(incident(2), 1, 2), member(incident(1), 1), member(incident(3), 1)
    )

    assert outcomes == [Recorded(2, 3), Stale(), Recorded(4, 4)]
    assert [(r.stream, r.version) for r in log.rows_since(1, 9)] == [
        (incident(2), 1),
        (incident(2), 2),
        (incident(3), 1),
    ]


def test_two_members_on_one_stream_follow_each_other_or_the_second_is_stale(
    log: EventLog,
) -> None:
    outcomes = append(
        log, member(incident(1), 1), member(incident(1), 1), member(incident(1), 2)
    )

    assert outcomes == [Recorded(1, 1), Stale(), Recorded(2, 2)]


def test_a_member_is_in_with_all_its_events_or_with_none(log: EventLog) -> None:
    append(log, member(incident(2), 1))
    events = (*member(incident(1), 1).events, *member(incident(2), 1).events)

    outcomes = append(log, AppendUnit(events), member(incident(1), 1))

    assert outcomes == [Stale(), Recorded(2, 2)]


def test_a_member_that_skips_a_version_is_stale(log: EventLog) -> None:
    assert append(log, member(incident(1), 2)) == [Stale()]
    assert append(log, member(incident(1), 1, 3)) == [Stale()]
    assert log.head().position == 0


def test_a_repeated_command_has_the_positions_of_the_first(log: EventLog) -> None:
    append(log, member(incident(9), 1))
    first = append(log, member(incident(1), 1, 2, command=7))

    again = append(log, member(incident(1), 3, command=7), member(incident(2), 1))

    assert first == [Recorded(2, 3)]
    assert again == [Repeated(2, 3), Recorded(4, 4)]


def test_a_repeated_command_is_not_stale_whatever_came_between(log: EventLog) -> None:
    append(log, member(incident(1), 1, command=7))
    append(log, member(incident(1), 2))

    assert append(log, member(incident(1), 1, command=7)) == [Repeated(1, 1)]


def test_the_same_command_twice_in_one_group_is_recorded_once(log: EventLog) -> None:
    outcomes = append(
        log, member(incident(1), 1, command=7), member(incident(1), 1, command=7)
    )

    assert outcomes == [Recorded(1, 1), Repeated(1, 1)]


def test_a_command_id_with_another_body_is_misuse(log: EventLog) -> None:
    append(log, member(incident(1), 1, command=7, digest=b"one"))

    assert append(log, member(incident(1), 2, command=7, digest=b"two")) == [
        CommandIdReused()
    ]


def test_a_command_id_with_another_body_in_the_same_group_is_misuse(
    log: EventLog,
) -> None:
    outcomes = append(
        log,
        member(incident(1), 1, command=7, digest=b"one"),
        member(incident(2), 1, command=7, digest=b"two"),
    )

    assert outcomes == [Recorded(1, 1), CommandIdReused()]


def test_a_stale_command_is_not_remembered_and_may_decide_again(log: EventLog) -> None:
    append(log, member(incident(1), 1))

    assert append(log, member(incident(1), 1, command=7)) == [Stale()]
    assert append(log, member(incident(1), 2, command=7)) == [Recorded(2, 2)]


def test_a_command_that_changed_nothing_is_remembered_without_positions(
    log: EventLog,
) -> None:
    nothing = AppendUnit((), UUID(int=7), b"body")

    assert append(log, nothing) == [Recorded(1, 0)]
    assert append(log, nothing) == [Repeated(1, 0)]
    assert log.head().position == 0


def test_a_command_is_remembered_by_the_day_it_came_not_by_that_of_the_last_event(
    database: Database,
) -> None:
    now = [datetime(2026, 3, 1, tzinfo=UTC)]
    log = EventLog.open(database.dsn("desk_intake"), clock=lambda: now[0])
    append(log, member(incident(1), 1))
    now[0] += timedelta(days=30)

    append(log, AppendUnit((), UUID(int=7), b"body"))

    with psycopg.connect(database.owner_dsn) as connection:
        days = connection.execute("SELECT day FROM log.commands").fetchall()
    assert days == [(now[0].date(),)]
    log.close()


def test_nothing_to_append_is_nothing_done(log: EventLog) -> None:
    assert append(log) == []


def words(size: int) -> bytes:
    """Return a state of `size` bytes, at least 5."""
    return b'{"":' + b"1" * (size - 5) + b"}"


def blob(size: int, number: int = 1) -> AppendUnit:
    return AppendUnit(
        (PendingEvent(incident(number), 1, "incident.scribbled", words(size)),)
    )


@pytest.mark.parametrize(
    "group",
    [
        pytest.param([blob(EVENT_BYTES_MAX + 1)], id="one large event"),
        pytest.param(
            [
                blob(EVENT_BYTES_MAX, n)
                for n in range(GROUP_BYTES_MAX // EVENT_BYTES_MAX + 1)
            ],
            id="many bytes",
        ),
        pytest.param(
            [blob(6, n) for n in range(GROUP_EVENTS_MAX + 1)], id="many events"
        ),
    ],
)
def test_too_much_is_refused_before_the_lock_is_taken(
    log: EventLog, group: list[AppendUnit]
) -> None:
    with log.transaction() as cursor:
        with pytest.raises(TooLarge, match="at most"):
            log.append(cursor, group)
        assert cursor.execute(HELD).fetchall() == []

    assert log.head().position == 0


def test_as_much_as_is_allowed_goes_in(log: EventLog, database: Database) -> None:
    append(log, blob(EVENT_BYTES_MAX))
    append(log, *(blob(999, n) for n in range(2, GROUP_EVENTS_MAX + 2)))

    assert len(positions(database.owner_dsn)) == 1 + GROUP_EVENTS_MAX
