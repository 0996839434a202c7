"""Notifies people by their own rules: over which methods, and when the next follows.

A plan is decided once, from a person's methods and rules at that time, and recorded.
What follows depends on nothing but the plan: a page goes on to the next method until
somebody accepts, other notices only if the message before failed for good.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.escalation.page_conditions import (
    condition_of,
    holds,
    is_wanted,
    ref_of,
)
from services.escalation.rules.case import (
    Case,
    PageDelivery,
    PageRef,
    PendingNotice,
    PlannedAttempt,
    PlannedNotice,
)
from services.escalation.rules.context import Due, EscalationContext, on
from services.escalation.rules.requests import Way, key_of, request_of
from shared.domain.contact_methods import ContactMethods, Importance, plan
from shared.domain.contact_methods.plan import Plan
from shared.domain.events import AnyEvent
from shared.domain.events.escalation import (
    EscalationNobodyNotified,
    EscalationPaged,
    EscalationUnreachable,
)
from shared.domain.events.notification import (
    NotificationPlanned,
    NotificationRequested,
    NotificationThrottled,
    PlannedRequest,
)
from shared.domain.policy.document import Policy
from shared.domain.policy.priorities import URGENT

WAIT_MAX = timedelta(minutes=1)
"""How long a page may wait for the limits of its contact method until the person's next
one is used at once."""
_PRESSING = ("page", "unreachable", "nobody_notified")


def requests_by_rules(
    case: Case,
    notice: PendingNotice,
    at: datetime,
    people: Sequence[str],
    known: EscalationContext,
) -> list[AnyEvent]:
    """Return the plans of people, and those requests that are due at once.

    Somebody without a verified method is written to at the address in the directory.
    """
    methods = known.methods_of(people)
    return [
        event
        for person in people
        for event in _by_rules(case, notice, at, person, methods[person])
    ]


def _by_rules(
    case: Case, notice: PendingNotice, at: datetime, person: str, held: ContactMethods
) -> Sequence[AnyEvent]:
    importance = importance_of(case, notice)
    found = plan(held, importance, notice.last_at)
    if found is None:
        return [request_of(case, notice, at, person)]
    return _planned(case, notice, at, person, importance, found)


def importance_of(case: Case, notice: PendingNotice) -> Importance:
    """Return which rules apply: quiet hours never hold back an urgent page or alarm."""
    is_pressing = notice.exhausted or notice.kind in _PRESSING
    return "important" if is_pressing and case.priority in URGENT else "default"


def _planned(
    case: Case,
    notice: PendingNotice,
    at: datetime,
    person: str,
    importance: Importance,
    found: Plan,
) -> Sequence[AnyEvent]:
    """Return a plan with what is due at once; a plan of one message is not recorded."""
    first = found.attempts[0].due_at
    is_page = notice.kind == "page"
    requests = [
        PlannedRequest(
            method=method.id,
            channel=method.kind,
            number=number,
            due_at=due_at if is_page or due_at == first else None,
        )
        for method, number, due_at in found.attempts
    ]
    now = [] if found.held_until else [e for e in requests if e.due_at == first]
    due = [
        request_of(
            case, notice, at, person, Way(each.method, each.channel, each.number)
        )
        for each in now
    ]
    if len(due) == len(requests) == 1:
        return due
    event = NotificationPlanned(
        **on(case, at) | ({"policy": notice.policy} if notice.policy else {}),
        kind=notice.kind,
        person=person,
        rules=importance,
        requests=tuple(requests),
        held_until=found.held_until,
        cause_stream=notice.stream,
        cause_version=notice.version,
    )
    return [event, *due]


def planned_requests(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield the next request of each plan."""
    for each in case.planned:
        following = each.left[0]
        when = case.changed_at if each.is_urgent else following.due_at
        if when is not None and not _is_moot(case, each, known):
            yield _next(case, each, following, when)


def _is_moot(case: Case, planned: PlannedNotice, known: EscalationContext) -> bool:
    """Tell whether what is left of a plan is not to be requested now.

    Once somebody has accepted the incident, a page whose step does not mind goes on to
    the next method only if the one before failed.
    """
    notice = planned.notice
    if notice.kind == "handover":
        return case.handover is None or not case.handover.awaits
    if notice.kind == "service_handover":
        return case.service_handover is None or not case.service_handover.awaits
    if not notice.is_settled_by_acceptance:
        return False
    page = notice.page
    if page is None:
        return not _is_open(case)
    if not is_wanted(case, known.policy_of(page.policy), page, planned.person):
        return True
    goes_on = bool(planned.requested) and not planned.is_urgent
    return goes_on and case.post.has_enough


