"""What the watcher has set aside finds its way out: by its own rules, and once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import pytest

from services.sla_watcher.app import BOOKMARK, casework
from services.sla_watcher.clocks.case import Case
from services.sla_watcher.decider import react
from shared.domain.events.incident import IncidentAcknowledged, IncidentInformed
from shared.eventlog.append import AppendUnit
from shared.eventlog.entry import Entry
from shared.eventlog.log import EventLog
from shared.eventlog.readers import reader as reader_module
from shared.eventlog.readers.parked_commands import (
    Action,
    Answer,
    ParkedRequest,
    answer_of,
    ask,
)
from shared.eventlog.readers.reader import Reader
from shared.messaging.live_feed import Deliveries
from tests.integration.sla_watcher.test_commands import MORE, asks
from tests.support.builders.promises import local
from tests.support.builders.short_events import note
from tests.support.desks.watching import SlaDesk, Watcher, happened, opened
from tests.support.faults.append_lock import refuse_writes_under_append_lock
from tests.support.patience import eventually

pytestmark = pytest.mark.servers

STREAM, OWN = "incident-INC-000001", "sla-INC-000001"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "REQUESTS_SECONDS", 0.02)


@asynccontextmanager
async def reading(
    desk: SlaDesk, worker: Watcher | None = None
) -> AsyncIterator[Reader]:
    """Run the watcher's reader meanwhile."""
    stop = asyncio.Event()
    works = worker or desk.worker
    reader = Reader(
        desk.log,
        BOOKMARK,
        works.apply,
        Deliveries(None),
        pass_over=works.pass_over,
        batch=50,
    )
    running = asyncio.create_task(reader.run(stop))
    try:
        yield reader
    finally:
        stop.set()
        await running


def read_to_the_end(desk: SlaDesk, worker: Watcher | None = None) -> None:
    async def scenario() -> None:
        async with reading(desk, worker) as reader:
            await reached(desk, reader)

    asyncio.run(scenario())


async def reached(desk: SlaDesk, reader: Reader) -> None:
    """Wait until the reader is at the head, which its own decisions move."""
    await eventually(lambda: reader.status.tracked.position == desk.log.head().position)


def asked(
    desk: SlaDesk, action: Action, *, whole: bool = False, stream: str = STREAM
) -> int:
    """Ask as an administrator may."""
    wanted = ParkedRequest(
        BOOKMARK, stream, action, "ann", whole, "a record of yesterday"
    )
    admin = EventLog.open(desk.database.dsn("desk_admin"), pool_size=1)
    with admin.transaction() as cursor:
        request = ask(cursor, wanted)
    admin.close()
    return request


def answered(desk: SlaDesk, request: int) -> Answer | None:
    with desk.log.transaction() as cursor:
        return answer_of(cursor, BOOKMARK, request)


def done(desk: SlaDesk, request: int, worker: Watcher | None = None) -> Answer:
    """Let the watcher run until it has answered."""

    async def scenario() -> Answer:
        async with reading(desk, worker) as reader:
            await eventually(lambda: answered(desk, request) is not None)
            await reached(desk, reader)
            await eventually(
                lambda: reader.status.tracked.parked_streams == parked_streams(desk)
            )
        found = answered(desk, request)
        assert found
        return found

    return asyncio.run(scenario())


def parked_streams(desk: SlaDesk) -> int:
    ((count,),) = desk.ask("SELECT count(DISTINCT stream) FROM sla.parked")
    return int(count)


def unreadable(desk: SlaDesk, version: int) -> None:
    """Record an event of a type that nobody can read."""
    with desk.intake.transaction() as cursor:
        desk.intake.append(cursor, [AppendUnit((note(STREAM, version),))])


def damage(desk: SlaDesk, stream: str) -> None:
    """Record an event in a stream of the watcher's own that it cannot read."""
    dsn = desk.database.owner_dsn
    with closing(EventLog.open(dsn, clock=desk.clock, pool_size=1)) as owner:
        version = owner.head_version(stream) + 1
        with owner.transaction() as cursor:
            owner.append(cursor, [AppendUnit((note(stream, version),))])


