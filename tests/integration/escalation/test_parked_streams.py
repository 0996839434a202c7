"""What escalation has set aside is retried and skipped by its own rules and rights."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from services.escalation.notifications import outbox
from services.escalation.notifications.recall import MessageContext, recall
from services.escalation.process import BOOKMARK, casework
from services.escalation.rules.case import Case
from services.escalation.rules.decider import react
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.codec import UnknownEvent
from shared.eventlog.entry import Entry
from shared.eventlog.policies import PolicyVersions
from shared.eventlog.readers.parked_commands import (
    Action,
    ParkedRequest,
    ParkedRequests,
    ask,
)
from shared.eventlog.readers.position import PoisonEvent, apply_rows
from shared.process_manager import Worker
from tests.support.builders.promise_events import told
from tests.support.builders.promises import local
from tests.support.builders.short_events import note
from tests.support.desks.escalating import Help, HelpingDesk, helping_desk
from tests.support.desks.watching import opened
from tests.support.faults.append_lock import refuse_writes_under_append_lock
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

STREAM = "incident-INC-000001"


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
            apply_rows(desk.log, BOOKMARK, worker.apply, tracked, rows)
        except PoisonEvent:
            apply_rows(desk.log, BOOKMARK, worker.apply, tracked, rows[:1])


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


def recalled(desk: HelpingDesk) -> list[str]:
    """Return the title of each incident that is told of, as it is put into words."""
    titles = []
    policy_of = PolicyVersions(desk.log)
    history = desk.log.history("escalation-INC-000001")
    with desk.log.transaction() as cursor:
        outbox.follow(cursor, history)
        keys = cursor.execute("SELECT key FROM escalation.outbox").fetchall()
        held = outbox.held(cursor, [key for (key,) in keys])
        context = MessageContext.of(desk.log, cursor, [*held.values()])
        for waiting in held.values():
            told = recall(context, waiting, policy_of(waiting.policy))
            titles.append(told.incident.title)
    return titles


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


def test_a_promise_that_nobody_made_silences_nothing(desk: HelpingDesk) -> None:
    desk.sla.happens(opened(1, desk.sla.now, priority="p1"))
    never_armed = told("sla.met", "INC-000001", target="ttr", met_at=desk.sla.now)
    log = desk.sla.log
    with log.transaction() as cursor:
        unit = AppendUnit((log.stored("sla-INC-000001", 1, never_armed),))
        assert isinstance(log.append(cursor, [unit])[0], Recorded)
    read_one_by_one(desk, desk.worker)

    desk.sla.now = local("10:00")
    desk.worker.wake()

    assert len(recalled(desk)) == requested(desk, 1) > 0