def _next(
    case: Case, planned: PlannedNotice, following: PlannedAttempt, when: datetime
) -> Due:
    def events(at: datetime) -> Sequence[AnyEvent]:
        way = Way(following.method, following.channel, following.number)
        return [request_of(case, planned.notice, at, planned.person, way)]

    return Due(when, events)


def _is_open(case: Case) -> bool:
    """Return whether somebody has to accept the incident still."""
    return case.searches and not case.post.has_enough


def unreachable(
    case: Case,
    notice: PendingNotice,
    at: datetime,
    people: Sequence[str],
    known: EscalationContext,
) -> Sequence[EscalationUnreachable]:
    """Return the alarms about people of a page who have no verified method."""
    page = _page_of(case, notice)
    if page is None:
        return ()
    methods = known.methods_of(people)
    manager = manager_of(case, known.policy_of(case.policy))
    return [
        EscalationUnreachable(
            **on(case, at),
            cycle=case.cycle,
            key=page.page,
            person=person,
            people=(manager,),
        )
        for person in people
        if not methods[person].verified()
        and person not in case.unreachable
        and not known.is_alarmed(person)
    ]


def _page_of(case: Case, notice: PendingNotice) -> PageDelivery | None:
    if notice.kind != "page":
        return None
    versions = (each for each in case.deliveries if each.version == notice.version)
    return next(versions, None)


def manager_of(case: Case, policy: Policy) -> str:
    """Return who manages the team that is paged."""
    team = case.post.team if case.post.team in policy.teams else policy.desk.team
    return policy.teams[team].manager


def alarms_of_pages(case: Case, known: EscalationContext) -> Iterator[Due]:
    """Yield that nobody could be notified of a page: all its messages failed."""
    if not _is_open(case):
        return
    waiting = {each.notice.version for each in case.planned if _is_page(each)}
    for each in case.deliveries:
        is_over = each.is_requested and not (each.under_way or each.arrived)
        if is_over and each.version not in waiting and _asks(case, each, known):
            yield _nobody(case, each, known)


def _asks(case: Case, delivery: PageDelivery, known: EscalationContext) -> bool:
    """Tell whether the step of a page still wants somebody to be paged."""
    page = delivery.ref
    if page is None:
        return True
    return holds(case, condition_of(known.policy_of(page.policy), page))


def _nobody(case: Case, delivery: PageDelivery, known: EscalationContext) -> Due:
    manager = manager_of(case, known.policy_of(case.policy))

    def events(at: datetime) -> Sequence[AnyEvent]:
        return [
            EscalationNobodyNotified(
                **on(case, at),
                cycle=case.cycle,
                level=case.post.level,
                key=delivery.page,
                people=(manager,),
            )
        ]

    return Due(case.changed_at, events)


def _is_page(planned: PlannedNotice) -> bool:
    return planned.notice.kind == "page"


def with_plan(case: Case, event: NotificationPlanned) -> Case:
    """Return the case with what a plan leaves to be requested."""
    notice = PendingNotice(
        event.kind,
        event.cause_stream,
        event.cause_version,
        (event.person,),
        event.at,
        policy=event.policy,
        exhausted=event.cause_version == case.post.exhausted_version
        and event.kind == "manager",
        page=_ref(case, event),
    )
    ways = [Way(each.method, each.channel, each.number) for each in event.requests]
    attempts = [
        PlannedAttempt(key_of(notice, event.person, way), *way, each.due_at)
        for way, each in zip(ways, event.requests, strict=True)
    ]
    planned = PlannedNotice(notice, event.person, tuple(attempts))
    earlier = case.planned
    if event.held_until is not None:
        earlier = tuple(each for each in earlier if not _is_replaced(each, planned))
    return replace(case, planned=(*earlier, planned))


def _ref(case: Case, event: NotificationPlanned) -> PageRef | None:
    if event.kind != "page":
        return None
    refs = (each.ref for each in case.deliveries if each.version == event.cause_version)
    return next(refs, None)


def _is_replaced(held: PlannedNotice, newer: PlannedNotice) -> bool:
    """Return whether a notice that quiet hours hold back is not sent any more.

    Of several that say the same, people receive the newest in the morning.
    """
    kept, notice = held.notice, newer.notice
    return (
        kept.is_settled_by_acceptance
        and not held.requested
        and (held.person, kept.kind, kept.exhausted)
        == (newer.person, notice.kind, notice.exhausted)
    )