def decided(desk: SlaDesk) -> list[tuple[int, str]]:
    """Return the versions and types in the watcher's stream, readable or not."""
    return desk.ask(
        "SELECT originator_version, topic FROM log.events "
        f"WHERE originator_id = '{OWN}' ORDER BY 1"
    )


def failing(desk: SlaDesk, *versions: int) -> Watcher:
    """Return a watcher whose rules fail about these events of the first incident."""

    def rules(case: Case | None, entry: Entry) -> Case | None:
        if entry.stream == STREAM and entry.version in versions:
            raise ValueError("a mistake of ours")
        return react(case, entry)

    return desk.another(replace(casework(desk.log), react=rules))


def test_a_retry_decides_what_would_have_been_decided(desk: SlaDesk) -> None:
    refuse_writes_under_append_lock(desk.database)
    desk.happens(opened(1, desk.now), opened(2, desk.now))
    desk.now = local("09:10")
    desk.happens(*(happened(IncidentAcknowledged, n, desk.now) for n in (1, 2)))
    read_to_the_end(desk, failing(desk, 1))
    assert desk.types(1) == []

    found = done(desk, asked(desk, "retry"))

    assert found == Answer("applied", 0, 2)
    assert [(version, type_) for version, type_, _ in desk.said(1)] == [
        (version, type_) for version, type_, _ in desk.said(2)
    ]
    assert parked_streams(desk) == 0


def test_what_fails_again_stays_parked_with_nothing_decided(desk: SlaDesk) -> None:
    desk.happens(opened(1, desk.now))
    desk.happens(happened(IncidentAcknowledged, 1, desk.now))
    worker = failing(desk, 2)
    read_to_the_end(desk, worker)
    before = desk.said(), desk.cases()

    found = done(desk, asked(desk, "retry"), worker)

    assert (found.outcome, found.applied) == ("still parked", 0)
    assert found.error == "ValueError: a mistake of ours"
    assert (desk.said(), desk.cases()) == before
    assert parked_streams(desk) == 1


def test_a_skipped_event_is_waited_for_by_nobody(desk: SlaDesk) -> None:
    """Neither by the timers of its incident nor by commands about it."""
    desk.happens(opened(1, desk.now, reporter="roche", by="person:roche"))
    unreadable(desk, 2)
    read_to_the_end(desk)
    desk.now = local("09:31")
    assert desk.worker.wake().behind == 1

    found = done(desk, asked(desk, "skip"))

    assert found == Answer("skipped", 1, 0)
    desk.wake()
    assert desk.types()[-1] == "tto breached"
    read_to_the_end(desk)
    assert asks(desk, MORE).outcome == "recorded"
    assert desk.ask(
        "SELECT position, stream, skipped_by, role, reason FROM sla.skipped"
    ) == [(3, STREAM, "ann", "desk_admin", "a record of yesterday")]


def test_what_is_behind_a_skipped_event_is_applied(desk: SlaDesk) -> None:
    refuse_writes_under_append_lock(desk.database)
    desk.happens(opened(1, desk.now))
    unreadable(desk, 2)
    desk.now = local("09:29")
    desk.happens(happened(IncidentAcknowledged, 1, desk.now))
    read_to_the_end(desk)
    desk.now = local("09:40")

    found = done(desk, asked(desk, "skip"))

    assert found == Answer("skipped", 1, 1)
    assert desk.types() == ["tto armed", "ttr armed", "tto warned", "tto met"]


def test_behind_a_skipped_event_the_next_may_fail_for_its_own_reason(
    desk: SlaDesk,
) -> None:
    desk.happens(opened(1, desk.now))
    unreadable(desk, 2)
    desk.happens(happened(IncidentAcknowledged, 1, desk.now))
    worker = failing(desk, 3)
    read_to_the_end(desk, worker)

    found = done(desk, asked(desk, "skip"), worker)

    assert (found.outcome, found.skipped) == ("skipped", 1)
    assert found.error == "ValueError: a mistake of ours"
    assert desk.ask("SELECT error FROM sla.parked") == [(found.error,)]
    assert desk.types() == ["tto armed", "ttr armed"]


