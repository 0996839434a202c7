"""Attempts and outcomes of messages are recorded together, each with its answer."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Thread
from typing import Any, ClassVar, cast

import psycopg
import pytest

from services.escalation.bundles.admission import Admission
from services.escalation.notifications import outbox
from services.escalation.notifications.channels.channel import ChannelTraits
from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.parcel import Parcel
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from services.escalation.notifications.dispatcher import NotificationSender
from services.escalation.notifications.outbox import Waiting
from services.escalation.notifications.recorder import DeliveryRecorder, Step
from shared.database.leadership import LeaseLost
from shared.domain import events
from shared.domain.events.notification import Channel as ChannelName
from shared.domain.identifiers import escalation_stream, incident_ref
from tests.support.builders.promises import local
from tests.support.desks.escalating import HelpingDesk, helping_desk
from tests.support.desks.leadership import Unfenced
from tests.support.desks.watching import opened
from tests.support.patience import SECONDS, until
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

START = local("09:10")
SEAT = Unfenced()
BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


class Fenced(Unfenced):
    """Leads, although another process has taken the lease."""

    def demand(self, _: object) -> None:
        """Find out."""
        raise LeaseLost("another process has taken the lease")


@dataclass
class Provider:
    """A channel that accepts each message once it may answer."""

    name: ClassVar[ChannelName] = "mail"
    traits: ClassVar = ChannelTraits()
    missing: ClassVar[str | None] = None
    may_answer: Mapping[str, asyncio.Event] = field(default_factory=dict)
    """By incident: what it waits for."""

    async def send(self, parcel: Parcel, _: datetime) -> Outcome:
        """Accept a message."""
        waiting = cast("Waiting", parcel)
        if waiting.incident in self.may_answer:
            await self.may_answer[waiting.incident].wait()
        return Delivered("accepted")


@dataclass
class Pages:
    """A desk that pages for three incidents, and what is recorded of that."""

    desk: HelpingDesk
    provider: Provider = field(default_factory=Provider)

    @property
    def recorder(self) -> DeliveryRecorder:
        """Records for this desk."""
        outlets = Outlets.of([self.provider])
        desk = self.desk
        return DeliveryRecorder(
            desk.log, desk.worker, desk.sla.clock, outlets, Admission.within
        )

    def heads(self) -> list[Waiting]:
        """Return what may be sent to bruno now, by incident."""
        with self.desk.log.transaction() as cursor:
            heads = outbox.heads(cursor, "mail", self.desk.sla.now, [], 99)
        own = (head for head in heads if head.person == "bruno")
        return sorted(own, key=lambda head: head.incident)

    def tell(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database as its owner."""
        with psycopg.connect(self.desk.sla.database.owner_dsn) as owner:
            cursor = owner.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def of(self, waiting: Waiting) -> list[str]:
        """Return the types of the events about a message, after its request."""
        history = self.desk.log.history(escalation_stream(waiting.incident))
        found = [e.type for e in history if getattr(e.event, "key", "") == waiting.key]
        return [each.removeprefix("notification.") for each in found[1:]]


@pytest.fixture
def pages(database: Database) -> Iterator[Pages]:
    with helping_desk(database, START) as desk:
        desk.sla.happens(*(opened(n, START) for n in (1, 2, 3)))
        desk.read()
        desk.walk(local("09:45"))
        desk.worker.wake()
        desk.read()
        requests = [
            entry
            for n in (1, 2, 3)
            for entry in desk.log.history(escalation_stream(incident_ref(n)))
            if isinstance(entry.event, events.NotificationRequested)
        ]
        with desk.log.transaction() as cursor:
            outbox.follow(cursor, requests)
        yield Pages(desk)


def test_attempts_and_outcomes_share_a_transaction(pages: Pages) -> None:
    heads = pages.heads()
    begun = pages.recorder.record([Step(head, SEAT) for head in heads])
    ends = [Step(head, SEAT, Delivered("accepted")) for head in heads]
    over = pages.recorder.record(ends)

    transactions = pages.tell(
        "SELECT topic, count(DISTINCT xmin::text), count(*) FROM log.events"
        " WHERE topic LIKE 'notification.%%' AND topic <> 'notification.requested'"
        " GROUP BY topic ORDER BY topic",
    )
    assert begun == over == [True, True, True]
    assert transactions == [
        ("notification.confirmed", 1, 3),
        ("notification.sent", 1, 3),
    ]


def test_after_a_crash_an_attempt_is_repeated_under_its_key_until_it_has_ended(
    pages: Pages,
) -> None:
    (head, *_) = pages.heads()
    for _ in range(2):  # the process died after the first time
        assert pages.recorder.record([Step(head, SEAT)]) == [True]
    (again, *_) = pages.heads()
    pages.recorder.record([Step(again, SEAT, Delivered("accepted"))])

    assert (again.key, again.attempts) == (head.key, 2)
    assert pages.of(head) == ["sent", "confirmed"]
    for late in (Step(again, SEAT), Step(again, SEAT, Delivered("twice"))):
        assert pages.recorder.record([late]) == [False]
    assert pages.of(head) == ["sent", "confirmed"]


