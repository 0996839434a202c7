"""An event that cannot be applied holds up its own stream and no other."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.database.cursors import Cursors
from shared.eventlog.append import AppendUnit
from shared.eventlog.readers import reader as reader_module
from shared.eventlog.readers.parked_events import StillPoison, parked_streams, retry
from tests.support.builders.short_events import incident, note
from tests.support.desks.follower import BOOKMARK, Desk, Entries, apply, reading
from tests.support.patience import eventually, until

pytestmark = pytest.mark.servers


class Picky:
    """Applies all but the events at `poison`."""

    def __init__(self, *poison: int) -> None:
        self.poison = set(poison)

    def __call__(self, cursor: Cursors, entries: Entries) -> None:
        apply(cursor, entries)
        for entry in entries:
            if entry.position in self.poison:
                raise ValueError(f"cannot make sense of {entry.position}")


def read_to_the_end(desk: Desk, apply: Picky) -> None:
    async def scenario() -> None:
        async with reading(desk, apply=apply):
            await eventually(lambda: desk.tracked() == desk.log.head().position)

    asyncio.run(scenario())


def test_only_the_poison_and_what_follows_it_in_its_stream_is_parked(
    desk: Desk,
) -> None:
    desk.happen(1, 2, 3, 4, 2, 5, 2, 6)

    read_to_the_end(desk, Picky(2))

    assert desk.parked() == [2, 5, 7]
    assert desk.seen() == [1, 3, 4, 6, 8]


def test_what_comes_later_in_a_parked_stream_is_parked_too(desk: Desk) -> None:
    desk.happen(1, 2)
    read_to_the_end(desk, Picky(2))
    desk.happen(1, 2)

    read_to_the_end(desk, Picky())

    assert desk.parked() == [2, 4]
    assert desk.seen() == [1, 3]


def test_several_poisons_in_a_large_batch_are_all_found(desk: Desk) -> None:
    desk.happen(*range(1, 301))
    poison = (1, 77, 150, 151, 300)

    read_to_the_end(desk, Picky(*poison))

    assert desk.parked() == list(poison)
    assert desk.seen() == [p for p in range(1, 301) if p not in poison]


def test_an_event_of_an_unknown_type_is_parked(desk: Desk) -> None:
    desk.happen(1)
    with desk.log.transaction() as cursor:
        desk.log.append(cursor, [AppendUnit((note(incident(2), 1),))])
    desk.happen(3)

    read_to_the_end(desk, Picky())

    assert desk.parked() == [2]
    assert desk.seen() == [1, 3]


def test_parked_streams_are_listed_with_the_reason(desk: Desk) -> None:
    desk.happen(1, 2, 2, 3)
    read_to_the_end(desk, Picky(2))

    with desk.readers_log.transaction() as cursor:
        (listed,) = parked_streams(cursor, BOOKMARK, 10)

    assert (listed.stream, listed.position, listed.events) == (incident(2), 2, 2)
    assert listed.error == "ValueError: cannot make sense of 2"


def test_retried_events_are_applied_in_order_and_no_longer_parked(desk: Desk) -> None:
    desk.happen(1, 2, 2, 3)
    read_to_the_end(desk, Picky(2))

    assert retry(desk.readers_log, BOOKMARK, apply, incident(2)) == 2
    assert retry(desk.readers_log, BOOKMARK, apply, incident(2)) == 0

    assert desk.parked() == []
    assert desk.seen() == [1, 4, 2, 3]
    desk.happen(2)
    read_to_the_end(desk, Picky())
    assert desk.seen() == [1, 4, 2, 3, 5]


def test_a_retry_waits_for_what_the_reader_parks_just_now(desk: Desk) -> None:
    """Else it would take away an event it has not applied."""
    desk.happen(1)
    read_to_the_end(desk, Picky(1))
    desk.happen(1)
    (row,) = desk.rows(2)
    with ThreadPoolExecutor(1) as executor:
        with desk.readers_log.transaction() as cursor:
            BOOKMARK.move(cursor, BOOKMARK.start(cursor), row)
            BOOKMARK.park(cursor, [row], "behind")
            retrying = executor.submit(
                retry, desk.readers_log, BOOKMARK, apply, incident(1)
            )
            until(lambda: waits_for_a_lock(desk), "the retry waits")
        assert retrying.result() == 2

    assert desk.seen() == [1, 2]
    assert desk.parked() == []


def waits_for_a_lock(desk: Desk) -> bool:
    """Tell whether a session waits for another one's lock."""
    query = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    return bool(desk.ask(f"{query} AND datname = current_database()"))


def test_what_fails_again_stays_parked(desk: Desk) -> None:
    desk.happen(1, 1)
    read_to_the_end(desk, Picky(1))

    with pytest.raises(StillPoison, match="cannot make sense of 1"):
        retry(desk.readers_log, BOOKMARK, Picky(1), incident(1))

    assert desk.parked() == [1, 2]
    assert desk.seen() == []


def test_too_many_parked_streams_stop_the_reader_until_they_are_fewer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "STOPPED_SECONDS", 0.05)
    desk.happen(*range(1, 151))

    async def scenario() -> None:
        async with reading(desk, apply=Picky(*range(1, 151))) as reader:
            await eventually(lambda: reader.status.state == "stopped")
            assert len(desk.parked()) == 101
            assert "101 streams are parked" in reader.status.why
            assert desk.tracked() == 101
        async with reading(desk, apply=apply) as reader:
            await eventually(lambda: reader.status.state == "stopped")
            await asyncio.to_thread(
                retry, desk.readers_log, BOOKMARK, apply, incident(1)
            )
            await eventually(lambda: desk.tracked() == 150)

    asyncio.run(scenario())
    assert desk.seen() == [1, *range(102, 151)]
