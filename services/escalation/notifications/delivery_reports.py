"""Records what providers report about messages after they accepted them.

Several processes may run: a report that one has taken is not due for the others. One
that cannot be recorded is due again later, and given up after a while.
Processing is idempotent: of several reports about one message, the first counts.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from services.escalation.process import owns
from services.escalation.rules.case import Case
from services.escalation.rules.context import BY, EscalationContext
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.domain import events
from shared.domain.identifiers import escalation_stream, is_page_test_ref
from shared.eventlog.epochs import read_epochs
from shared.eventlog.errors import StaleVersion, is_unavailable
from shared.eventlog.log import EventLog
from shared.http.rounds import AT_ONCE, in_rounds
from shared.messaging.delivery_reports import (
    DeliveryReport,
    NotConfirmedYet,
    done,
    take,
)
from shared.process_manager import Worker
from shared.process_manager.worker import CaseBehindLog, require_read, settle
from shared.security.callback_links import bundled, requested
from shared.threads import in_thread

LOOK_SECONDS = 0.5
_log = structlog.get_logger(__name__)

WAITED_MAX = timedelta(days=2)
"""How long a report is tried, such as one whose message is not recorded as accepted."""


_PASSING = (NotConfirmedYet, StaleVersion, CaseBehindLog)
"""What ends by itself, as a rule."""
Reported = events.NotificationDelivered | events.NotificationFailed


@dataclass(eq=False)
class DeliveryReports:
    """Takes reports and records them."""

    log: EventLog
    worker: Worker[Case, EscalationContext]
    clock: Clock
    executor: Executor
    of_tests: Callable[[Cursors, DeliveryReport], None]
    """Records a report about a page test, as the last statement."""

    async def run(self, stop: asyncio.Event) -> None:
        """Record reports until `stop` is set. Never raises."""
        failed = "delivery_reports.failed"
        await in_rounds(self._round, stop, LOOK_SECONDS, _log, failed)

    async def _round(self) -> float | None:
        found = await in_thread(self.executor, self.record_next)
        return AT_ONCE if found else None

    def record_next(self) -> bool:
        """Record the next report; return whether there was one. Blocks.

        Raises what is wrong with a report until it is given up. It is not due then.
        """
        now = self.clock()
        with self.log.transaction() as cursor:
            report = take(cursor, now)
        if report is None:
            return False
        try:
            self._record(report)
        except Exception as error:
            if is_unavailable(error):
                raise
            if now - report.reported_at > WAITED_MAX:
                self._give_up(report, error)
            elif not isinstance(error, _PASSING):
                raise
        return True

    def _give_up(self, report: DeliveryReport, error: Exception) -> None:
        why = type(error).__name__
        _log.warning("delivery_report.given_up", key=report.key, why=why)
        with self.log.transaction() as cursor:
            done(cursor, report)

    def _record(self, report: DeliveryReport) -> None:
        """Record a report about a message; about a bundle, for each of its pages."""
        with self.log.transaction() as cursor:
            self.log.look(cursor)  # nothing is recorded if the log went back
            if is_page_test_ref(report.incident):
                done(cursor, report)
                self.of_tests(cursor, report)
                return
            stream = escalation_stream(report.incident)
            rows = self.log.stored_histories(cursor, [stream])
            history = self.log.without_words(rows).entries
            epochs = read_epochs(cursor)
        bundle = bundled(history, epochs, report.key)
        request = requested(history, epochs, report.key)
        if bundle is not None:
            self._record_each(
                replace(report, incident=each.incident, key=each.key)
                for each in bundle.members
            )
        elif request is not None:
            self._record_one(replace(report, key=request.key))
        with self.log.transaction() as cursor:
            done(cursor, report)

    def _record_each(self, reports: Iterable[DeliveryReport]) -> None:
        """Record what is said of each page of a bundle, although one cannot be.

        Raises what is wrong with the first that cannot; what passes by itself last.
        """
        failed: list[Exception] = []
        for report in reports:
            try:
                self._record_one(report)
            except Exception as error:
                if is_unavailable(error):
                    raise
                failed.append(error)
        if failed:
            raise min(failed, key=lambda each: isinstance(each, _PASSING))

    def _record_one(self, report: DeliveryReport) -> None:
        """Record what a report says about one message, by its key in the log."""
        with self.log.transaction() as cursor:
            self.log.look(cursor)
            stream = escalation_stream(report.incident)
            history = self.log.histories(cursor, [stream])
            past = [entry.event for entry in history]
            event = outcome_of(report, past, self.clock())
            if event is None:
                return
            desk = self.worker.desk(cursor, report.incident)
            require_read(cursor, desk, owns(report.incident))
            desk.record(event)
            settle(self.log, cursor, desk)


def outcome_of(
    report: DeliveryReport, history: Sequence[events.AnyEvent], at: datetime
) -> Reported | None:
    """Return the event that a report causes at `at`, None if it says nothing new.

    `history` is the incident's escalation stream, in which the message was requested.
    Raises `NotConfirmedYet` if it is neither accepted by the provider nor given up.
    """
    told = [each for each in history if getattr(each, "key", None) == report.key]
    ended = (events.NotificationDelivered, events.NotificationFailed)
    if any(isinstance(each, ended) for each in told):
        return None
    accepted = [e for e in told if isinstance(e, events.NotificationConfirmed)]
    if not accepted:
        raise NotConfirmedYet
    if report.state == "delivered":
        return events.NotificationDelivered(
            at=at,
            by=BY,
            incident=report.incident,
            key=report.key,
            provider=report.provider,
        )
    return events.NotificationFailed(
        at=at,
        by=BY,
        incident=report.incident,
        key=report.key,
        attempts=accepted[-1].attempts,
        reason=report.reason,
    )