def test_a_message_that_fails_for_now_stays_and_the_others_are_over(
    pages: Pages,
) -> None:
    first, second, third = pages.heads()
    outcomes: tuple[Outcome, ...] = (
        Failed("later", permanent=False),
        Failed("never", permanent=True),
        Delivered("accepted"),
    )
    both = zip((first, second, third), outcomes, strict=True)
    answers = pages.recorder.record([Step(head, SEAT, out) for head, out in both])
    pages.desk.sla.now += timedelta(seconds=30)

    assert answers == [False, True, True]
    assert [(each.key, each.attempts) for each in pages.heads()] == [(first.key, 1)]
    assert [pages.of(each) for each in (first, second, third)] == [
        [],
        ["failed"],
        ["confirmed"],
    ]


def test_a_step_that_cannot_be_recorded_fails_alone(pages: Pages) -> None:
    first, second, third = pages.heads()
    pages.tell("UPDATE escalation.cases SET state = '{}' WHERE incident = 'INC-000002'")
    steps = [Step(first, SEAT), Step(second, SEAT), Step(third, Fenced())]
    answers = pages.recorder.record(steps)

    assert [answers[0], *map(type, answers[1:])] == [True, LookupError, LeaseLost]
    assert [pages.of(each) for each in (first, second, third)] == [["sent"], [], []]


def test_a_provider_that_does_not_answer_holds_up_no_other_message(
    pages: Pages,
) -> None:
    slow, *others = pages.heads()

    async def scenario() -> None:
        released = pages.provider.may_answer = {slow.incident: asyncio.Event()}
        desk, outlets = pages.desk, Outlets.of([pages.provider])
        with ThreadPoolExecutor(1) as threads:
            sender = NotificationSender(
                desk.log,
                pages.recorder,
                desk.sla.clock,
                lambda messages: cast(Any, messages),
                outlets,
                threads,
            )
            async with asyncio.timeout(SECONDS), sender.recording():
                waits = asyncio.create_task(sender.deliver(slow, SEAT))
                await asyncio.gather(*(sender.deliver(each, SEAT) for each in others))
                assert pages.of(slow) in ([], ["sent"])
                assert [pages.of(e) for e in others] == [["sent", "confirmed"]] * 2
                released[slow.incident].set()
                await waits

    asyncio.run(scenario())
    assert pages.of(slow) == ["sent", "confirmed"]


def test_messages_are_composed_together_and_alone_if_that_fails(pages: Pages) -> None:
    poison, *others = pages.heads()
    asked: list[int] = []

    def compose(messages: Sequence[Waiting]) -> Sequence[Any]:
        asked.append(len(messages))
        if poison in messages:
            raise ValueError("one of them has no words")
        return messages

    async def scenario() -> None:
        desk, outlets = pages.desk, Outlets.of([pages.provider])
        with ThreadPoolExecutor(1) as threads:
            sender = NotificationSender(
                desk.log, pages.recorder, desk.sla.clock, compose, outlets, threads
            )
            async with asyncio.timeout(SECONDS), sender.recording():
                heads = (poison, *others)
                await asyncio.gather(*(sender.deliver(each, SEAT) for each in heads))

    asyncio.run(scenario())
    assert asked == [3, 1, 1, 1]
    assert [pages.of(e) for e in others] == [["sent", "confirmed"]] * 2
    assert pages.of(poison) == []  # it is tried again later
    assert poison not in pages.heads()


def test_a_later_message_of_an_incident_waits_for_the_one_before(pages: Pages) -> None:
    first = pages.heads()[0]
    history = pages.desk.log.history(escalation_stream(first.incident))
    (request,) = [
        each
        for each in history
        if isinstance(each.event, events.NotificationRequested)
        and each.event.key == first.key
    ]
    later = request.event.model_copy(update={"key": "later"})
    after = replace(request, position=request.position + 1_000, event=later)
    with pages.desk.log.transaction() as cursor:
        outbox.follow(cursor, [after])
    pages.recorder.record([Step(first, SEAT)])
    keys = {each.key for each in pages.heads()}
    assert (first.key in keys, "later" in keys) == (True, False)

    pages.recorder.record([Step(first, SEAT, Delivered("accepted"))])
    keys = {each.key for each in pages.heads()}
    assert (first.key in keys, "later" in keys) == (False, True)


def test_an_own_decision_that_is_read_does_not_store_its_case_again(
    pages: Pages,
) -> None:
    stored = "SELECT incident, xmin::text FROM escalation.cases ORDER BY incident"
    pages.recorder.record([Step(head, SEAT) for head in pages.heads()])
    before = pages.tell(stored)
    assert pages.desk.ahead(99)[1]
    pages.desk.read()

    assert pages.tell(stored) == before


def test_the_reader_locks_the_outbox_in_the_order_of_the_sender(pages: Pages) -> None:
    first, second = sorted(pages.heads(), key=lambda head: head.key)[:2]
    log = pages.desk.log
    incident, at = first.incident, START
    words = {"at": at, "by": "system:escalation", "incident": incident}
    sent = events.NotificationSent(**words, key=second.key)
    over = events.NotificationConfirmed(**words, key=first.key, attempts=1, receipt="")
    entry = log.history(escalation_stream(incident))[0]

    def read() -> None:
        with log.transaction() as cursor:
            outbox.follow(cursor, [replace(entry, event=e) for e in (sent, over)])

    with log.transaction() as cursor:
        outbox.held(cursor, [first.key])
        reader = Thread(target=read)
        reader.start()
        until(lambda: pages.tell(BLOCKED) == [(1,)], "the reader waits for the first")
        outbox.held(cursor, [second.key])  # a deadlock if the reader has it already
    reader.join()

    assert second.key in [each.key for each in pages.heads()]
    assert first.key not in [each.key for each in pages.heads()]
