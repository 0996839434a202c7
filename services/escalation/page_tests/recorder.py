"""Records the plans of page tests and the results of their messages. Blocks."""

from dataclasses import dataclass
from typing import assert_never

from services.escalation.notifications.channels.retry import (
    Delivered,
    Failed,
    Outcome,
)
from services.escalation.page_tests import store
from services.escalation.page_tests.rules import planned, reported
from services.escalation.page_tests.store import MessageRequest
from services.escalation.rules.context import BY
from shared.clock import Clock
from shared.contact_methods.history import contact_methods_of
from shared.database.cursors import Cursors
from shared.domain.events.page_test import (
    PageTestConfirmed,
    PageTestFailed,
    PageTestMessageEvent,
    PageTestSent,
)
from shared.domain.identifiers import page_test_messages_stream, tested_person
from shared.domain.page_test import PageTest
from shared.eventlog.append import AppendUnit, Recorded
from shared.eventlog.epochs import read_epochs
from shared.eventlog.errors import StaleVersion
from shared.eventlog.log import EventLog
from shared.eventlog.recorder import versions
from shared.messaging.delivery_reports import DeliveryReport
from shared.page_tests import page_tests_of
from shared.security.callback_links import planned_message


@dataclass(frozen=True)
class PageTestRecorder:
    """Appends to the streams `page_test_messages-<person>`."""

    log: EventLog
    clock: Clock

    def plan_next(self) -> bool:
        """Plan the next test that is open; return whether there was one."""
        now = self.clock()
        with self.log.transaction() as cursor:
            found = store.next_open(cursor, now)
            if found is None:
                return False
            id_, person = found
            self.log.look(cursor)  # nothing is planned if the log went back
            store.close(cursor, id_)
            test = self._test(cursor, id_)
            if test is None or test.is_planned or test.answered_at is not None:
                return True
            held = contact_methods_of(cursor, [person])[person]
            self._append(cursor, planned(test, held, now))
        return True

    def sent(self, cursor: Cursors, request: MessageRequest) -> None:
        """Record that a message is about to be sent for the first time."""
        if request.attempts == 1:
            event = PageTestSent(
                at=self.clock(),
                by=BY,
                person=request.person,
                test=request.test,
                key=request.key,
            )
            self._append(cursor, event)

    def over(self, cursor: Cursors, request: MessageRequest, outcome: Outcome) -> None:
        """Record how a message ended."""
        self._append(cursor, self._end(request, outcome))

    def reported(self, cursor: Cursors, report: DeliveryReport) -> None:
        """Record what a provider reports; raises `NotConfirmedYet` if it is early."""
        person = tested_person(report.incident)
        store.lock(cursor, person)
        history = self.log.histories(cursor, [page_test_messages_stream(person)])
        found = planned_message(history, read_epochs(cursor), report.key)
        test = self._test(cursor, report.incident)
        if found is None or test is None:
            return
        event = reported(report, found[1].key, test, self.clock())
        if event is not None:
            self._append(cursor, event)

    def _test(self, cursor: Cursors, id_: str) -> PageTest | None:
        person = tested_person(id_)
        return page_tests_of(self.log, cursor, [person])[person].get(id_)

    def _end(
        self, request: MessageRequest, outcome: Outcome
    ) -> PageTestConfirmed | PageTestFailed:
        at, person, test, key = self.clock(), request.person, request.test, request.key
        match outcome:
            case Delivered(receipt=receipt):
                return PageTestConfirmed(
                    at=at,
                    by=BY,
                    person=person,
                    test=test,
                    key=key,
                    attempts=request.attempts,
                    receipt=receipt,
                )
            case Failed(reason=reason):
                return PageTestFailed(
                    at=at,
                    by=BY,
                    person=person,
                    test=test,
                    key=key,
                    attempts=request.attempts,
                    reason=reason,
                )
            case _:
                assert_never(outcome)

    def _append(self, cursor: Cursors, event: PageTestMessageEvent) -> None:
        """Append an event as the last statement. Raises `StaleVersion`."""
        stream = page_test_messages_stream(event.person)
        version = versions(cursor, [stream])[stream] + 1
        stored = self.log.stored(stream, version, event)
        (outcome,) = self.log.append(cursor, [AppendUnit((stored,))])
        if not isinstance(outcome, Recorded):
            raise StaleVersion(f"{stream} is no longer at {version - 1}")
