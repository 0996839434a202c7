"""Decides whether a page leaves alone, waits, or leaves with those that waited.

A page to a contact method that has had as many as its channel allows waits; the first
that may leave takes all that wait with it. The key of a bundle follows from those of
its members, so a repeat has the same key.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice

from services.escalation.bundles import store
from services.escalation.bundles.rules import kept, next_at
from services.escalation.notifications import outbox
from services.escalation.notifications.outbox import Waiting
from services.escalation.page_conditions import is_wanted, ref_of
from services.escalation.rules.case import Case
from services.escalation.rules.context import BY, EscalationContext
from services.escalation.rules.requests import NAMESPACE
from shared.database.cursors import Cursors
from shared.domain.events.notification import (
    BundleMember,
    NotificationBundled,
    NotificationFailed,
    NotificationThrottled,
)
from shared.domain.policy.document import Policy
from shared.domain.policy.teams import UNLIMITED, ChannelLimit, limits_of
from shared.eventlog.epochs import Epochs, read_epochs
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.process_manager.process import Desk

MEMBERS_MAX = 50
"""Pages of one bundle; more leave in the next."""
CANDIDATES_MAX = 200
"""Waiting pages that are looked at for a bundle."""
SETTLED = "nobody needed to be paged any more when it was to be sent, or sent again"

Member = Waiting | store.WaitingPage


@dataclass(frozen=True)
class Admission:
    """Admits messages in one transaction.

    The limits are those of the policy in force, which is read once, if it is needed.
    """

    log: EventLog
    cursor: Cursors
    policy: Callable[[], Policy | None]

    @classmethod
    def within(cls, log: EventLog, cursor: Cursors) -> "Admission":
        """Return what admits messages in the transaction of a cursor."""
        return cls(log, cursor, cache(lambda: policy_now(log, cursor)))

    def concerns(self, page: Waiting) -> bool:
        """Tell whether `admits` has to be asked before a message leaves.

        Only pages to people and to channels of teams have limits, and one that was
        tried before is only repeated as long as it is wanted.
        """
        is_page = page.kind == "page" and bool(page.person or page.team_channel)
        is_settled = (page.sent or bool(page.bundle)) and not page.attempts
        return is_page and page.channel not in UNLIMITED and not is_settled

    def admits(
        self, page: Waiting, desk: Desk[Case, EscalationContext], at: datetime
    ) -> bool:
        """Tell whether a page, whose row is locked, leaves alone now.

        If not, what was decided about it is stored and recorded in `desk`: that it
        waits, leaves in a bundle, or need not be sent any more.
        """
        if page.attempts and not self._is_repeated(page, desk):
            _withhold(self.cursor, page, desk, at)
            return False
        if page.sent or page.bundle:
            return True
        policy = self.policy()
        limits = limits_of(policy.channels if policy else {}, page.channel)
        if not limits and store.held(self.cursor, page.key) is None:
            return True
        return self._leaves_alone(page, limits, desk, at)

    def _leaves_alone(
        self,
        page: Waiting,
        limits: Sequence[ChannelLimit],
        desk: Desk[Case, EscalationContext],
        at: datetime,
    ) -> bool:
        sent = kept(store.sent_at(self.cursor, page), limits, at)
        held = store.held(self.cursor, page.key)
        if held:
            return False  # it is part of a bundle
        if held is not None and not self._is_wanted(page, desk):
            _withhold(self.cursor, page, desk, at)
            return False
        free_at = next_at(sent, limits, at)
        if free_at > at:
            _hold(self.cursor, page, desk, at, free_at)
            return False
        store.count(self.cursor, page, [*sent, at])
        others = self._others(page, desk)
        if not others or not (held is not None or any(each.is_held for each in others)):
            return True
        _bundle(self.cursor, page, others, desk, at)
        return False

    def _is_repeated(self, page: Waiting, desk: Desk[Case, EscalationContext]) -> bool:
        """Tell whether a page is tried again: a bundle as a whole, or not at all."""
        if self._is_wanted(page, desk):
            return True
        others = store.bundled(self.cursor, page) if page.bundle else []
        return any(self._wanted(page, others, desk))

    def _is_wanted(self, page: Waiting, desk: Desk[Case, EscalationContext]) -> bool:
        """Tell whether a page is still to be sent; also if the log cannot tell."""
        cause = (page.cause_stream, page.cause_version)
        paged = store.causes(self.log, self.cursor, [cause]).get(cause)
        if paged is None or desk.case is None:
            return True
        policy = desk.known.policy_of(paged.policy)
        return is_wanted(desk.case, policy, ref_of(paged), page.person)

    def _others(
        self, page: Waiting, desk: Desk[Case, EscalationContext]
    ) -> list[store.WaitingPage]:
        """Return the waiting pages that leave together with one, the oldest first.

        What need not be sent any more is left out: it is decided when it may leave
        itself.
        """
        found = store.others(self.cursor, page, CANDIDATES_MAX)
        return [*islice(self._wanted(page, found, desk), MEMBERS_MAX - 1)]

    def _wanted(
        self,
        page: Waiting,
        others: Sequence[store.WaitingPage],
        desk: Desk[Case, EscalationContext],
    ) -> Iterator[store.WaitingPage]:
        """Yield those of other pages to the same person that are still to be sent."""
        causes = store.causes(self.log, self.cursor, [each.cause for each in others])
        read, policy_of = desk.work.adapter.validate_python, desk.known.policy_of
        for each in others:
            paged = causes.get(each.cause)
            if paged is not None and is_wanted(
                read(each.state), policy_of(paged.policy), ref_of(paged), page.person
            ):
                yield each


def _withhold(
    cursor: Cursors,
    page: Waiting,
    desk: Desk[Case, EscalationContext],
    at: datetime,
) -> None:
    outbox.over(cursor, [page.key])
    failed = NotificationFailed(
        at=at,
        by=BY,
        incident=page.incident,
        key=page.key,
        attempts=page.attempts,
        reason=SETTLED,
    )
    desk.record(failed)


def _hold(
    cursor: Cursors,
    page: Waiting,
    desk: Desk[Case, EscalationContext],
    at: datetime,
    until: datetime,
) -> None:
    outbox.again(cursor, page.key, until, page.attempts)
    if store.hold(cursor, page.key):
        throttled = NotificationThrottled(
            at=at, by=BY, incident=page.incident, key=page.key, until=until
        )
        desk.record(throttled)


def _bundle(
    cursor: Cursors,
    page: Waiting,
    others: Sequence[store.WaitingPage],
    desk: Desk[Case, EscalationContext],
    at: datetime,
) -> None:
    members: tuple[Member, ...] = (page, *others)
    name = bundle_key(page, members, read_epochs(cursor))
    store.bundle(cursor, name, page.key, [each.key for each in members])
    bundled = NotificationBundled(
        at=at,
        by=BY,
        incident=page.incident,
        bundle=name,
        person=page.person or None,
        channel=page.channel,
        method=(page.method or None) if page.person else None,
        team_channel=page.team_channel or None,
        members=tuple(
            BundleMember(incident=each.incident, key=each.key) for each in members
        ),
    )
    desk.record(bundled)


def bundle_key(page: Waiting, members: Sequence[Member], epochs: Epochs) -> str:
    """Return the key of a bundle, which is recorded with the incident of `page`."""
    keys = (epochs.key(each.key, each.position) for each in members)
    parts = ("bundle", page.person, page.channel, page.method, *keys)
    return f"{page.incident}.{uuid.uuid5(NAMESPACE, '|'.join(parts)).hex}"
