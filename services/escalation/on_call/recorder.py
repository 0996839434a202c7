"""Observes the schedules, and records who hands over to whom and which gaps come.

One process at a time. What happened while no process ran is recorded later, with the
instants at which it happened. Blocks, so it runs in a thread.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice

import structlog

from services.escalation.on_call.history_store import HistoryStore
from services.escalation.on_call.roster_store import (
    is_changed,
    roster_if_any,
    versions_of,
)
from services.escalation.on_call.rules import gap_events, handovers, next_change
from services.escalation.on_call.state import replay
from services.escalation.on_call_mail.rules import (
    UNVERIFIED_SOON,
    gap_mails,
    hand_off_mails,
    month_to_state,
    reminder_mails,
    report_mails,
    statement_mails,
    swap_mails,
    unverified_mails,
)
from services.escalation.on_call_mail.store import MailRequest, request
from shared.clock import Clock
from shared.contact_methods.readiness import unverified_of
from shared.database.cursors import Cursors
from shared.database.leadership import Leadership
from shared.domain.events import OnCallHistoryEvent
from shared.domain.events.on_call_history import OnCallGapFound, OnCallHandedOver
from shared.domain.on_call import Roster, first_shifts
from shared.domain.policy.document import Policy
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyInForce, policies_since
from shared.eventlog.recorder import read_head
from shared.on_call_changes import changes_of
from shared.on_call_history import TooMany, month_of, statements
from shared.vault.vault import Vault

HANDOVERS_MAX = 200
"""Hand-overs of a schedule in one transaction; the others follow in the next one."""
AGAIN = timedelta(hours=1)
"""How often gaps are looked for, even if nothing changes."""
KEPT_EVERY = timedelta(minutes=1)
"""How often it is kept up to when all schedules were observed."""
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_log = structlog.get_logger(__name__)


@dataclass(eq=False)
class OnCallRecorder:
    """Records what happens to the schedules of the policy; used by one thread."""

    log: EventLog
    clock: Clock
    handovers_total: int = field(default=0, init=False)
    gaps_total: int = field(default=0, init=False)
    _store: HistoryStore = field(init=False)
    _upto: datetime | None = field(default=None, init=False)
    """Up to when all schedules were observed that are not in `_behind`."""
    _behind: dict[str, datetime | None] = field(default_factory=dict, init=False)
    """Schedules that could not be observed, and up to when each one was."""
    _kept: datetime = field(default=_BEGINNING, init=False)
    _position: int = field(default=-1, init=False)
    _policies: Sequence[PolicyInForce] = field(default=(), init=False)
    _stated: date | None = field(default=None, init=False)
    """The month whose statements were requested last."""
    _next: dict[str, datetime] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Begin without having observed anything."""
        self._store = HistoryStore(self.log)
        self.log.continuity.drop_with(self.begin)

    @property
    def failing(self) -> int:
        """Return how many schedules could not be observed since they changed."""
        return len(self._behind)

    def begin(self) -> None:
        """Forget what was observed: another process may have gone on meanwhile."""
        self._position = -1
        self._stated = None

    def round(self, seat: Leadership) -> None:
        """Record all that happened until now. Raises `LeaseLost`, `Unavailable`."""
        now = self.clock()
        self._look(seat)
        names = {name for each in self._policies for name in each.policy.schedules}
        due = [name for name in sorted(names) if self._next.get(name, now) <= now]
        for name in due:
            if self._tried(seat, name):
                self._behind.pop(name, None)
            else:
                self._behind.setdefault(name, self._upto)
        self._upto = now
        if not self._behind:
            self._policies = self._policies[-1:]
        if now - self._kept >= KEPT_EVERY:
            self._keep(seat, now)
            self._report(seat, now)
            self._kept = now

    def _keep(self, seat: Leadership, now: datetime) -> None:
        """Store up to when all schedules were observed, unless one of them failed.

        After a restart it is observed again from there, and loses no hand-over.
        """
        if self._behind:
            return
        with self.log.transaction() as cursor:
            seat.demand(cursor)
            self._store.advance(cursor, now)

    def _look(self, seat: Leadership) -> None:
        """Read the policies again if anything changed that rosters depend on."""
        with self.log.transaction() as cursor:
            seat.demand(cursor)
            self.log.look(cursor)
            head = read_head(cursor).position
            first = self._position < 0
            if not first and not is_changed(cursor, self._position, head):
                self._position = head
                return
            if first:
                self._upto = self._store.watermark(cursor)
                self._behind = {}
            observed = (self._upto, *self._behind.values())
            since = min(each or _BEGINNING for each in observed)
            self._policies = policies_since(self.log, cursor, since)
            self._next = {}
            self._position = head

    def _tried(self, seat: Leadership, schedule: str) -> bool:
        """Observe a schedule; return whether that was possible.

        A schedule that cannot be observed does not keep the others from it.
        """
        seat.prove()
        try:
            while self._observe(seat, schedule):
                seat.prove()
        except (ArithmeticError, LookupError, TypeError, ValueError):
            _log.exception("on_call.not_observed", schedule=schedule)
            self._next[schedule] = self.clock() + KEPT_EVERY
            return False
        return True

    def _observe(self, seat: Leadership, schedule: str) -> bool:
        """Record what happened to a schedule; return whether there may be more."""
        with self.log.transaction() as cursor:
            seat.demand(cursor)
            self.log.look(cursor)
            now = self.clock()
            upto = self._behind.get(schedule, self._upto)
            before = self._store.observed(cursor, schedule, upto, now)
            versions = list(versions_of(cursor, schedule, self._policies, before.upto))
            found: list[OnCallHistoryEvent] = list(
                islice(handovers(before, versions, now), HANDOVERS_MAX)
            )
            more = len(found) == HANDOVERS_MAX
            newest = self._policies[-1]
            roster = roster_if_any(cursor, schedule, newest.policy)
            mails = [*hand_off_mails(_handovers(found), before.people, now)]
            if not more:
                after = replay(before, found)
                gaps = [*gap_events(after, roster, newest.version, now)]
                mails += gap_mails(_gaps(gaps, after.version), newest.policy, now)
                vault, policy = self.log.vault, newest.policy
                mails += _roster_mails(vault, cursor, schedule, roster, policy, now)
                found += gaps
            request(cursor, mails, now)
            if found:
                self._store.append(cursor, before, found)
        self._count(found)
        if not more:
            self._next[schedule] = (
                next_change(roster, now, AGAIN) if roster else now + AGAIN
            )
        return more

    def _report(self, seat: Leadership, now: datetime) -> None:
        """Request the weekly and monthly mails when it is time."""
        if not self._policies:
            return
        policy = self._policies[-1].policy
        month = month_to_state(policy, now)
        if month == self._stated or self._behind:
            month = None  # a statement is final, so the history has to be complete
        with self.log.transaction() as cursor:
            seat.demand(cursor)
            mails = [*report_mails(policy, now)]
            if month is not None:
                mails += self._statements(cursor, policy, month, now)
            request(cursor, mails, now)
        self._stated = month or self._stated

    def _statements(
        self, cursor: Cursors, policy: Policy, month: date, now: datetime
    ) -> Iterator[MailRequest]:
        """Yield the monthly mails, none if the history of a schedule is too long."""
        period = month_of(month, policy.desk.timezone)
        try:
            found = statements(self.log, cursor, period, now)
        except TooMany as error:
            _log.warning("on_call.not_stated", month=str(month), why=str(error))
            return
        yield from statement_mails([each.person for each in found], month, now)

    def _count(self, found: Sequence[OnCallHistoryEvent]) -> None:
        kinds = [each.type for each in found]
        self.handovers_total += kinds.count("on_call.handed_over")
        self.gaps_total += kinds.count("on_call.gap_found")


def _roster_mails(
    vault: Vault,
    cursor: Cursors,
    schedule: str,
    roster: Roster | None,
    policy: Policy,
    now: datetime,
) -> Iterator[MailRequest]:
    """Yield the mails that follow from who is on call soon, and from swaps."""
    if roster is None:
        return
    yield from reminder_mails(roster, policy, now)
    yield from swap_mails(schedule, changes_of(cursor, schedule), now)
    people = first_shifts(roster, now, now + UNVERIFIED_SOON)
    unverified = unverified_of(vault, cursor, people)
    yield from unverified_mails(schedule, roster, unverified, policy, now)


def _handovers(found: Iterable[OnCallHistoryEvent]) -> Iterator[OnCallHandedOver]:
    return (each for each in found if isinstance(each, OnCallHandedOver))


def _gaps(
    found: Iterable[OnCallHistoryEvent], version: int
) -> Iterator[tuple[int, OnCallGapFound]]:
    """Yield the gaps with the versions of their events, which follow a version."""
    for at, each in enumerate(found, version + 1):
        if isinstance(each, OnCallGapFound):
            yield at, each