def test_all_that_is_parked_may_be_skipped(desk: SlaDesk) -> None:
    desk.happens(opened(1, desk.now))
    unreadable(desk, 2)
    desk.happens(happened(IncidentAcknowledged, 1, desk.now))
    read_to_the_end(desk)

    assert done(desk, asked(desk, "skip", whole=True)) == Answer("skipped", 2, 0)

    assert desk.ask("SELECT position FROM sla.skipped ORDER BY 1") == [(3,), (4,)]
    desk.now = local("09:31")
    desk.wake()
    assert desk.types()[-1] == "tto breached"


def test_its_own_event_that_cannot_be_read_stops_one_incident_until_it_is_skipped(
    desk: SlaDesk,
) -> None:
    """It may be a decision of a later version, which must not be made once more."""
    desk.happens(opened(1, desk.now), opened(2, desk.now))
    read_to_the_end(desk)
    damage(desk, OWN)
    desk.now = local("09:29")
    desk.happens(*(happened(IncidentAcknowledged, n, desk.now) for n in (1, 2)))
    read_to_the_end(desk)
    waiting = desk.ask("SELECT DISTINCT stream FROM sla.parked ORDER BY 1")

    skipped = done(desk, asked(desk, "skip", stream=OWN))
    retried = done(desk, asked(desk, "retry"))

    assert waiting == [(STREAM,), (OWN,)]
    assert (skipped.outcome, retried.outcome) == ("skipped", "applied")
    assert parked_streams(desk) == 0
    assert decided(desk) == [
        *((1, "sla.armed"), (2, "sla.armed"), (3, "sla.scribbled")),
        *((4, "sla.warned"), (5, "sla.met")),
    ]


def test_a_skip_of_its_own_event_outlives_its_cases(desk: SlaDesk) -> None:
    desk.happens(opened(1, desk.now))
    read_to_the_end(desk)
    damage(desk, OWN)
    read_to_the_end(desk)
    done(desk, asked(desk, "skip", stream=OWN))
    desk.forget()

    read_to_the_end(desk)
    desk.now = local("09:31")
    desk.wake()

    assert parked_streams(desk) == 0
    assert decided(desk)[2:4] == [(3, "sla.scribbled"), (4, "sla.warned")]
    assert decided(desk)[-1][1] == "sla.breached"


def test_what_was_never_parked_is_answered_too(desk: SlaDesk) -> None:
    desk.happens(opened(1, desk.now))
    read_to_the_end(desk)

    assert done(desk, asked(desk, "retry")) == Answer("nothing parked", 0, 0)


def test_parked_events_of_another_log_are_not_applied(desk: SlaDesk) -> None:
    """As after a restore: the position now holds the event of another stream."""
    desk.happens(opened(1, desk.now))
    unreadable(desk, 2)
    read_to_the_end(desk)
    desk.tell("UPDATE sla.parked SET position = 1")

    found = done(desk, asked(desk, "retry"))

    assert found.outcome == "still parked"
    assert "no longer holds" in (found.error or "")


def test_many_processes_answer_once_while_events_go_on(desk: SlaDesk) -> None:
    """Two watchers read and answer, and what is retried is decided exactly once."""
    numbers = range(1, 13)
    desk.happens(*(opened(n, desk.now) for n in numbers))

    def rules(_: Case | None, __: Entry) -> Case | None:
        raise ValueError("a mistake of ours")

    read_to_the_end(desk, desk.another(replace(casework(desk.log), react=rules)))
    assert parked_streams(desk) == len(numbers)
    requests = [asked(desk, "retry", stream=f"incident-INC-{n:06d}") for n in numbers]

    async def scenario() -> None:
        async with reading(desk) as reader, reading(desk, desk.another()):
            for n in numbers:
                told = happened(IncidentInformed, n, desk.now, message="…")
                await asyncio.to_thread(desk.happens, told)
            await eventually(
                lambda: all(answered(desk, request) for request in requests)
            )
            await reached(desk, reader)

    asyncio.run(scenario())
    assert parked_streams(desk) == 0
    for number in numbers:
        assert desk.types(number)[:2] == ["tto armed", "ttr armed"]
        assert len(set(desk.types(number))) == len(desk.types(number))