def with_page(case: Case, event: EscalationPaged) -> Case:
    """Return the case with a page whose messages are to be requested."""
    delivery = PageDelivery(case.escalations, event.key, ref=ref_of(event))
    return replace(case, deliveries=(*case.deliveries, delivery))


def after_request(case: Case, event: NotificationRequested) -> Case:
    """Return the case after a request, which its plan does not wait for any more."""
    key = event.key
    planned = tuple(
        left for each in case.planned if (left := _requested(each, key)) is not None
    )
    if event.kind != "page" or event.person is None:
        return replace(case, planned=planned)
    deliveries = tuple(
        each._replace(under_way=(*each.under_way, key), is_requested=True)
        if each.version == event.cause_version
        else each
        for each in case.deliveries
    )
    return replace(case, planned=planned, deliveries=deliveries)


def _requested(planned: PlannedNotice, key: str) -> PlannedNotice | None:
    left = tuple(each for each in planned.left if each.key != key)
    if len(left) == len(planned.left):
        return planned
    if not left:
        return None
    keys = (*planned.requested, key)
    return planned._replace(left=left, requested=keys, is_urgent=False)


def after_throttling(case: Case, event: NotificationThrottled) -> Case:
    """Return the case after limits hold back a page: a long wait is like a failure.

    It is only not lost: it leaves later, and has arrived then.
    """
    key = event.key
    if event.until - event.at <= WAIT_MAX:
        return case
    deliveries = tuple(
        each._replace(
            under_way=_without(each.under_way, key), throttled=(*each.throttled, key)
        )
        if key in each.under_way
        else each
        for each in case.deliveries
    )
    planned = tuple(_failed(each, key) for each in case.planned)
    return replace(case, planned=planned, deliveries=deliveries)


def after_failure(case: Case, key: str) -> Case:
    """Return the case after a message failed for good: the next is due at once.

    Of other notices than pages only if no other message has arrived.
    """
    deliveries = tuple(
        each._replace(
            under_way=_without(each.under_way, key),
            arrived=_without(each.arrived, key),
            throttled=_without(each.throttled, key),
        )
        for each in case.deliveries
    )
    planned = tuple(_failed(each, key) for each in case.planned)
    return replace(case, planned=planned, deliveries=deliveries)


def _failed(planned: PlannedNotice, key: str) -> PlannedNotice:
    if key not in planned.requested:
        return planned
    arrived = _without(planned.arrived, key)
    is_urgent = planned.is_urgent or _is_page(planned) or not arrived
    return planned._replace(arrived=arrived, is_urgent=is_urgent)


def _without(keys: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(each for each in keys if each != key)


def after_success(case: Case, key: str) -> Case:
    """Return the case after a message arrived, as far as its provider can tell."""
    planned = tuple(
        each._replace(arrived=(*each.arrived, key)) if key in each.requested else each
        for each in case.planned
    )
    deliveries = tuple(
        each._replace(
            under_way=_without(each.under_way, key),
            arrived=(*each.arrived, key),
            throttled=_without(each.throttled, key),
        )
        if key in each.under_way or key in each.throttled
        else each
        for each in case.deliveries
    )
    return replace(case, planned=planned, deliveries=deliveries)


def after_delivery(case: Case, key: str) -> Case:
    """Return the case after a provider reported that a message was delivered."""
    planned = tuple(
        each for each in case.planned if _is_page(each) or key not in each.requested
    )
    return replace(case, planned=planned)


def after_decline(case: Case, person: str) -> Case:
    """Return the case after somebody declined: no more messages page them."""
    planned = tuple(
        each for each in case.planned if not (_is_page(each) and each.person == person)
    )
    return replace(case, planned=planned)


def without_pages(case: Case) -> Case:
    """Return the case without what is left to be sent for somebody to accept it."""
    planned = tuple(
        each for each in case.planned if not each.notice.is_settled_by_acceptance
    )
    return replace(case, planned=planned, deliveries=())


def after_acceptance(case: Case, person: str) -> Case:
    """Return the case after a person accepted it: nothing more is sent to them.

    If they were the last who had to, nobody else is told over a further method either.
    Pages that have not been sent at all are left to the conditions of their steps.
    """
    has_enough = case.post.has_enough

    def is_left(each: PlannedNotice) -> bool:
        if not each.notice.is_settled_by_acceptance:
            return True
        is_unsent = each.notice.page is not None and not each.requested
        return each.person != person and (is_unsent or not has_enough)

    planned = tuple(filter(is_left, case.planned))
    return replace(
        case, planned=planned, deliveries=() if has_enough else case.deliveries
    )
