"""Records the attempts to deliver messages, and their outcomes, many at a time.

Each transaction waits for the append lock and for the disk, so one transaction for each
message would limit how many messages can leave in a second.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, Protocol, assert_never

from services.escalation.notifications import outbox
from services.escalation.notifications.channels.outlets import Outlets
from services.escalation.notifications.channels.retry import (
    Delivered,
    Failed,
    Outcome,
    next_attempt,
)
from services.escalation.notifications.outbox import Waiting
from services.escalation.process import owns
from services.escalation.rules.case import Case
from services.escalation.rules.context import BY, EscalationContext
from shared.clock import Clock
from shared.database.cursors import Cursors
from shared.database.leadership import Leadership
from shared.domain.events.notification import (
    NotificationConfirmed,
    NotificationFailed,
    NotificationSent,
)
from shared.eventlog.errors import Unavailable, away, is_unavailable
from shared.eventlog.log import EventLog
from shared.process_manager import Worker
from shared.process_manager.process import Desk
from shared.process_manager.worker import CaseBehindLog, unread

STEPS_MAX = 50
"""The maximum number of attempts and outcomes in one transaction."""

Cases = Mapping[str, Desk[Case, EscalationContext]]


class Admission(Protocol):
    """Decides in a transaction which messages leave alone now."""

    def concerns(self, page: Waiting) -> bool:
        """Tell whether `admits` has to be asked before a message leaves."""

    def admits(
        self, page: Waiting, desk: Desk[Case, EscalationContext], at: datetime
    ) -> bool:
        """Tell whether a page leaves alone now; record in its case what else is so."""


class Step(NamedTuple):
    """An attempt that begins, without an outcome, or the outcome of one."""

    waiting: Waiting
    seat: Leadership
    outcome: Outcome | None = None

    def on(self, held: Waiting) -> "Step":
        """Return it with the locked row; still alone if it was to leave alone."""
        return self._replace(waiting=replace(held, bundle=self.waiting.bundle))


@dataclass(eq=False)
class DeliveryRecorder:
    """Records steps of deliveries under the lease of the outbox. Blocks."""

    log: EventLog
    worker: Worker[Case, EscalationContext]
    clock: Clock
    outlets: Outlets
    admission_within: Callable[[EventLog, Cursors], Admission]
    _most: int = field(default=STEPS_MAX, init=False)
    """The current size of a transaction: smaller while PostgreSQL ends them."""

    def record(self, steps: Sequence[Step]) -> Sequence[bool | Exception]:
        """Record steps together; return an answer to each, in order.

        That is, for an attempt, whether the message has to be sent now, and for an
        outcome whether it is final. If recording fails, it is tried by halves, unless
        PostgreSQL is unavailable: what is left alone fails alone.
        """
        answers: list[bool | Exception] = []
        while left := steps[len(answers) :]:
            part = left[: self._most]
            try:
                answers += self._by_halves(part)
            except Unavailable as error:
                # It may have taken too long: PostgreSQL ends an idle transaction.
                self._most = max(1, len(part) // 2)
                return [*answers, *[error] * len(left)]
            self._most = min(STEPS_MAX, 2 * self._most)
        return answers

    def _by_halves(self, steps: Sequence[Step]) -> list[bool | Exception]:
        try:
            return self._recorded(steps)
        except Exception as error:
            if is_unavailable(error):
                raise away(error) from error
            if len(steps) == 1:
                return [error]
        half = len(steps) // 2
        return [*self._by_halves(steps[:half]), *self._by_halves(steps[half:])]

    def _recorded(self, steps: Sequence[Step]) -> list[bool | Exception]:
        with self.log.transaction() as cursor:
            for seat in dict.fromkeys(step.seat for step in steps):
                seat.demand(cursor)
            self.log.look(cursor)  # a repeat appends nothing: check here
            held = outbox.held(cursor, [step.waiting.key for step in steps])
            retries = {key: at for key, at in self._retries(steps) if key in held}
            for key, (at, attempts) in retries.items():
                outbox.again(cursor, key, at, attempts)
            due = held.keys() - retries
            cases = self.worker.desks(cursor, sorted({held[k].incident for k in due}))
            failing = _failing(cursor, cases)
            done = self._settle(
                cursor,
                cases,
                [
                    step.on(held[step.waiting.key])
                    for step in steps
                    if step.waiting.key in due and step.waiting.incident not in failing
                ],
            )
        return [
            step.waiting.key in due
            and failing.get(step.waiting.incident, step.waiting.key in done)
            for step in steps
        ]

    def _retries(
        self, steps: Sequence[Step]
    ) -> Iterator[tuple[str, tuple[datetime, int]]]:
        """Yield what is to be tried again: its key, when, and after what attempts."""
        at = self.clock()
        for waiting, _, outcome in steps:
            if isinstance(outcome, Failed) and not outcome.permanent:
                attempts = waiting.attempts + 1
                limit = self.outlets.traits(waiting.channel).retried_for
                asked = outcome.retry_after
                when = next_attempt(waiting.key, attempts, at, asked, limit)
                if when is not None:
                    yield waiting.key, (when, attempts)

    def _settle(
        self, cursor: Cursors, cases: Cases, steps: Sequence[Step]
    ) -> Collection[str]:
        """Record steps about messages of the outbox, as the last statements.

        Returns their keys, without those of messages that do not leave now.
        """
        at = self.clock()
        over = {step.waiting.key for step in steps if step.outcome is not None}
        outbox.over(cursor, sorted(over))
        for waiting, _, outcome in steps:
            if outcome is not None:
                cases[waiting.incident].record(_end(waiting, outcome, at))
        begun = self._begun(cursor, cases, steps, at)
        self.worker.settle(cursor, [desk for desk in cases.values() if desk.decided])
        return over | begun

    def _begun(
        self, cursor: Cursors, cases: Cases, steps: Sequence[Step], at: datetime
    ) -> set[str]:
        """Record the attempts that begin now; return their keys.

        Pages that have limits are decided one by one: a page that leaves counts for the
        next to the same contact method. Contact methods are locked in their order.
        """
        attempts = [
            step.waiting
            for step in sorted(steps, key=_contact_method)
            if step.outcome is None
        ]
        admission = self.admission_within(self.log, cursor)
        waits = [each for each in attempts if admission.concerns(each)]
        begun = {each.key for each in attempts} - {each.key for each in waits}
        if begun:
            outbox.tried(cursor, sorted(begun))
        for page in waits:
            if admission.admits(page, cases[page.incident], at):
                outbox.tried(cursor, [page.key])
                begun.add(page.key)
        for waiting in attempts:
            if waiting.key in begun and not waiting.sent:
                cases[waiting.incident].record(_sent(waiting, at))
        return begun


def _failing(cursor: Cursors, cases: Cases) -> Mapping[str, Exception]:
    """Return why nothing can be recorded now, by incident for which this is so."""
    read = {
        stream: desk.versions.get(stream, 0)
        for incident, desk in cases.items()
        for stream in owns(incident)
    }
    behind = unread(cursor, read)
    failing: dict[str, Exception] = {}
    for incident, desk in cases.items():
        if not behind.isdisjoint(owns(incident)):
            failing[incident] = CaseBehindLog(f"{incident} has unread events")
        elif desk.case is None:
            failing[incident] = LookupError(f"nothing is known of {incident}")
    return failing


def _contact_method(step: Step) -> tuple[str, str, str, int]:
    waiting = step.waiting
    return waiting.person, waiting.channel, waiting.method, waiting.position


def _sent(waiting: Waiting, at: datetime) -> NotificationSent:
    return NotificationSent(
        at=at,
        by=BY,
        incident=waiting.incident,
        key=waiting.key,
        bundle=waiting.bundle or None,
    )


def _end(
    waiting: Waiting, outcome: Outcome, at: datetime
) -> NotificationConfirmed | NotificationFailed:
    incident, key, attempts = waiting.incident, waiting.key, waiting.attempts
    match outcome:
        case Delivered(receipt=receipt):
            return NotificationConfirmed(
                at=at,
                by=BY,
                incident=incident,
                key=key,
                attempts=attempts,
                receipt=receipt,
            )
        case Failed(reason=reason):
            return NotificationFailed(
                at=at,
                by=BY,
                incident=incident,
                key=key,
                attempts=attempts,
                reason=reason,
            )
        case _:
            assert_never(outcome)
