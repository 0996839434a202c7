"""What escalation has set aside is retried and skipped by its own rules and rights."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import psycopg
import pytest

from services.escalation.notifications import outbox
from services.escalation.notifications.recall import MessageContext, Recalled, recall
from services.escalation.process import BOOKMARK, casework
from services.escalation.rules.case import Case
from services.escalation.rules.decider import react
from shared.database.cursors import Cursors
from shared.domain.sla import State
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.codec import UnknownEvent
from shared.eventlog.entry import Entry
from shared.eventlog.log import Row
from shared.eventlog.policies import PolicyVersions
from shared.eventlog.readers.parked_commands import (
    Action,
    ParkedRequest,
    ParkedRequests,
    ask,
)
from shared.eventlog.readers.position import Bookmark
from shared.eventlog.readers.transaction import Part, PoisonEvent, apply_rows
from shared.process_manager import Worker
from tests.support.builders.promise_events import told
from tests.support.builders.promises import local
from tests.support.builders.short_events import note
from tests.support.desks.escalating import Help, HelpingDesk, helping_desk
from tests.support.desks.watching import opened
from tests.support.faults.append_lock import refuse_writes_under_append_lock
from tests.support.faults.later_version import record_skipped
from tests.support.servers.servers import Database
from tests.support.strategies.interleaved_streams import AboutIncident, stream_of

pytestmark = pytest.mark.servers

STREAM, OWN = "incident-INC-000001", "sla-INC-000001"


@pytest.fixture
def desk(database: Database) -> Iterator[HelpingDesk]:
    with helping_desk(database, "09:00") as desk:
        refuse_writes_under_append_lock(database)
        yield desk


def failing(desk: HelpingDesk) -> Help:
    """Return a worker whose rules fail when the first incident is opened."""

    def rules(case: Case | None, entry: Entry) -> Case | None:
        if entry.stream == STREAM:
            raise ValueError("a mistake of ours")
        return react(case, entry)

    work = casework(desk.log, PolicyVersions(desk.log), webhook=False)
    return Worker(replace(work, react=rules), desk.log, desk.sla.clock)


def read_one_by_one(desk: HelpingDesk, worker: Help) -> None:
    while True:
        tracked, rows = desk.ahead(200)
        if not rows:
            return
        try:
            apply_rows(desk.log, Part(BOOKMARK, worker.apply, tracked), rows)
        except PoisonEvent:
            apply_rows(desk.log, Part(BOOKMARK, worker.apply, tracked), rows[:1])


def answered(desk: HelpingDesk, action: Action) -> None:
    """Ask as an administrator may, and let the service answer."""
    wanted = ParkedRequest(BOOKMARK, STREAM, action, "ann", reason="not ours")
    with (
        psycopg.connect(desk.sla.database.dsn("desk_admin")) as connection,
        connection.cursor() as cursor,
    ):
        ask(cursor, wanted)
    worker = desk.worker
    parked = ParkedRequests(desk.log, BOOKMARK, worker.apply, worker.pass_over)
    assert parked.answer_all() == 1


def requested(desk: HelpingDesk, number: int, kind: str = "%") -> int:
    query = (
        "SELECT count(*) FROM log.events WHERE topic = 'notification.requested'"
        f" AND originator_id = 'escalation-INC-{number:06d}'"
        f" AND convert_from(state, 'UTF8')::jsonb ->> 'kind' LIKE '{kind}'"
    )
    ((count,),) = desk.sla.ask(query)
    return int(count)


def test_a_retry_asks_for_help_as_for_any_other_incident(desk: HelpingDesk) -> None:
    desk.sla.happens(*(opened(n, desk.sla.now, priority="p1") for n in (1, 2)))
    desk.sla.walk(local("10:00"))
    read_one_by_one(desk, failing(desk))
    assert requested(desk, 1) == 0

    answered(desk, "retry")
    desk.worker.wake()
    desk.read()

    # That somebody is unreachable is said once, about the first of the two.
    assert requested(desk, 1, "page") == requested(desk, 2, "page") > 0
    assert desk.sla.ask("SELECT count(*) FROM escalation.parked") == [(0,)]


def test_who_skips_the_opening_of_an_incident_hears_of_it_no_more(
    desk: HelpingDesk,
) -> None:
    desk.sla.happens(*(opened(n, desk.sla.now, priority="p1") for n in (1, 2)))
    desk.sla.walk(local("10:00"))
    read_one_by_one(desk, failing(desk))

    answered(desk, "skip")
    desk.worker.wake()
    desk.read()

    assert (requested(desk, 1), requested(desk, 2) > 0) == (0, True)
    assert desk.sla.ask("SELECT stream, reason FROM escalation.skipped") == [
        (STREAM, "not ours")
    ]


def unreadable(desk: HelpingDesk) -> None:
    """Record an event of a type that nobody knows, as a later version might."""
    intake = desk.sla.intake
    version = intake.head_version(STREAM) + 1
    with intake.transaction() as cursor:
        intake.append(cursor, [AppendUnit((note(STREAM, version),))])


def recalled(desk: HelpingDesk) -> list[Recalled]:
    """Return what each message about the incident is made of."""
    policy_of = PolicyVersions(desk.log)
    history = desk.log.history("escalation-INC-000001")
    with desk.log.transaction() as cursor:
        outbox.follow(cursor, history)
        keys = cursor.execute("SELECT key FROM escalation.outbox").fetchall()
        held = outbox.held(cursor, [key for (key,) in keys])
        context = MessageContext.of(desk.log, cursor, [*held.values()])
        return [
            recall(context, waiting, policy_of(waiting.policy))
            for waiting in held.values()
        ]


def test_what_was_requested_before_an_unreadable_event_is_still_put_into_words(
    desk: HelpingDesk,
) -> None:
    desk.sla.happens(opened(1, desk.sla.now, priority="p1"))
    desk.walk(local("10:00"))
    desk.worker.wake()
    unreadable(desk)

    assert len(recalled(desk)) == requested(desk, 1) > 0


def test_what_is_requested_after_a_skipped_event_is_put_into_words_without_it(
    desk: HelpingDesk,
) -> None:
    desk.sla.happens(opened(1, desk.sla.now, priority="p1"))
    unreadable(desk)
    read_one_by_one(desk, desk.worker)
    with pytest.raises(UnknownEvent):
        desk.log.history(STREAM)

    answered(desk, "skip")
    desk.sla.now = local("10:00")
    desk.worker.wake()

    assert len(recalled(desk)) == requested(desk, 1) > 0


def impossible_events(at: datetime) -> list[AboutIncident]:
    """Return one of the incident, of a promise never made, and of another century."""
    return [
        opened(1, at, priority="p1").model_copy(update={"whose": "person:costa"}),
        told("sla.met", "INC-000001", target="ttr", cycle=9, met_at=at),
        told("sla.overran", "INC-000001", target="ttr", done_at=at).model_copy(
            update={"overrun_seconds": 10**15}
        ),
    ]


def recorded(desk: HelpingDesk, event: AboutIncident) -> int:
    """Record an event that its service does not know of; return its position."""
    stream = stream_of(event)
    log = desk.sla.log if stream.startswith("sla") else desk.sla.intake
    with log.transaction() as cursor:
        stored = log.stored(stream, log.head_version(stream) + 1, event)
        (done,) = log.append(cursor, [AppendUnit((stored,))])
    assert isinstance(done, Recorded)
    return done.first


@pytest.mark.parametrize("which", range(3), ids=["opened twice", "never made", "far"])
def test_what_cannot_have_happened_silences_nothing(
    desk: HelpingDesk, which: int
) -> None:
    desk.sla.happens(opened(1, desk.sla.now, priority="p1"))
    desk.sla.read()
    recorded(desk, impossible_events(desk.sla.now)[which])
    read_one_by_one(desk, desk.worker)

    desk.sla.now = local("10:00")
    desk.worker.wake()

    found = recalled(desk)
    assert len(found) == requested(desk, 1) > 0
    assert all(each.clocks and each.overrun("ttr") is None for each in found)


def test_messages_leave_out_what_the_owner_of_the_stream_skipped(
    desk: HelpingDesk,
) -> None:
    desk.sla.happens(opened(1, desk.sla.now, priority="p1"))
    desk.sla.read()
    wrong = recorded(desk, impossible_events(desk.sla.now)[1])
    recorded(desk, told("sla.met", "INC-000001", target="tto", met_at=desk.sla.now))
    with psycopg.connect(desk.sla.database.owner_dsn) as connection:
        watcher = Bookmark("sla", "sla_watcher")
        record_skipped(connection.cursor(), watcher, (OWN, wrong))
    read_one_by_one(desk, desk.worker)

    desk.sla.now = local("10:00")
    desk.worker.wake()

    found = recalled(desk)
    assert found
    clocks = [each.clock("tto") for each in found]
    assert {clock and clock.state for clock in clocks} == {State.MET}


def test_a_skip_that_fails_parks_the_event(desk: HelpingDesk) -> None:
    desk.sla.happens(opened(1, desk.sla.now, priority="p1"))
    unreadable(desk)
    tracked, rows = desk.ahead(200)
    apply = desk.worker.apply
    tracked = apply_rows(desk.log, Part(BOOKMARK, apply, tracked), rows[:-1])

    def fails(cursor: Cursors, row: Row) -> bool:
        cursor.execute("SELECT 1 / 0")
        return row.position > 0

    after = apply_rows(desk.log, Part(BOOKMARK, apply, tracked), rows[-1:], fails)

    assert after.parked_streams == 1
